#include "core/offload/simplex.hpp"

#include <catch_amalgamated.hpp>

using namespace meyasu;
using Catch::Matchers::WithinAbs;

TEST_CASE("a linear program is solved at its corner", "[offload]") {
  // Maximise 3x + 5y under x <= 4, 2y <= 12, 3x + 2y <= 18 (Hillier & Lieberman's example): (2, 6).
  const LinearProgram program = {{-3, -5}, {{{1, 0}, 4}, {{0, 2}, 12}, {{3, 2}, 18}}};
  const LpSolution solution = solve(program);
  REQUIRE(solution.status == LpStatus::optimal);
  CHECK_THAT(solution.value, WithinAbs(-36, 1e-9));
  CHECK_THAT(solution.x[0], WithinAbs(2, 1e-9));
  CHECK_THAT(solution.x[1], WithinAbs(6, 1e-9));
}

TEST_CASE("rows with negative bounds need the first phase", "[offload]") {
  // Minimise x + 2y with x + y >= 3 and y >= 1: (2, 1).
  const LinearProgram program = {{1, 2}, {{{-1, -1}, -3}, {{0, -1}, -1}}};
  const LpSolution solution = solve(program);
  REQUIRE(solution.status == LpStatus::optimal);
  CHECK_THAT(solution.value, WithinAbs(4, 1e-9));
}

TEST_CASE("contradicting rows are infeasible, open ones unbounded", "[offload]") {
  CHECK(solve({{1}, {{{1}, 1}, {{-1}, -2}}}).status == LpStatus::infeasible);
  CHECK(solve({{-1}, {{{-1}, 0}}}).status == LpStatus::unbounded);
}

TEST_CASE("a degenerate program that cycles under Dantzig's rule ends", "[offload]") {
  // Beale's example; the optimum is -1/20.
  const LinearProgram program = {
      {-0.75, 150, -0.02, 6},
      {{{0.25, -60, -0.04, 9}, 0}, {{0.5, -90, -0.02, 3}, 0}, {{0, 0, 1, 0}, 1}}};
  const LpSolution solution = solve(program);
  REQUIRE(solution.status == LpStatus::optimal);
  CHECK_THAT(solution.value, WithinAbs(-0.05, 1e-9));
}
