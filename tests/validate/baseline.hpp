// The recorded accuracy of every group, so that a change that makes one worse is noticed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/validate/output.hpp"

namespace validate {

/// {"groups":[{"table","set","component","n","median_abs_pct","p95_abs_pct","max_abs_pct"}]}
[[nodiscard]] std::string as_baseline(const std::vector<TableResult>& results);

struct CheckResult {
  int passed = 0;
  std::vector<std::string> failures;
};
/// A group fails if it has fewer comparisons than recorded, or a larger median, p95 or maximum.
/// Recorded groups of tables that were not run now are left out.
[[nodiscard]] CheckResult check_against(std::string_view baseline,
                                        const std::vector<TableResult>& results);

}  // namespace validate
