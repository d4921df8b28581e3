// The simplex solver against GLPK: random programs, and the degenerate kinds that a placement makes
// (ties, rows without room). Objectives are compared: an optimum may have several corners.
#include <glpk.h>

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <cmath>
#include <memory>
#include <random>

#include "core/offload/simplex.hpp"

using namespace meyasu;
using Catch::Matchers::WithinAbs;

namespace {

LpSolution solve_with_glpk(const LinearProgram& program) {
  const std::unique_ptr<glp_prob, decltype(&glp_delete_prob)> problem(glp_create_prob(),
                                                                      glp_delete_prob);
  const auto n = static_cast<int>(program.objective.size());
  const auto m = static_cast<int>(program.rows.size());
  glp_set_obj_dir(problem.get(), GLP_MIN);
  glp_add_cols(problem.get(), n);
  glp_add_rows(problem.get(), m);
  for (int j = 0; j < n; ++j) {
    glp_set_col_bnds(problem.get(), j + 1, GLP_LO, 0, 0);
    glp_set_obj_coef(problem.get(), j + 1, program.objective[static_cast<std::size_t>(j)]);
  }
  std::vector<int> columns(static_cast<std::size_t>(n) + 1);
  std::vector<double> entries(static_cast<std::size_t>(n) + 1);
  for (int j = 1; j <= n; ++j) columns[static_cast<std::size_t>(j)] = j;
  for (int i = 0; i < m; ++i) {
    const LinearProgram::Row& row = program.rows[static_cast<std::size_t>(i)];
    std::copy(row.coefficients.begin(), row.coefficients.end(), entries.begin() + 1);
    glp_set_row_bnds(problem.get(), i + 1, GLP_UP, 0, row.bound);
    glp_set_mat_row(problem.get(), i + 1, n, columns.data(), entries.data());
  }
  glp_smcp control;
  glp_init_smcp(&control);
  control.msg_lev = GLP_MSG_OFF;
  REQUIRE(glp_simplex(problem.get(), &control) == 0);
  LpSolution solution;
  switch (glp_get_status(problem.get())) {
    case GLP_OPT:
      solution.status = LpStatus::optimal;
      break;
    case GLP_UNBND:
      solution.status = LpStatus::unbounded;
      break;
    default:
      solution.status = LpStatus::infeasible;
  }
  solution.value = glp_get_obj_val(problem.get());
  return solution;
}

struct Counts {
  int optimal = 0;
  int infeasible = 0;
  int unbounded = 0;
};

void compare(const LinearProgram& program, Counts& counts) {
  const LpSolution ours = solve(program);
  const LpSolution theirs = solve_with_glpk(program);
  REQUIRE(ours.status == theirs.status);
  counts.optimal += ours.status == LpStatus::optimal ? 1 : 0;
  counts.infeasible += ours.status == LpStatus::infeasible ? 1 : 0;
  counts.unbounded += ours.status == LpStatus::unbounded ? 1 : 0;
  if (ours.status != LpStatus::optimal) return;
  CHECK_THAT(ours.value, WithinAbs(theirs.value, 1e-7 * (1 + std::abs(theirs.value))));
  for (const double x : ours.x) CHECK(x >= -1e-9);
  for (const LinearProgram::Row& row : program.rows) {
    double left = 0;
    for (std::size_t j = 0; j < ours.x.size(); ++j) left += row.coefficients[j] * ours.x[j];
    CHECK(left <= row.bound + 1e-7 * (1 + std::abs(row.bound)));
  }
}

}  // namespace

TEST_CASE("random programs end as GLPK's do", "[offload]") {
  std::mt19937 random(1);  // the same programs every time
  std::uniform_real_distribution<double> entry(-1, 1);
  Counts counts;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t n = 2 + random() % 8;
    LinearProgram program;
    for (std::size_t j = 0; j < n; ++j) program.objective.push_back(entry(random));
    for (std::size_t i = 0, m = 2 + random() % 18; i < m; ++i) {
      LinearProgram::Row row;
      for (std::size_t j = 0; j < n; ++j) row.coefficients.push_back(entry(random));
      row.bound = entry(random) + 0.3;
      program.rows.push_back(row);
    }
    compare(program, counts);
  }
  CHECK(counts.optimal > 100);
  CHECK(counts.infeasible > 100);
  CHECK(counts.unbounded > 100);
  glp_free_env();
}

TEST_CASE("degenerate programs end as GLPK's do", "[offload]") {
  std::mt19937 random(2);
  Counts counts;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t n = 2 + random() % 8;
    LinearProgram program;
    // Small whole numbers and bounds of zero: many ties, several corners with one objective.
    const auto small = [&] { return static_cast<double>(random() % 5) - 2; };
    for (std::size_t j = 0; j < n; ++j) program.objective.push_back(small());
    for (std::size_t i = 0, m = 2 + random() % 18; i < m; ++i) {
      LinearProgram::Row row;
      for (std::size_t j = 0; j < n; ++j) row.coefficients.push_back(small());
      row.bound = static_cast<double>(random() % 3);
      program.rows.push_back(row);
    }
    compare(program, counts);
  }
  CHECK(counts.optimal > 100);
  CHECK(counts.unbounded > 100);
  glp_free_env();
}
