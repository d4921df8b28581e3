// A small dense linear program, solved exactly by the two-phase simplex method (Dantzig 1951, with
// Bland's rule against cycling). Meant for tens of rows, as the placement of FlexGen needs.
#pragma once

#include <cstddef>
#include <vector>

namespace meyasu {

/// Minimise objective . x subject to rows[i].coefficients . x <= rows[i].bound and x >= 0.
struct LinearProgram {
  struct Row {
    std::vector<double> coefficients;
    double bound = 0;
  };
  std::vector<double> objective;
  std::vector<Row> rows;
};

enum class LpStatus { optimal, infeasible, unbounded };

struct LpSolution {
  LpStatus status = LpStatus::infeasible;
  std::vector<double> x;
  double value = 0;
};

/// Rows should be scaled to entries of about 1: the tolerance is absolute (1e-9).
[[nodiscard]] LpSolution solve(const LinearProgram& program);

}  // namespace meyasu
