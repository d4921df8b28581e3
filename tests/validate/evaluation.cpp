#include "tests/validate/evaluation.hpp"

#include <algorithm>
#include <cmath>

namespace validate {

double relative_error(double estimate, double measured, double half_digit) {
  const double difference = std::fabs(estimate - measured);
  // The slack covers the rounding of the decimal text itself, far below any printed digit.
  if (difference <= half_digit * (1 + 1e-9)) return 0;
  if (measured == 0) return 1;
  return difference / std::fabs(measured);
}

double half_last_digit(std::string_view printed) {
  const std::size_t point = printed.find('.');
  if (point == std::string_view::npos) return 0.5;
  return 0.5 * std::pow(10.0, -static_cast<double>(printed.size() - point - 1));
}

Statistics statistics_of(std::vector<double> errors) {
  Statistics result;
  result.n = errors.size();
  if (errors.empty()) return result;
  std::sort(errors.begin(), errors.end());
  const std::size_t n = errors.size();
  result.median_abs_pct = 100 * (errors[(n - 1) / 2] + errors[n / 2]) / 2;
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(n)));
  result.p95_abs_pct = 100 * errors[rank - 1];
  result.max_abs_pct = 100 * errors.back();
  const auto within =
      std::count_if(errors.begin(), errors.end(), [](double error) { return error <= 0.01; });
  result.within_1pct = static_cast<double>(within) / static_cast<double>(n);
  return result;
}

std::map<std::string, Statistics> statistics_by(const std::vector<Comparison>& comparisons,
                                                KeyOf key) {
  std::map<std::string, std::vector<double>> errors;
  for (const Comparison& comparison : comparisons) {
    errors[key(comparison)].push_back(comparison.error);
  }
  std::map<std::string, Statistics> result;
  for (auto& [name, values] : errors) result[name] = statistics_of(std::move(values));
  return result;
}

Statistics statistics_of_all(const std::vector<Comparison>& comparisons) {
  std::vector<double> errors;
  errors.reserve(comparisons.size());
  for (const Comparison& comparison : comparisons) errors.push_back(comparison.error);
  return statistics_of(std::move(errors));
}

}  // namespace validate
