// Access to a config.json: a nested text configuration first, the outer object second.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/model/pooling.hpp"
#include "core/readers/json.hpp"

namespace meyasu {

class ConfigFields {
 public:
  ConfigFields(const JsonValue& inner, const JsonValue* outer) : inner_(inner), outer_(outer) {}

  /// The member with that name if it is there and not null.
  [[nodiscard]] const JsonValue* find(std::string_view key) const {
    for (const JsonValue* object : {&inner_, outer_}) {
      const JsonValue* value = object == nullptr ? nullptr : object->find(key);
      if (value != nullptr && !value->is_null()) return value;
    }
    return nullptr;
  }
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

  /// First of the names that holds a whole number; for a list its first element.
  [[nodiscard]] std::int64_t integer(std::initializer_list<std::string_view> keys,
                                     std::int64_t fallback = 0) const {
    for (const std::string_view key : keys) {
      const JsonValue* value = find(key);
      if (value != nullptr && !value->items().empty() && value->is_array()) {
        value = &value->items().front();
      }
      if (value == nullptr) continue;
      if (const auto number = value->as_integer()) return *number;
    }
    return fallback;
  }
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback = 0) const {
    return integer({key}, fallback);
  }
  [[nodiscard]] bool flag(std::string_view key, bool fallback) const {
    const JsonValue* value = find(key);
    return value == nullptr ? fallback : value->as_bool().value_or(fallback);
  }
  [[nodiscard]] std::string text(std::string_view key) const {
    const JsonValue* value = find(key);
    return value == nullptr ? std::string() : value->text();
  }

 private:
  const JsonValue& inner_;
  const JsonValue* outer_;
};

struct Architecture;

// Encoders: config_encoders.cpp.
void read_bert(const ConfigFields& fields, Architecture& architecture);
void read_roberta(const ConfigFields& fields, Architecture& architecture);
void read_nomic_bert(const ConfigFields& fields, Architecture& architecture);
void read_modern_bert(const ConfigFields& fields, Architecture& architecture);
void read_neo_bert(const ConfigFields& fields, Architecture& architecture);
void read_euro_bert(const ConfigFields& fields, Architecture& architecture);

/// Which one an encoder was trained for stands in a file of its own (1_Pooling/config.json); the
/// mean is the most common. With labels it is a reranker.
void set_pooling(Architecture& architecture, Pooling pooling);

/// What config.json of this family says beyond the common keys. Sizes read from a file are
/// bounded here only as far as loops and products of this step need it; derive_model checks all.
void read_family_config(const ConfigFields& fields, Architecture& architecture);

/// Names, once, a kind of block or a part of one that is not known.
void note_layer_kind(Architecture& architecture, const std::string& kind);

/// Some families state sizes only through their class's defaults. Called before the common keys.
void set_class_defaults(Architecture& architecture);

/// Largest number of blocks that any list is filled up to.
inline constexpr std::int64_t kMaxConfigBlocks = 512;
/// Largest value that enters a product in the reader itself.
inline constexpr std::int64_t kMaxConfigSize = std::int64_t{1} << 24;

/// `value` if it is within 0..kMaxConfigSize, else -1, which derive_model refuses.
[[nodiscard]] constexpr std::int64_t bounded(std::int64_t value) {
  return value < 0 || value > kMaxConfigSize ? -1 : value;
}

}  // namespace meyasu
