// Errors are values: a code (the page holds the sentence), the field that caused it, and a detail.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace meyasu {

/// `code` is a message id such as "not_number"; `field` names the input ("parameters", "gguf");
/// `detail` is filled into the sentence ("{x}", a byte position, a list of files).
struct Error {
  std::string code;
  std::string field;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

/// Either a value or an Error. std::expected is not available in the oldest supported compiler.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const T& value() const { return *std::get_if<0>(&state_); }
  [[nodiscard]] T& value() { return *std::get_if<0>(&state_); }
  [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace meyasu
