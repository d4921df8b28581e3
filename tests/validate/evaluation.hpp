// What an evaluator of a truth table answers, and the statistics over it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/validate/csv.hpp"
#include "tests/validate/models.hpp"

namespace validate {

/// One estimate beside one measured figure.
struct Comparison {
  std::string row_id;
  std::string component;  // group: the table's own name without the device
  std::string model;
  std::string set;  // part of the table that is accounted apart ("v0.5.0"); may be empty
  double estimate = 0;
  double measured = 0;
  double error = 0;   // |estimate - measured| / measured
  std::string terms;  // how the estimate is made up, for a reader
};

struct Unsupported {
  std::string row_id;
  std::string component;
  std::string set;
  std::string reason;
};

struct Evaluation {
  std::size_t rows = 0;
  std::size_t estimated = 0;  // rows with at least one comparison
  std::vector<Comparison> comparisons;
  std::vector<Unsupported> unsupported;
  std::vector<std::string> notes;  // figures of the table as a whole, as sentences
};

/// One kind of truth table. To support another one, add a file in tables/ that defines such an
/// object and list it in tables/tables.hpp.
struct TableEvaluator {
  std::string_view name;
  bool (*recognises)(const CsvTable& table);
  Evaluation (*evaluate)(const CsvTable& table, ModelStore& models);
};

/// |estimate - measured| / measured; measured 0: 0 if equal, else 1. Differences up to
/// `half_digit` (half of the last printed digit, 0 for exact figures) count as 0.
[[nodiscard]] double relative_error(double estimate, double measured, double half_digit = 0);
/// Half of the last printed digit of a number as written: 0.005 for "12.30", 0.5 for "7".
[[nodiscard]] double half_last_digit(std::string_view printed);

struct Statistics {
  std::size_t n = 0;
  double median_abs_pct = 0;
  double p95_abs_pct = 0;
  double max_abs_pct = 0;
  double within_1pct = 0;  // share, 0..1
};
[[nodiscard]] Statistics statistics_of(std::vector<double> errors);

/// Statistics by key, keys in alphabetical order.
using KeyOf = std::string (*)(const Comparison&);
[[nodiscard]] std::map<std::string, Statistics> statistics_by(
    const std::vector<Comparison>& comparisons, KeyOf key);
[[nodiscard]] Statistics statistics_of_all(const std::vector<Comparison>& comparisons);

}  // namespace validate
