// JSON text to a small tree of values. Parsing is iterative and bounded, so that hostile text ends
// in an error value: it can neither overflow the stack nor allocate more than its own size
// justifies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units/result.hpp"

namespace meyasu {

/// One JSON value. Objects keep the order of the text; their keys are unique.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  JsonValue() = default;
  [[nodiscard]] static JsonValue of_bool(bool value);
  [[nodiscard]] static JsonValue of_integer(std::int64_t value);
  [[nodiscard]] static JsonValue of_double(double value);
  [[nodiscard]] static JsonValue of_string(std::string value);
  [[nodiscard]] static JsonValue empty_array();
  [[nodiscard]] static JsonValue empty_object();

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::null; }
  [[nodiscard]] bool is_number() const { return kind_ == Kind::number; }
  [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }
  [[nodiscard]] bool is_array() const { return kind_ == Kind::array; }
  [[nodiscard]] bool is_object() const { return kind_ == Kind::object; }
  /// True for a number written without fraction or exponent that fits 64 signed bits.
  [[nodiscard]] bool is_exact_integer() const { return exact_integer_; }

  /// Nothing unless the value is of that kind.
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<double> as_double() const;
  /// Also numbers such as 1e6 or 4096.0, if whole and at most 2^53.
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;
  /// The text of a string; empty for every other kind.
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Elements of an array or member values of an object; empty for every other kind.
  [[nodiscard]] const std::vector<JsonValue>& items() const { return items_; }
  /// Member names of an object, keys()[i] belongs to items()[i].
  [[nodiscard]] const std::vector<std::string>& keys() const { return keys_; }
  /// Member with that name, or nullptr (also when this is no object). Linear in the member count.
  [[nodiscard]] const JsonValue* find(std::string_view key) const;

  void append(JsonValue item);
  void append(std::string key, JsonValue item);

 private:
  std::vector<JsonValue> items_;
  std::vector<std::string> keys_;
  std::string text_;
  double number_ = 0;
  std::int64_t integer_ = 0;
  Kind kind_ = Kind::null;
  bool exact_integer_ = false;
  bool boolean_ = false;
};

/// What a text may cost. The defaults hold the largest published safetensors index.
struct JsonLimits {
  int depth = 64;                          // nested arrays and objects
  std::int64_t values = 2'000'000;         // values of all kinds
  std::int64_t string_bytes = 64'000'000;  // keys and strings together
};

/// Parses exactly one JSON value. `NaN`, `Infinity` and `-Infinity` are accepted, because Python
/// writes them into real config files. Errors: "json_bad", `field` as given, `detail` = the line
/// (from 1) where the text is wrong, has a duplicate key, or exceeds a limit.
[[nodiscard]] Result<JsonValue> parse_json(std::string_view text, std::string_view field = "json",
                                           const JsonLimits& limits = {});

}  // namespace meyasu
