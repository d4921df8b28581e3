#include "core/readers/json.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/readers/duplicates.hpp"

// The parser's own assertions guard against misuse by its caller, not against bad text; in the page
// an assertion would end the module.
#define RAPIDJSON_ASSERT(condition) static_cast<void>(0)
#define RAPIDJSON_HAS_STDSTRING 0
// Its stack compares "null + n" with "null" before the first allocation. That is harmless but
// undefined, and UBSan would stop here instead of at a fault of ours.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#endif
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#if defined(__clang__)
#pragma clang attribute pop
#endif

namespace meyasu {

JsonValue JsonValue::of_bool(bool value) {
  JsonValue result;
  result.kind_ = Kind::boolean;
  result.boolean_ = value;
  return result;
}

JsonValue JsonValue::of_integer(std::int64_t value) {
  JsonValue result;
  result.kind_ = Kind::number;
  result.integer_ = value;
  result.number_ = static_cast<double>(value);
  result.exact_integer_ = true;
  return result;
}

JsonValue JsonValue::of_double(double value) {
  JsonValue result;
  result.kind_ = Kind::number;
  result.number_ = value;
  return result;
}

JsonValue JsonValue::of_string(std::string value) {
  JsonValue result;
  result.kind_ = Kind::string;
  result.text_ = std::move(value);
  return result;
}

JsonValue JsonValue::empty_array() {
  JsonValue result;
  result.kind_ = Kind::array;
  return result;
}

JsonValue JsonValue::empty_object() {
  JsonValue result;
  result.kind_ = Kind::object;
  return result;
}

std::optional<bool> JsonValue::as_bool() const {
  if (kind_ != Kind::boolean) return std::nullopt;
  return boolean_;
}

std::optional<double> JsonValue::as_double() const {
  if (kind_ != Kind::number) return std::nullopt;
  return number_;
}

std::optional<std::int64_t> JsonValue::as_integer() const {
  if (kind_ != Kind::number) return std::nullopt;
  if (exact_integer_) return integer_;
  constexpr double kExactUpTo = 9007199254740992.0;  // 2^53
  if (!(std::abs(number_) <= kExactUpTo) || std::trunc(number_) != number_) return std::nullopt;
  return static_cast<std::int64_t>(number_);
}

const JsonValue* JsonValue::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i] == key) return &items_[i];
  }
  return nullptr;
}

void JsonValue::append(JsonValue item) {
  items_.push_back(std::move(item));
}

void JsonValue::append(std::string key, JsonValue item) {
  keys_.push_back(std::move(key));
  items_.push_back(std::move(item));
}

namespace {

bool has_duplicates(const std::vector<std::string>& keys) {
  return find_duplicate(keys.size(), [&](std::size_t i) -> const std::string& { return keys[i]; })
      .has_value();
}

/// Receives the parser's events. A handler that returns false stops the parser at that place.
class TreeBuilder {
 public:
  explicit TreeBuilder(const JsonLimits& limits) : limits_(limits) {}

  // NOLINTBEGIN(readability-identifier-naming): the parser calls these names.
  bool Null() { return place(JsonValue{}); }
  bool Bool(bool value) { return place(JsonValue::of_bool(value)); }
  bool Int(int value) { return place(JsonValue::of_integer(value)); }
  bool Uint(unsigned value) { return place(JsonValue::of_integer(value)); }
  bool Int64(std::int64_t value) { return place(JsonValue::of_integer(value)); }
  bool Uint64(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) {
      return place(JsonValue::of_double(static_cast<double>(value)));
    }
    return place(JsonValue::of_integer(static_cast<std::int64_t>(value)));
  }
  bool Double(double value) { return place(JsonValue::of_double(value)); }
  // Only called with kParseNumbersAsStringsFlag, which is not used.
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return count_bytes(length) && place(JsonValue::of_string(std::string(text, length)));
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (!count_bytes(length)) return false;
    open_.back().pending_key.assign(text, length);
    return true;
  }
  bool StartObject() { return open(JsonValue::empty_object()); }
  bool StartArray() { return open(JsonValue::empty_array()); }
  bool EndObject(rapidjson::SizeType) {
    return !has_duplicates(open_.back().value.keys()) && close();
  }
  bool EndArray(rapidjson::SizeType) { return close(); }
  // NOLINTEND(readability-identifier-naming)

  JsonValue root;

 private:
  struct Open {
    JsonValue value;
    std::string pending_key;
  };

  bool count_bytes(std::int64_t length) {
    string_bytes_ += length;
    return string_bytes_ <= limits_.string_bytes;
  }
  bool open(JsonValue value) {
    if (open_.size() >= static_cast<std::size_t>(limits_.depth)) return false;
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return place(std::move(value));
  }
  bool place(JsonValue value) {
    if (++values_ > limits_.values) return false;
    if (open_.empty()) {
      root = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.is_array()) {
      parent.value.append(std::move(value));
    } else {
      parent.value.append(std::move(parent.pending_key), std::move(value));
    }
    return true;
  }

  const JsonLimits& limits_;
  std::vector<Open> open_;
  std::int64_t values_ = 0;
  std::int64_t string_bytes_ = 0;
};

}  // namespace

Result<JsonValue> parse_json(std::string_view text, std::string_view field,
                             const JsonLimits& limits) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNanAndInfFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  TreeBuilder builder(limits);
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
  // A NUL byte looks like the end of the text to the parser: what follows it must not be ignored.
  if (!parsed.IsError() && stream.Tell() == text.size()) return std::move(builder.root);
  const std::size_t offset = parsed.IsError() ? parsed.Offset() : stream.Tell();
  const std::size_t end = std::min(offset, text.size());
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  return Error{"json_bad", std::string(field), std::to_string(line)};
}

}  // namespace meyasu
