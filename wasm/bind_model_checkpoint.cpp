// What a safetensors checkpoint stores.
#include <emscripten/bind.h>

#include <string>

#include "core/model/breakdown.hpp"
#include "core/readers/json.hpp"
#include "core/readers/safetensors_model.hpp"
#include "wasm/convert.hpp"
#include "wasm/convert_model.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const Checkpoint& checkpoint) {
  return object({{"model", val(checkpoint.model)},
                 {"bytes", to_js(checkpoint.bytes())},
                 {"other_bytes", to_js(checkpoint.other_bytes)},
                 {"format", to_js(checkpoint.format)},
                 {"groups", array(weight_by_group(checkpoint.model, checkpoint.tensor_bytes))}});
}

static val checkpoint_from_safetensors_js(const SafetensorsHeader& header,
                                          const std::string& config) {
  if (config.empty()) return succeeded(to_js(checkpoint_from_safetensors(header)));
  const Result<JsonValue> parsed = parse_json(config, "config");
  if (!parsed) return failed(parsed.error());
  return succeeded(to_js(checkpoint_from_safetensors(header, &parsed.value())));
}

EMSCRIPTEN_BINDINGS(model_checkpoint) {
  emscripten::function("checkpoint_from_safetensors", &checkpoint_from_safetensors_js);
}

}  // namespace meyasu
