// How C++ values become JavaScript values. Every area adds overloads of to_js for its structs.
#pragma once

#include <emscripten/val.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/units/result.hpp"
#include "core/units/term.hpp"

namespace meyasu {

inline emscripten::val to_js(double value) {
  return emscripten::val(value);
}
inline emscripten::val to_js(int value) {
  return emscripten::val(value);
}
inline emscripten::val to_js(bool value) {
  return emscripten::val(value);
}
inline emscripten::val to_js(std::int64_t value) {
  return emscripten::val(static_cast<double>(value));
}
inline emscripten::val to_js(std::string_view text) {
  return emscripten::val(std::string(text));
}
inline emscripten::val to_js(const std::string& text) {
  return emscripten::val(text);
}
emscripten::val to_js(Evidence evidence);
emscripten::val to_js(const Formula& formula);
emscripten::val to_js(const FormulaInput& input);
emscripten::val to_js(const Term& term);
emscripten::val to_js(const Error& error);

/// A copy that JavaScript owns: views into the module's memory die when it grows.
emscripten::val copied(const std::vector<double>& numbers);

/// An object with these properties, in this order.
emscripten::val object(std::initializer_list<std::pair<const char*, emscripten::val>> properties);

/// What JavaScript gets as the answer to a question: {ok: true, value} or {ok: false, error}.
emscripten::val succeeded(const emscripten::val& value);
emscripten::val failed(const Error& error);

template <class T>
emscripten::val to_js(const std::optional<T>& value) {
  return value ? to_js(*value) : emscripten::val::null();
}

/// An array of the elements of any range.
template <class Range>
emscripten::val array(const Range& range) {
  emscripten::val result = emscripten::val::array();
  int index = 0;
  for (const auto& element : range) result.set(index++, to_js(element));
  return result;
}

template <class T>
emscripten::val to_js(const Result<T>& result) {
  return result.ok() ? succeeded(to_js(result.value())) : failed(result.error());
}

}  // namespace meyasu
