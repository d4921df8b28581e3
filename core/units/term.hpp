// A Term is one line of an answer: how many bytes, where, by which formula, on what evidence.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/units/bytes.hpp"

namespace meyasu {

/// How a number is known. `exact`: read or computed without a choice; `derived`: follows from an
/// architecture; `measured`: observed on real machines; `assumed`: a stated convention.
enum class Evidence { exact, derived, measured, assumed };

/// One substituted input of a formula, e.g. {"n_head_kv", 8, ""} or {"P", 7, "10^9"}.
struct FormulaInput {
  std::string name;
  double value = 0;
  std::string unit;
};

[[nodiscard]] inline FormulaInput count_input(std::string name, std::int64_t value,
                                              std::string unit = "") {
  return {std::move(name), static_cast<double>(value), std::move(unit)};
}

/// A formula in field terms ("P x b x 10^9 / 1024^3") with the numbers that went into it.
struct Formula {
  std::string expression;
  std::vector<FormulaInput> inputs;
};

/// `id` is a message id ("kv_cache"); `device` is "gpu0", "host", "disk"...
/// `low` and `high` equal `bytes` unless the truth is a range.
struct Term {
  std::string id;
  std::string device;
  Bytes bytes = 0;
  Bytes low = 0;
  Bytes high = 0;
  Formula formula;
  Evidence evidence = Evidence::exact;
  std::string source;  // paper, section, or file of the runtime
};

/// A Term whose truth is one number.
[[nodiscard]] inline Term exact_term(std::string id, std::string device, Bytes bytes,
                                     Formula formula, Evidence evidence, std::string source) {
  return {std::move(id), std::move(device),  bytes,    bytes,
          bytes,         std::move(formula), evidence, std::move(source)};
}

}  // namespace meyasu
