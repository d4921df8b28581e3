// The points of a chart or a map: one question asked at many contexts.
#pragma once

#include <emscripten/val.h>

#include <vector>

#include "core/study/study.hpp"
#include "wasm/convert.hpp"

namespace meyasu {

/// `evaluate(options)` with "n_ctx" set to each of `contexts`, two numbers each: verdict (-1
/// refused, 0 fits, 1 tight, 2 over), bytes at the tightest place.
template <class Evaluate>
emscripten::val sweep_contexts(const emscripten::val& options, const emscripten::val& contexts,
                               Evaluate&& evaluate) {
  using emscripten::val;
  val asked = val::global("Object").call<val>("assign", val::object(), options);
  std::vector<double> numbers;
  const auto n = contexts["length"].as<int>();
  for (int i = 0; i < n; ++i) {
    asked.set("n_ctx", contexts[i]);
    const SweepPoint point = evaluate(asked);
    numbers.push_back(point.possible ? static_cast<double>(point.verdict) : -1);
    numbers.push_back(static_cast<double>(point.device));
  }
  return copied(numbers);
}

}  // namespace meyasu
