// Devices as JavaScript values, for the catalog and for the machine.
#pragma once

#include <emscripten/val.h>

#include "core/hardware/hardware.hpp"
#include "wasm/convert.hpp"

namespace meyasu {

emscripten::val to_js(const Device& device);

}  // namespace meyasu
