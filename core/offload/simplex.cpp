#include "core/offload/simplex.hpp"

#include <cmath>

namespace meyasu {
namespace {

constexpr double kTolerance = 1e-9;

/// Rows in the form x_basic = bound - sum(coefficient * x_nonbasic). Column n is the bound, column
/// n-1 the artificial variable of the first phase.
class Tableau {
 public:
  explicit Tableau(const LinearProgram& program)
      : n_(program.objective.size() + 1), m_(program.rows.size()), width_(n_ + 1) {
    cells_.assign((m_ + 1) * width_, 0);
    for (std::size_t i = 0; i < m_; ++i) {
      for (std::size_t j = 0; j + 1 < n_; ++j) at(i, j) = program.rows[i].coefficients[j];
      at(i, artificial()) = -1;
      at(i, n_) = program.rows[i].bound;
      basic_.push_back(n_ + i);
    }
    for (std::size_t j = 0; j < n_; ++j) nonbasic_.push_back(j);
  }

  [[nodiscard]] std::size_t artificial() const { return n_ - 1; }

  /// False when the rows contradict each other.
  bool find_feasible() {
    std::size_t worst = m_;
    for (std::size_t i = 0; i < m_; ++i) {
      if (at(i, n_) < -kTolerance && (worst == m_ || at(i, n_) < at(worst, n_))) worst = i;
    }
    if (worst == m_) return true;
    at(m_, artificial()) = 1;  // minimise the artificial variable
    pivot(worst, artificial());
    run(false);
    if (value_of(artificial()) > kTolerance) return false;
    leave_basis(artificial());
    return true;
  }

  void set_objective(const std::vector<double>& objective) {
    for (std::size_t j = 0; j <= n_; ++j) at(m_, j) = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      if (nonbasic_[j] < objective.size()) at(m_, j) = objective[nonbasic_[j]];
    }
    for (std::size_t i = 0; i < m_; ++i) {
      if (basic_[i] >= objective.size()) continue;
      const double cost = objective[basic_[i]];
      for (std::size_t j = 0; j <= n_; ++j) at(m_, j) -= cost * at(i, j);
    }
  }

  /// False when the objective falls without end. The artificial variable stays out.
  bool run(bool artificial_is_closed) {
    // Dantzig's choice is quick; after this many steps Bland's, which cannot cycle.
    const std::size_t patience = 20 * (n_ + m_);
    for (std::size_t step = 0;; ++step) {
      std::size_t enter = n_;
      for (std::size_t j = 0; j < n_; ++j) {
        if (artificial_is_closed && nonbasic_[j] == artificial()) continue;
        if (at(m_, j) >= -kTolerance) continue;
        const bool better = enter == n_ || (step < patience ? at(m_, j) < at(m_, enter)
                                                            : nonbasic_[j] < nonbasic_[enter]);
        if (better) enter = j;
      }
      if (enter == n_) return true;
      std::size_t leave = m_;
      double least = 0;
      for (std::size_t i = 0; i < m_; ++i) {
        if (at(i, enter) <= kTolerance) continue;
        const double ratio = at(i, n_) / at(i, enter);
        const bool better = leave == m_ || ratio < least - kTolerance ||
                            (ratio < least + kTolerance && basic_[i] < basic_[leave]);
        if (better) {
          leave = i;
          least = ratio;
        }
      }
      if (leave == m_) return false;
      pivot(leave, enter);
    }
  }

  [[nodiscard]] double value_of(std::size_t variable) const {
    for (std::size_t i = 0; i < m_; ++i) {
      if (basic_[i] == variable) return at(i, n_);
    }
    return 0;
  }

 private:
  double& at(std::size_t row, std::size_t column) { return cells_[row * width_ + column]; }
  [[nodiscard]] double at(std::size_t row, std::size_t column) const {
    return cells_[row * width_ + column];
  }

  void pivot(std::size_t row, std::size_t column) {
    const double inverse = 1 / at(row, column);
    for (std::size_t j = 0; j <= n_; ++j) {
      if (j != column) at(row, j) *= inverse;
    }
    at(row, column) = inverse;
    for (std::size_t i = 0; i <= m_; ++i) {
      if (i == row) continue;
      const double factor = at(i, column);
      if (factor == 0) continue;
      for (std::size_t j = 0; j <= n_; ++j) {
        if (j != column) at(i, j) -= factor * at(row, j);
      }
      at(i, column) = -factor * inverse;
    }
    std::swap(basic_[row], nonbasic_[column]);
  }

  /// A variable that is basic at zero is exchanged for any other.
  void leave_basis(std::size_t variable) {
    for (std::size_t i = 0; i < m_; ++i) {
      if (basic_[i] != variable) continue;
      for (std::size_t j = 0; j < n_; ++j) {
        if (std::fabs(at(i, j)) > kTolerance) return pivot(i, j);
      }
    }
  }

  std::size_t n_;
  std::size_t m_;
  std::size_t width_;
  std::vector<double> cells_;
  std::vector<std::size_t> basic_;
  std::vector<std::size_t> nonbasic_;
};

}  // namespace

LpSolution solve(const LinearProgram& program) {
  LpSolution solution;
  Tableau tableau(program);
  if (!tableau.find_feasible()) return solution;
  tableau.set_objective(program.objective);
  if (!tableau.run(true)) {
    solution.status = LpStatus::unbounded;
    return solution;
  }
  solution.status = LpStatus::optimal;
  for (std::size_t j = 0; j < program.objective.size(); ++j) {
    solution.x.push_back(tableau.value_of(j));
    solution.value += program.objective[j] * solution.x.back();
  }
  return solution;
}

}  // namespace meyasu
