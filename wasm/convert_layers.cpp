#include "wasm/convert_layers.hpp"

#include <string>

#include "wasm/convert.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const LeastMost& range) {
  return object({{"least", to_js(range.least)}, {"most", to_js(range.most)}});
}

static val to_js(const LayerClassCost& cost) {
  return object({{"kind", to_js(layer_class_name(cost.kind))},
                 {"n_layer", to_js(cost.n_layer)},
                 {"weights", to_js(cost.weights)},
                 {"kept", to_js(cost.kept)}});
}

val layers_to_js(const Model& model, const LayerCosts& costs) {
  val blocks = val::array();
  int index = 0;
  for (const LayerCost& cost : costs.blocks) {
    const Layer& layer = model.layers[static_cast<std::size_t>(cost.layer)];
    const auto device = cost.device < 0 ? "host" : "gpu" + std::to_string(cost.device);
    blocks.set(index++, object({{"layer", to_js(cost.layer)},
                                {"kind", to_js(layer_class_name(layer_class(layer)))},
                                {"device", to_js(device)},
                                {"weights", to_js(cost.weights)},
                                {"kept", to_js(cost.kept())}}));
  }
  return object({{"blocks", blocks},
                 {"classes", array(cost_by_class(model, costs.blocks))},
                 {"outside_weights", to_js(costs.outside_weights)},
                 {"outside_cache", to_js(costs.outside_cache)}});
}

}  // namespace meyasu
