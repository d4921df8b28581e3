// Reading the fields of a JavaScript object.
#pragma once

#include <emscripten/val.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/quantization/ggml_type.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// The name of an enum's value, as `Options::read` takes it.
template <class Value, std::size_t n>
emscripten::val name_in(const std::array<std::pair<std::string_view, Value>, n>& names,
                        Value value) {
  for (const auto& [name, known] : names) {
    if (known == value) return emscripten::val(std::string(name));
  }
  return emscripten::val::null();
}

/// Reads the fields of a JavaScript object; remembers the first that cannot be read. A field that
/// is absent or null leaves the default.
class Options {
 public:
  explicit Options(const emscripten::val& object) : object_(object) {}

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  void read(const char* field, std::int64_t& target) {
    double number = 0;
    if (!read_number(field, number)) return;
    if (number != std::floor(number)) return fail("not_integer", field);
    constexpr double kExact = 9007199254740991;  // 2^53 - 1
    if (std::fabs(number) > kExact) return fail("too_large", field);
    target = static_cast<std::int64_t>(number);
  }
  void read(const char* field, int& target) {
    std::int64_t number = target;
    read(field, number);
    if (number < 0 || number > 1'000'000) return fail("too_large", field);
    target = static_cast<int>(number);
  }
  void read(const char* field, double& target) {
    double number = 0;
    if (read_number(field, number)) target = number;
  }
  void read(const char* field, bool& target) {
    const emscripten::val value = object_[field];
    if (is_given(value)) target = value.as<bool>();
  }
  void read(const char* field, GgmlType& target) {
    const auto name = text(field);
    if (!name) return;
    const auto type = ggml_type_from_name(*name);
    if (!type) return fail("unknown_choice", field);
    target = *type;
  }
  template <class Value, std::size_t n>
  void read(const char* field, const std::array<std::pair<std::string_view, Value>, n>& names,
            Value& target) {
    const auto name = text(field);
    if (!name) return;
    for (const auto& [known, value] : names) {
      if (known == *name) {
        target = value;
        return;
      }
    }
    fail("unknown_choice", field);
  }
  [[nodiscard]] std::optional<std::string> text(const char* field) const {
    const emscripten::val value = object_[field];
    if (!is_given(value)) return std::nullopt;
    return value.as<std::string>();
  }

  [[nodiscard]] bool given(const char* field) const { return is_given(object_[field]); }
  /// Only the first failure counts.
  void fail(const char* code, const char* field) {
    if (!error_) error_ = Error{code, field, {}};
  }

 private:
  static bool is_given(const emscripten::val& value) {
    return !value.isUndefined() && !value.isNull();
  }
  bool read_number(const char* field, double& target) {
    const emscripten::val value = object_[field];
    if (!is_given(value)) return false;
    const auto number = value.as<double>();
    if (!std::isfinite(number)) {
      fail("not_number", field);
      return false;
    }
    target = number;
    return true;
  }

  emscripten::val object_;
  std::optional<Error> error_;
};

}  // namespace meyasu
