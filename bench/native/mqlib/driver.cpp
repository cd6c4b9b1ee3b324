// Runs one MQLib heuristic on one instance and reports like a worker: one JSON object per line.
// Usage: mqlib-driver HEURISTIC FILE SECONDS SEED [TARGET]
// FILE: "maxcut|qubo|ising n pairs", n linear coefficients, then 0-based `i j w`, each pair once
// (bench/hbench/prepare.py). TARGET is in the file's own objective.
#include <cmath>
#include <cstdio>
#include <fstream>

#include "mqlib.h"

namespace {

using Clock = std::chrono::steady_clock;
using Tuples = std::vector<Instance::InstanceTuple>;

struct Problem {
    std::string kind;
    int variables = 0;
    std::vector<double> linear;
    Tuples pairs;  // 0-based
    bool maximise() const { return kind == "maxcut"; }

    double score(const std::vector<char>& on) const {
        double total = 0;
        for (int i = 0; i < variables; ++i) {
            if (kind == "qubo") total += on[i] ? linear[i] : 0;
            if (kind == "ising") total += on[i] ? linear[i] : -linear[i];
        }
        for (const auto& [pair, w] : pairs) {
            bool differ = on[pair.first] != on[pair.second];
            if (kind == "maxcut") total += differ ? w : 0;
            if (kind == "qubo") total += on[pair.first] && on[pair.second] ? w : 0;
            if (kind == "ising") total += differ ? -w : w;
        }
        return total;
    }
};

Problem read(const char* path) {
    Problem problem;
    std::ifstream file(path);
    size_t count = 0;
    if (!(file >> problem.kind >> problem.variables >> count)) std::exit(2);
    problem.linear.resize(static_cast<size_t>(problem.variables));
    for (auto& value : problem.linear) file >> value;
    problem.pairs.resize(count);
    for (auto& [pair, w] : problem.pairs) file >> pair.first >> pair.second >> w;
    if (!file) std::exit(2);
    return problem;
}

// The Max-Cut graph: an Ising energy falls by 2w when the edge w is cut; fields tie to one more node.
MaxCutInstance as_max_cut(const Problem& problem) {
    std::vector<double> field(static_cast<size_t>(problem.variables), 0.0);
    Tuples edges;
    for (const auto& [pair, w] : problem.pairs) {
        if (w == 0) continue;
        edges.push_back({{pair.first + 1, pair.second + 1}, w});
        if (problem.kind == "qubo") {  // four times the energy: w s s' + w s + w s'
            field[pair.first] += w;
            field[pair.second] += w;
        }
    }
    int extra = problem.variables + 1;
    bool tied = problem.kind != "maxcut";
    for (int i = 0; tied && i < problem.variables; ++i) {
        double h = field[i] + (problem.kind == "qubo" ? 2 : 1) * problem.linear[i];
        if (h != 0) edges.push_back({{i + 1, extra}, h});
    }
    return MaxCutInstance(edges, tied ? extra : problem.variables);
}

// The matrix to maximise; off-diagonal entries count twice.
QUBOInstance as_qubo(const Problem& problem) {
    std::vector<double> diagonal(static_cast<size_t>(problem.variables), 0.0);
    Tuples entries;
    for (int i = 0; i < problem.variables; ++i) {
        if (problem.kind == "qubo") diagonal[i] = -problem.linear[i];
        if (problem.kind == "ising") diagonal[i] = -2 * problem.linear[i];
    }
    for (const auto& [pair, w] : problem.pairs) {
        if (w == 0) continue;
        double shared = problem.kind == "qubo" ? -w / 2 : problem.kind == "ising" ? -2 * w : -w;
        entries.push_back({{pair.first + 1, pair.second + 1}, shared});
        double single = problem.kind == "qubo" ? 0 : problem.kind == "ising" ? 2 * w : w;
        diagonal[pair.first] += single;
        diagonal[pair.second] += single;
    }
    return QUBOInstance(entries, diagonal, problem.variables);
}

struct Reporter : MaxCutCallback, QUBOCallback {
    const Problem& problem;
    double limit_s, target;
    Clock::time_point begin = Clock::now();

    Reporter(const Problem& p, double limit, double goal) : problem(p), limit_s(limit), target(goal) {}

    double seconds() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }
    bool Report(const MaxCutSimpleSolution& s, bool fresh, double) override { return take(s, fresh, true); }
    bool Report(const MaxCutSimpleSolution& s, bool fresh, double, int) override { return take(s, fresh, true); }
    bool Report(const QUBOSimpleSolution& s, bool fresh, double) override { return take(s, fresh, false); }
    bool Report(const QUBOSimpleSolution& s, bool fresh, double, int) override { return take(s, fresh, false); }

    bool take(const BaseSolution& solution, bool fresh, bool cut) {
        if (fresh) {
            const auto& sides = solution.get_assignments();
            std::vector<char> on(static_cast<size_t>(problem.variables));
            int reference = cut && sides.size() > on.size() ? sides.back() : cut ? -1 : 0;
            // A spin that differs from the extra node has the sign opposite to it, which is fixed to +1.
            bool tied = cut && sides.size() > on.size();
            for (size_t i = 0; i < on.size(); ++i) on[i] = tied ? sides[i] == reference : sides[i] == 1;
            double value = problem.score(on);
            print(value, on);
            if (!std::isnan(target) && (problem.maximise() ? value >= target : value <= target)) finish("target");
        }
        if (seconds() >= limit_s) finish("feasible");
        return true;
    }

    void print(double value, const std::vector<char>& on) const {
        std::string bits;
        for (size_t i = 0; i < on.size(); i += 4) {
            int nibble = 0;
            for (size_t k = i; k < i + 4; ++k) nibble = 2 * nibble + (k < on.size() && on[k]);
            bits += "0123456789abcdef"[nibble];
        }
        if (bits.size() % 2) bits += '0';
        std::printf("{\"t\": %.6f, \"objective\": %.17g, \"bits\": \"%s\"}\n", seconds(), value, bits.c_str());
        std::fflush(stdout);
    }

    [[noreturn]] void finish(const char* status) const {
        std::printf("{\"t\": %.6f, \"status\": \"%s\"}\n", seconds(), status);
        std::fflush(stdout);
        std::_Exit(0);
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: mqlib-driver HEURISTIC FILE SECONDS SEED [TARGET]\n", stderr);
        return 2;
    }
    std::string name = argv[1];
    Problem problem = read(argv[2]);
    double limit_s = std::atof(argv[3]);
    Random::seed(std::strtoull(argv[4], nullptr, 10));
    double target = argc > 5 ? std::atof(argv[5]) : std::nan("");
    if (name == "BURER2002") {
        MaxCutInstance instance = as_max_cut(problem);
        std::puts("{\"ready\": true}");
        std::fflush(stdout);
        Reporter reporter(problem, limit_s, target);
        Burer2002 heuristic(instance, limit_s, false, &reporter);
        reporter.finish("feasible");
    }
    QUBOInstance instance = as_qubo(problem);
    std::puts("{\"ready\": true}");
    std::fflush(stdout);
    Reporter reporter(problem, limit_s, target);
    if (name == "PALUBECKIS2004bMST2") {
        Palubeckis2004bMST2 heuristic(instance, limit_s, false, &reporter);
    } else if (name == "LU2010") {
        Lu2010 heuristic(instance, limit_s, false, &reporter);
    } else {
        std::fprintf(stderr, "no heuristic named %s\n", name.c_str());
        return 2;
    }
    reporter.finish("feasible");
}
