#include "tests/validate/baseline.hpp"

#include <cstdio>
#include <map>

#include "core/readers/json.hpp"

namespace validate {
namespace {

// Separates the parts of a group's key; in no file name or component.
constexpr char kSeparator = '\x1f';

std::string group_key(const Comparison& comparison) {
  return comparison.set + kSeparator + comparison.component;
}

std::map<std::string, Statistics> groups_of(const std::vector<TableResult>& results) {
  std::map<std::string, Statistics> groups;
  for (const TableResult& result : results) {
    for (const auto& [key, statistics] : statistics_by(result.evaluation.comparisons, group_key)) {
      groups[result.file + kSeparator + key] = statistics;
    }
  }
  return groups;
}

std::string readable(std::string key) {
  for (char& at : key) {
    if (at == kSeparator) at = '/';
  }
  return key;
}

}  // namespace

std::string as_baseline(const std::vector<TableResult>& results) {
  std::string text = "{\"groups\":[";
  bool first = true;
  for (const auto& [key, statistics] : groups_of(results)) {
    const std::size_t first_cut = key.find(kSeparator);
    const std::size_t second_cut = key.find(kSeparator, first_cut + 1);
    char line[512];
    std::snprintf(line, sizeof line,
                  "%s\n{\"table\":\"%s\",\"set\":\"%s\",\"component\":\"%s\",\"n\":%zu,"
                  "\"median_abs_pct\":%.6g,\"p95_abs_pct\":%.6g,\"max_abs_pct\":%.6g}",
                  first ? "" : ",", key.substr(0, first_cut).c_str(),
                  key.substr(first_cut + 1, second_cut - first_cut - 1).c_str(),
                  key.substr(second_cut + 1).c_str(), statistics.n, statistics.median_abs_pct,
                  statistics.p95_abs_pct, statistics.max_abs_pct);
    text += line;
    first = false;
  }
  return text + "\n]}\n";
}

CheckResult check_against(std::string_view baseline, const std::vector<TableResult>& results) {
  CheckResult check;
  const auto parsed = meyasu::parse_json(baseline, "baseline");
  const auto* listed = parsed.ok() ? parsed.value().find("groups") : nullptr;
  if (listed == nullptr) {
    check.failures.emplace_back("the record is not JSON with a list \"groups\"");
    return check;
  }
  const auto groups = groups_of(results);
  for (const meyasu::JsonValue& entry : listed->items()) {
    const auto text = [&](const char* name) {
      const auto* value = entry.find(name);
      return value == nullptr ? std::string() : value->text();
    };
    const auto number = [&](const char* name) {
      const auto* value = entry.find(name);
      return value == nullptr ? 0.0 : value->as_double().value_or(0.0);
    };
    bool table_was_run = false;
    for (const TableResult& result : results) table_was_run |= result.file == text("table");
    if (!table_was_run) continue;
    const std::string key =
        text("table") + kSeparator + text("set") + kSeparator + text("component");
    const auto found = groups.find(key);
    const Statistics now = found == groups.end() ? Statistics{} : found->second;
    // Recorded figures carry six digits.
    constexpr double kSlack = 1e-4;
    const auto worse = [&](double value, const char* name) {
      return value > number(name) * (1 + kSlack) + 1e-9;
    };
    if (static_cast<double>(now.n) < number("n") || worse(now.median_abs_pct, "median_abs_pct") ||
        worse(now.p95_abs_pct, "p95_abs_pct") || worse(now.max_abs_pct, "max_abs_pct")) {
      char line[256];
      std::snprintf(line, sizeof line,
                    ": n %zu (recorded %g), median %.4g (%.4g), p95 %.4g (%.4g), max %.4g (%.4g)",
                    now.n, number("n"), now.median_abs_pct, number("median_abs_pct"),
                    now.p95_abs_pct, number("p95_abs_pct"), now.max_abs_pct, number("max_abs_pct"));
      check.failures.push_back(readable(key) + line);
    } else {
      ++check.passed;
    }
  }
  return check;
}

}  // namespace validate
