// Conversions that several files about models share.
#pragma once

#include <emscripten/val.h>

#include "core/model/breakdown.hpp"
#include "core/model/derive_tensors.hpp"

namespace meyasu {

emscripten::val to_js(const GroupWeight& weight);
emscripten::val to_js(const ModelParameters& count);

}  // namespace meyasu
