// The per-layer view, the same of every runtime.
#pragma once

#include <emscripten/val.h>

#include "core/model/layer_cost.hpp"

namespace meyasu {

emscripten::val layers_to_js(const Model& model, const LayerCosts& costs);

}  // namespace meyasu
