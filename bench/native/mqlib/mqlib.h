// Declarations for the parts of MQLib that bench/ compiles. The PyPI source package ships MQLib's .cpp
// files without one header, so its own build cannot work; this file was written here to fit them.
// The installer makes every quoted include of those files lead to this one.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// One 64-bit generator for everything; `seed` is called by the driver before a heuristic starts.
class Random {
  public:
    static std::mt19937_64& engine() {
        static std::mt19937_64 value(1);
        return value;
    }
    static void seed(uint64_t value) { engine().seed(value); }
    static double RandDouble() { return static_cast<double>(engine()() >> 11) * 0x1.0p-53; }
    static int RandInt(int low, int high) {  // both ends included
        uint64_t span = static_cast<uint64_t>(high - low) + 1;
        return low + static_cast<int>(((engine()() >> 32) * span) >> 32);
    }
    static int RouletteWheel(const std::vector<double>& scores);
    static void MultiRouletteWheel(const std::vector<double>& scores, int m, std::vector<int>* indices);
};

struct RNG {
    int operator()(int bound) const { return Random::RandInt(0, bound - 1); }
};

class Instance {
  public:
    using InstanceTuple = std::pair<std::pair<int, int>, double>;
    using Neighbours = std::vector<std::pair<int, double>>;

  protected:
    static void AddLink(int n1, int n2, double weight, std::vector<Neighbours>* links,
                        std::vector<InstanceTuple>* all, std::vector<double>* selfLinks, bool selfLinkAsError);
    static void Load(int dimension, const std::vector<InstanceTuple>& provided, std::vector<Neighbours>* links,
                     std::vector<InstanceTuple>* all, std::vector<double>* selfLinks, bool selfLinkAsError);
    static void Load(const std::string& filename, std::vector<Neighbours>* links, std::vector<InstanceTuple>* all,
                     std::vector<double>* selfLinks, bool selfLinkAsError);
};

class QUBOInstance;

class MaxCutInstance : public Instance {
  public:
    explicit MaxCutInstance(const std::string& filename);
    MaxCutInstance(const std::vector<InstanceTuple>& edgeList, int dimension);
    explicit MaxCutInstance(const QUBOInstance& qi);
    MaxCutInstance(const MaxCutInstance& mi);
    MaxCutInstance& operator=(const MaxCutInstance& mi);
    void GetShuffledEdges(std::vector<InstanceTuple>* ret) const;
    void GetSortedEdges(std::vector<InstanceTuple>* ret) const;
    bool CheckGraph() const;
    void PrintInstance() const;
    int get_size() const { return static_cast<int>(edges_.size()); }
    Neighbours::const_iterator get_edges_begin(int i) const { return edges_[i].begin(); }
    Neighbours::const_iterator get_edges_end(int i) const { return edges_[i].end(); }
    std::vector<InstanceTuple>::const_iterator get_all_edges_begin() const { return all_edges_.begin(); }
    std::vector<InstanceTuple>::const_iterator get_all_edges_end() const { return all_edges_.end(); }

  private:
    void AddQUBONonzero(int i, int j, double q_ij, std::vector<double>* masterNodeWeights);
    std::vector<Neighbours> edges_;
    std::vector<InstanceTuple> all_edges_;
};

// Maximise x'Qx; an off-diagonal entry is listed once and counts twice.
class QUBOInstance : public Instance {
  public:
    explicit QUBOInstance(const std::string& filename);
    QUBOInstance(const std::vector<InstanceTuple>& offDiag, const std::vector<double>& mainDiag, int dimension);
    explicit QUBOInstance(const MaxCutInstance& mi);
    QUBOInstance(const QUBOInstance& qi);
    QUBOInstance& operator=(const QUBOInstance& qi);
    int get_size() const { return static_cast<int>(lin_.size()); }
    const std::vector<double>& get_lin() const { return lin_; }
    Neighbours::const_iterator get_nonzero_begin(int i) const { return nonzero_[i].begin(); }
    Neighbours::const_iterator get_nonzero_end(int i) const { return nonzero_[i].end(); }
    std::vector<InstanceTuple>::const_iterator get_all_nonzero_begin() const { return all_nonzero_.begin(); }
    std::vector<InstanceTuple>::const_iterator get_all_nonzero_end() const { return all_nonzero_.end(); }

  protected:
    std::vector<InstanceTuple>::iterator get_mutable_all_nonzero_begin() { return all_nonzero_.begin(); }
    std::vector<InstanceTuple>::iterator get_mutable_all_nonzero_end() { return all_nonzero_.end(); }
    void AddMaxCutEdge(int i, int j, double w_ij);
    std::vector<Neighbours> nonzero_;
    std::vector<InstanceTuple> all_nonzero_;
    std::vector<double> lin_;
};

class BaseSolution {
  public:
    BaseSolution(int N, int init_assignment);
    BaseSolution(const std::vector<int>& assignments, double weight);
    BaseSolution(const BaseSolution& x);
    BaseSolution& operator=(const BaseSolution& rhs);
    bool operator==(const BaseSolution& other) const;
    int SymmetricDifference(const BaseSolution& other) const;
    int SymmetricDifference(const BaseSolution& other, std::vector<int>* diff) const;
    int SymmetricDifference(const BaseSolution& other, std::vector<int>* diff, std::vector<int>* common) const;
    static bool ImprovesOver(double weight1, double weight2);
    bool ImprovesOver(double other) const { return ImprovesOver(weight_, other); }
    bool ImprovesOver(const BaseSolution& other) const { return ImprovesOver(weight_, other.weight_); }
    void PrintSolution() const;
    double get_weight() const { return weight_; }
    const std::vector<int>& get_assignments() const { return assignments_; }

    std::vector<int> assignments_;
    double weight_;
    int N_;
};

class ExtendedSolution : public BaseSolution {
  public:
    ExtendedSolution(int N, int init_assignment);
    ExtendedSolution(const ExtendedSolution& x);
    ExtendedSolution& operator=(const ExtendedSolution& rhs);
    virtual ~ExtendedSolution() = default;
    virtual void UpdateCutValues(int update_index) = 0;
    void AllBest1Swap(int startpos = 0);
    void AllFirst1Swap(int startpos = 0);
    void AllShuffle1Swap(int startpos = 0);
    double DiffWeightStandardDeviation() const;
    bool ImprovingMove(int index) const { return ImprovingMove(diff_weights_[index]); }
    bool ImprovingMove(double gain) const { return BaseSolution::ImprovesOver(weight_ + gain, weight_); }
    bool ImprovesOverAfterMove(double other, int index) const {
        return BaseSolution::ImprovesOver(weight_ + diff_weights_[index], other);
    }
    bool ImprovesOverAfterMove(const BaseSolution& other, int index) const {
        return ImprovesOverAfterMove(other.weight_, index);
    }

    std::vector<double> diff_weights_;
};

class Heuristic {
  public:
    Heuristic(double runtime_limit, bool validation);
    virtual ~Heuristic() = default;
    double Runtime();
    std::string History();

  protected:
    bool validation_;
    std::chrono::time_point<std::chrono::steady_clock> start_time_;
    double best_;
    double runtime_limit_;
    std::vector<double> past_solution_values_;
    std::vector<double> past_solution_times_;
};

class MaxCutHeuristic;
class QUBOHeuristic;
class QUBOSimpleSolution;

class MaxCutSimpleSolution : public BaseSolution {
  public:
    MaxCutSimpleSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int initVal);
    MaxCutSimpleSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, const std::vector<int>& assignments,
                         double weight);
    MaxCutSimpleSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int ignored1, int ignored2);
    MaxCutSimpleSolution(const MaxCutInstance& mi, const std::vector<double>& p, MaxCutHeuristic* heuristic);
    MaxCutSimpleSolution(const QUBOSimpleSolution& sol, const MaxCutInstance& mi, MaxCutHeuristic* heuristic);
    MaxCutSimpleSolution(const MaxCutSimpleSolution& x);
    MaxCutSimpleSolution& operator=(const MaxCutSimpleSolution& rhs);
    void PopulateFromAssignments();

    const MaxCutInstance& mi_;
    MaxCutHeuristic* heuristic_;
};

class QUBOSimpleSolution : public BaseSolution {
  public:
    QUBOSimpleSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic, int initVal);
    QUBOSimpleSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic, const std::vector<int>& assignments,
                       double weight);
    QUBOSimpleSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic, int ignored1, int ignored2);
    QUBOSimpleSolution(const QUBOInstance& qi, const std::vector<double>& p, QUBOHeuristic* heuristic);
    QUBOSimpleSolution(const MaxCutSimpleSolution& sol, const QUBOInstance& qi, QUBOHeuristic* heuristic);
    QUBOSimpleSolution(const QUBOSimpleSolution& x);
    QUBOSimpleSolution& operator=(const QUBOSimpleSolution& rhs);
    void PopulateFromAssignments();

    const QUBOInstance& qi_;
    QUBOHeuristic* heuristic_;
};

// A heuristic asks its callback whether it may go on.
class MaxCutCallback {
  public:
    virtual ~MaxCutCallback() = default;
    virtual bool Report(const MaxCutSimpleSolution& sol, bool newBest, double runtime) = 0;
    virtual bool Report(const MaxCutSimpleSolution& sol, bool newBest, double runtime, int iter) = 0;
};

class QUBOCallback {
  public:
    virtual ~QUBOCallback() = default;
    virtual bool Report(const QUBOSimpleSolution& sol, bool newBest, double runtime) = 0;
    virtual bool Report(const QUBOSimpleSolution& sol, bool newBest, double runtime, int iter) = 0;
};

class MaxCutHeuristic : public Heuristic {
  public:
    MaxCutHeuristic(const MaxCutInstance& mi, double runtime_limit, bool validation, MaxCutCallback* mc);
    bool Report();
    bool Report(int iter);
    bool Report(const BaseSolution& solution);
    bool Report(const BaseSolution& solution, int iter);
    bool IsHistoryValid();

  private:
    bool NewBest(const BaseSolution& solution, double runtime);
    MaxCutInstance mi_;
    MaxCutCallback* mc_;
    std::vector<MaxCutSimpleSolution> past_solutions_;
};

class QUBOHeuristic : public Heuristic {
  public:
    QUBOHeuristic(const QUBOInstance& qi, double runtime_limit, bool validation, QUBOCallback* qc);
    bool Report();
    bool Report(int iter);
    bool Report(const BaseSolution& solution);
    bool Report(const BaseSolution& solution, int iter);
    bool IsHistoryValid();

  private:
    bool NewBest(const BaseSolution& solution, double runtime);
    QUBOInstance qi_;
    QUBOCallback* qc_;
    std::vector<QUBOSimpleSolution> past_solutions_;
};

// Only named by a constructor that none of the compiled heuristics uses.
class MaxCutPartialSolution {
  public:
    virtual ~MaxCutPartialSolution() = default;
    virtual const MaxCutInstance& get_mi() const = 0;
    virtual MaxCutHeuristic* get_heuristic() const = 0;
    virtual int get_num_unassigned() const = 0;
    virtual const std::vector<int>& get_assignments() const = 0;
    virtual const std::vector<double>& get_gainS() const = 0;
    virtual const std::vector<double>& get_gainNS() const = 0;
    virtual double get_weight() const = 0;
};

class MaxCutSolution : public ExtendedSolution {
  public:
    MaxCutSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int initVal = -1);
    MaxCutSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int ignored1, int ignored2);
    MaxCutSolution(const MaxCutInstance& mi, const std::vector<double>& p, MaxCutHeuristic* heuristic);
    MaxCutSolution(const std::vector<int>& assignments, const MaxCutInstance& mi, MaxCutHeuristic* heuristic);
    explicit MaxCutSolution(const MaxCutPartialSolution& x);
    MaxCutSolution(const MaxCutSolution& x);
    MaxCutSolution& operator=(const MaxCutSolution& rhs);
    void UpdateCutValues(int index) override { UpdateCutValues(index, &assignments_, &diff_weights_, &weight_); }
    virtual void UpdateCutValues(int update_index, std::vector<int>* x, std::vector<double>* diff_weights,
                                 double* objective) const;
    void AllBest2Swap(int startpos = 0);
    void AllFirst2Swap(int startpos = 0);
    virtual void PopulateFromAssignments();

    const MaxCutInstance& mi_;
    MaxCutHeuristic* heuristic_;
};

class FirstFixedMaxCutSolution : public MaxCutSolution {
  public:
    FirstFixedMaxCutSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int fixedVal);
    FirstFixedMaxCutSolution(const MaxCutInstance& mi, MaxCutHeuristic* heuristic, int fixedVal, int ignored2);
    FirstFixedMaxCutSolution(const MaxCutInstance& mi, const std::vector<double>& p, MaxCutHeuristic* heuristic,
                             int fixedVal);
    FirstFixedMaxCutSolution(const FirstFixedMaxCutSolution& x);
    FirstFixedMaxCutSolution& operator=(const FirstFixedMaxCutSolution& rhs);
    using MaxCutSolution::UpdateCutValues;
    void UpdateCutValues(int update_index, std::vector<int>* x, std::vector<double>* diff_weights,
                         double* objective) const override;
    void PopulateFromAssignments() override;

    int fixedVal_;
};

class Burer2002Solution : public MaxCutSolution {
  public:
    Burer2002Solution(const MaxCutInstance& mi, double w1norm, std::vector<double>* theta, MaxCutHeuristic* heuristic);
    static Burer2002Solution Rank2Cut(const MaxCutInstance& mi, double w1norm, std::vector<double>* theta,
                                      MaxCutHeuristic* heuristic) {
        return Burer2002Solution(mi, w1norm, theta, heuristic);
    }
    void All1Swap(double tolerance);
    void All2Swap(double tolerance);

  private:
    double LoadNewTheta(const std::vector<double>& theta, std::vector<double>* cos_theta,
                        std::vector<double>* sin_theta, std::vector<double>* dH);
};

class Burer2002 : public MaxCutHeuristic {
  public:
    Burer2002(const MaxCutInstance& mi, double runtime_limit, bool validation, MaxCutCallback* mc);
};

class QUBOPartialSolution {
  public:
    QUBOPartialSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic);
    const QUBOInstance& get_qi() const { return qi_; }
    QUBOHeuristic* get_heuristic() const { return heuristic_; }
    int get_num_frac() const { return num_frac_; }
    double get_weight() const { return weight_; }
    const std::vector<double>& get_assignments() const { return assignments_; }
    const std::vector<double>& get_diff0() const { return diff0_; }
    const std::vector<double>& get_diff1() const { return diff1_; }

  protected:
    void PopulateFromAssignments();
    void UpdateCutValues(int update_index, int new_value);

    const QUBOInstance& qi_;
    QUBOHeuristic* heuristic_;
    int N_;
    std::vector<double> assignments_, diff0_, diff1_;
    int num_frac_;
    double weight_;
};

class QUBOSolution : public ExtendedSolution {
  public:
    QUBOSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic);
    QUBOSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic, int ignored);
    QUBOSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic, int ignored1, int ignored2);
    QUBOSolution(const QUBOInstance& qi, const std::vector<double>& p, QUBOHeuristic* heuristic);
    QUBOSolution(const std::vector<int>& assignments, const QUBOInstance& qi, QUBOHeuristic* heuristic);
    explicit QUBOSolution(const QUBOPartialSolution& x);
    QUBOSolution(const QUBOSolution& x);
    QUBOSolution& operator=(const QUBOSolution& rhs);
    static QUBOSolution RandomSolution(const QUBOInstance& qi, QUBOHeuristic* heuristic) {
        return QUBOSolution(qi, heuristic, 0);
    }
    void UpdateCutValues(int index) override { UpdateCutValues(index, &assignments_, &diff_weights_, &weight_); }
    void UpdateCutValues(int update_index, std::vector<int>* x, std::vector<double>* diff_weights,
                         double* objective) const;
    void AllBest2Swap();
    void AllFirst2Swap();
    void PopulateFromAssignments();

    const QUBOInstance& qi_;
    QUBOHeuristic* heuristic_;
};

class Palubeckis2004bSolution : public QUBOSolution {
  public:
    Palubeckis2004bSolution(const QUBOSolution& x);
    Palubeckis2004bSolution(const QUBOInstance& qi, int mu, QUBOHeuristic* heuristic);
    Palubeckis2004bSolution(const std::vector<Palubeckis2004bSolution>& B, double pPrime);
    Palubeckis2004bSolution(const QUBOInstance& perturbed, const Palubeckis2004bSolution& x);
    Palubeckis2004bSolution(const Palubeckis2004bSolution& x, int ignored);
    static Palubeckis2004bSolution GetStartPoint(const QUBOInstance& qi, int mu, QUBOHeuristic* heuristic) {
        return Palubeckis2004bSolution(qi, mu, heuristic);
    }
    static Palubeckis2004bSolution RandomFromElite(const std::vector<Palubeckis2004bSolution>& B, double pPrime) {
        return Palubeckis2004bSolution(B, pPrime);
    }
    static Palubeckis2004bSolution Perturb(const Palubeckis2004bSolution& x) { return Palubeckis2004bSolution(x, 0); }
    void STS(double* best_objective, int zmax, Palubeckis2004bSolution* best = nullptr, bool reportBest = true) {
        STSMod(best_objective, zmax, nullptr, -1, 0.0, best, reportBest);
    }
    void STSMod(double* best_objective, int zmax, std::vector<Palubeckis2004bSolution>* B, int mStar, double Delta,
                Palubeckis2004bSolution* best = nullptr, bool reportBest = true);
    void LocalSearch(int* z);
    void SelectVariables(int n_prime, std::vector<int>* I_star) const;
    void SteepestAscent(std::vector<int> I_star);
};

class Palubeckis2004bInstance : public QUBOInstance {
  public:
    Palubeckis2004bInstance(const QUBOInstance& qi, const Palubeckis2004bSolution& x);
};

#define HYSTERON_QUBO_HEURISTIC(Name)                                                                     \
    class Name : public QUBOHeuristic {                                                                   \
      public:                                                                                             \
        Name(const QUBOInstance& qi, double runtime_limit, bool validation, QUBOCallback* qc);            \
    }
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bMST1);
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bMST2);
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bMST3);
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bMST4);
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bMST5);
HYSTERON_QUBO_HEURISTIC(Palubeckis2004bSTS);
HYSTERON_QUBO_HEURISTIC(Lu2010);
#undef HYSTERON_QUBO_HEURISTIC

class Lu2010QUBOSolution : public QUBOSolution {
  public:
    Lu2010QUBOSolution(const QUBOSolution& x);
    Lu2010QUBOSolution(const QUBOInstance& qi, const Lu2010QUBOSolution& xi, const Lu2010QUBOSolution& xj,
                       QUBOHeuristic* heuristic);
    static Lu2010QUBOSolution Combine(const QUBOInstance& qi, const Lu2010QUBOSolution& xi,
                                      const Lu2010QUBOSolution& xj, QUBOHeuristic* heuristic) {
        return Lu2010QUBOSolution(qi, xi, xj, heuristic);
    }
    void TabuSearch();
};

class Lu2010PartialSolution : public QUBOPartialSolution {
  public:
    Lu2010PartialSolution(const QUBOInstance& qi, const Lu2010QUBOSolution& xi, const Lu2010QUBOSolution& xj,
                          QUBOHeuristic* heuristic);
    static Lu2010PartialSolution DGPR(const QUBOInstance& qi, const Lu2010QUBOSolution& xi,
                                      const Lu2010QUBOSolution& xj, QUBOHeuristic* heuristic) {
        return Lu2010PartialSolution(qi, xi, xj, heuristic);
    }
};

class Lu2010Population {
  public:
    Lu2010Population(int p, const QUBOInstance& qi, QUBOHeuristic* heuristic);
    std::pair<const Lu2010QUBOSolution&, const Lu2010QUBOSolution&> RandomParents() const;
    void UpdatePool(const Lu2010QUBOSolution& x0);
    // The pairwise distances above the diagonal are all zero.
    bool isConstant() const {
        for (int i = 0; i < p_; ++i)
            for (int j = i + 1; j < p_; ++j)
                if (HD_[i * p_ + j] != 0) return false;
        return true;
    }

  private:
    int p_;
    std::vector<int> HD_;
    std::vector<double> NHD_, min_NHD_, VI_;
    std::vector<Lu2010QUBOSolution> P_;
    double avg_HD_ = 0;
};
