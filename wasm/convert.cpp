#include "wasm/convert.hpp"

namespace meyasu {

using emscripten::val;

val copied(const std::vector<double>& numbers) {
  const val view(emscripten::typed_memory_view(numbers.size(), numbers.data()));
  return val::global("Float64Array").new_(view);
}

val object(std::initializer_list<std::pair<const char*, val>> properties) {
  val result = val::object();
  for (const auto& [name, value] : properties) result.set(name, value);
  return result;
}

val succeeded(const val& value) {
  return object({{"ok", to_js(true)}, {"value", value}});
}

val failed(const Error& error) {
  return object({{"ok", to_js(false)}, {"error", to_js(error)}});
}

val to_js(Evidence evidence) {
  switch (evidence) {
    case Evidence::exact:
      return val("exact");
    case Evidence::derived:
      return val("derived");
    case Evidence::measured:
      return val("measured");
    case Evidence::assumed:
      return val("assumed");
  }
  return val::null();
}

val to_js(const FormulaInput& input) {
  return object(
      {{"name", to_js(input.name)}, {"value", to_js(input.value)}, {"unit", to_js(input.unit)}});
}

val to_js(const Formula& formula) {
  return object({{"expression", to_js(formula.expression)}, {"inputs", array(formula.inputs)}});
}

val to_js(const Term& term) {
  return object({{"id", to_js(term.id)},
                 {"device", to_js(term.device)},
                 {"bytes", to_js(term.bytes)},
                 {"low", to_js(term.low)},
                 {"high", to_js(term.high)},
                 {"formula", to_js(term.formula)},
                 {"evidence", to_js(term.evidence)},
                 {"source", to_js(term.source)}});
}

val to_js(const Error& error) {
  return object({{"code", to_js(error.code)},
                 {"field", to_js(error.field)},
                 {"detail", to_js(error.detail)}});
}

}  // namespace meyasu
