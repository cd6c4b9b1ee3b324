// ProbSAT (Balint and Schoening, SAT 2012), written here from the paper because no registry carries it.
// Usage: probsat FILE SECONDS SEED. Reports like a worker: one JSON object per line.
// A step picks a random unsatisfied clause and flips one of its variables with a probability that
// falls with the number of clauses which the flip would break: (0.9 + breaks)^-2.06 for 3-SAT,
// base^-breaks for longer clauses with the paper's bases.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Random {
    uint64_t state[2];
    explicit Random(uint64_t seed) {
        for (auto& word : state) {
            seed += 0x9E3779B97F4A7C15ull;
            uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
            word = z ^ (z >> 31);
        }
    }
    uint64_t next() {  // xoroshiro128+
        uint64_t a = state[0], b = state[1], sum = a + b;
        b ^= a;
        state[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
        state[1] = (b << 37) | (b >> 27);
        return sum;
    }
    uint32_t below(uint32_t bound) { return static_cast<uint32_t>(((next() >> 32) * bound) >> 32); }
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

struct Formula {
    int variables = 0;
    size_t longest = 0;
    std::vector<int> literals;
    std::vector<uint32_t> starts{0};
    size_t clauses() const { return starts.size() - 1; }
};

Formula read(const char* path) {
    Formula formula;
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty() || line[0] == 'c') continue;
        if (line[0] == 'p') {
            std::sscanf(line.c_str(), "p cnf %d", &formula.variables);
            continue;
        }
        const char* at = line.c_str();
        char* end = nullptr;
        for (long literal = std::strtol(at, &end, 10); end != at; literal = std::strtol(at, &end, 10)) {
            at = end;
            if (literal != 0) {
                formula.literals.push_back(static_cast<int>(literal));
            } else {
                size_t length = formula.literals.size() - formula.starts.back();
                formula.longest = std::max(formula.longest, length);
                formula.starts.push_back(static_cast<uint32_t>(formula.literals.size()));
            }
        }
    }
    return formula;
}

class Search {
  public:
    Search(const Formula& formula, uint64_t seed, double limit)
        : f(formula), random(seed), limit_s(limit), value(f.variables + 1), best_value(f.variables + 1),
          true_count(f.clauses()), critical(f.clauses()), place(f.clauses()), breaks(f.variables + 1),
          occurrence_starts(2 * f.variables + 3) {
        for (int literal : f.literals) ++occurrence_starts[slot(literal) + 1];
        for (size_t i = 1; i < occurrence_starts.size(); ++i) occurrence_starts[i] += occurrence_starts[i - 1];
        occurrences.resize(f.literals.size());
        auto fill = occurrence_starts;
        for (uint32_t c = 0; c < f.clauses(); ++c)
            for (uint32_t k = f.starts[c]; k < f.starts[c + 1]; ++k)
                occurrences[fill[slot(f.literals[k])]++] = c;
        double base = f.longest <= 4 ? 3.0 : f.longest == 5 ? 3.7 : f.longest == 6 ? 5.0 : 5.4;
        for (int b = 0; b < 4096; ++b)
            weight.push_back(f.longest <= 3 ? std::pow(0.9 + b, -2.06) : std::pow(base, -b));
        scores.resize(f.longest + 1);
    }

    void run() {
        std::puts("{\"ready\": true}");
        std::fflush(stdout);
        begin = Clock::now();
        start();
        note_best();
        for (uint64_t step = 0; !unsatisfied.empty(); ++step) {
            if ((step & 1023) == 0) {
                double now = seconds();
                if (now >= limit_s) break;
                if (best_count < reported && now > last_report + 0.1) report(now);
            }
            flip(choose());
            if (unsatisfied.size() < best_count) note_best();
        }
        if (best_count < reported) report(std::min(seconds(), limit_s));
        std::printf("{\"t\": %.6f, \"status\": \"%s\"}\n", seconds(), best_count == 0 ? "satisfiable" : "feasible");
    }

  private:
    size_t slot(int literal) const { return literal > 0 ? 2 * literal : 2 * -literal + 1; }
    bool holds(int literal) const { return value[std::abs(literal)] == (literal > 0); }
    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }

    void start() {
        for (int v = 1; v <= f.variables; ++v) value[v] = random.next() >> 63;
        for (uint32_t c = 0; c < f.clauses(); ++c) {
            for (uint32_t k = f.starts[c]; k < f.starts[c + 1]; ++k) {
                if (!holds(f.literals[k])) continue;
                ++true_count[c];
                critical[c] ^= std::abs(f.literals[k]);
            }
            if (true_count[c] == 0) add_unsatisfied(c);
            if (true_count[c] == 1) ++breaks[critical[c]];
        }
        best_count = unsatisfied.size() + 1;
        reported = SIZE_MAX;
    }

    void add_unsatisfied(uint32_t c) {
        place[c] = static_cast<uint32_t>(unsatisfied.size());
        unsatisfied.push_back(c);
    }

    void drop_unsatisfied(uint32_t c) {
        uint32_t last = unsatisfied.back();
        unsatisfied[place[c]] = last;
        place[last] = place[c];
        unsatisfied.pop_back();
    }

    int choose() {
        uint32_t c = unsatisfied[random.below(static_cast<uint32_t>(unsatisfied.size()))];
        uint32_t first = f.starts[c], length = f.starts[c + 1] - first;
        if (length == 0) std::exit(3);
        double total = 0;
        for (uint32_t k = 0; k < length; ++k) {
            int b = breaks[std::abs(f.literals[first + k])];
            total += weight[b < 4096 ? b : 4095];
            scores[k] = total;
        }
        double pick = random.unit() * total;
        uint32_t k = 0;
        while (k + 1 < length && scores[k] <= pick) ++k;
        return std::abs(f.literals[first + k]);
    }

    void flip(int variable) {
        int made = value[variable] ? -variable : variable;
        value[variable] = !value[variable];
        trail.push_back(variable);
        if (trail.size() > trail_max()) settle();
        for (uint32_t k = occurrence_starts[slot(made)]; k < occurrence_starts[slot(made) + 1]; ++k) {
            uint32_t c = occurrences[k];
            critical[c] ^= variable;
            switch (true_count[c]++) {
                case 0: drop_unsatisfied(c); ++breaks[variable]; break;
                case 1: --breaks[critical[c] ^ variable]; break;
                default: break;
            }
        }
        for (uint32_t k = occurrence_starts[slot(-made)]; k < occurrence_starts[slot(-made) + 1]; ++k) {
            uint32_t c = occurrences[k];
            critical[c] ^= variable;
            switch (--true_count[c]) {
                case 0: add_unsatisfied(c); --breaks[variable]; break;
                case 1: ++breaks[critical[c]]; break;
                default: break;
            }
        }
    }

    // The best assignment is kept as best_value plus the first best_mark flips of the trail.
    size_t trail_max() const { return 4096 + static_cast<size_t>(f.variables); }
    void settle() {
        for (size_t k = 0; k < best_mark; ++k) best_value[trail[k]] = !best_value[trail[k]];
        trail.erase(trail.begin(), trail.begin() + static_cast<long>(best_mark));
        if (best_mark == 0 && trail.size() > trail_max()) lost = true;
        if (lost) trail.clear();
        best_mark = 0;
    }
    void note_best() {
        if (lost) {
            best_value = value;
            trail.clear();
            lost = false;
        }
        best_mark = trail.size();
        best_count = unsatisfied.size();
    }

    void report(double now) {
        settle();
        std::string bits;
        for (int v = 1; v <= f.variables; v += 4) {
            int nibble = 0;
            for (int k = 0; k < 4; ++k) nibble = 2 * nibble + (v + k <= f.variables && best_value[v + k]);
            bits += "0123456789abcdef"[nibble];
        }
        if (bits.size() % 2) bits += '0';
        std::printf("{\"t\": %.6f, \"objective\": %zu, \"bits\": \"%s\"}\n", now, best_count, bits.c_str());
        std::fflush(stdout);
        reported = best_count;
        last_report = now;
    }

    const Formula& f;
    Random random;
    double limit_s, last_report = 0;
    Clock::time_point begin;
    std::vector<char> value, best_value;
    std::vector<uint32_t> true_count;
    std::vector<int> critical;
    std::vector<uint32_t> place;
    std::vector<int> breaks;
    std::vector<uint32_t> occurrence_starts, occurrences, unsatisfied;
    std::vector<double> weight, scores;
    std::vector<int> trail;
    size_t best_count = 0, best_mark = 0, reported = 0;
    bool lost = true;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: probsat FILE SECONDS SEED\n", stderr);
        return 2;
    }
    Formula formula = read(argv[1]);
    Search(formula, std::strtoull(argv[3], nullptr, 10), std::atof(argv[2])).run();
    return 0;
}
