#include "core/model/layer_cost.hpp"

#include <algorithm>
#include <cstddef>

namespace meyasu {
namespace {

void widen(LeastMost& range, Bytes bytes) {
  range.least = std::min(range.least, bytes);
  range.most = std::max(range.most, bytes);
}

}  // namespace

LayerClass layer_class(const Layer& layer) {
  if (layer.is_mtp) return LayerClass::mtp;
  if (layer.kind == LayerKind::feed_forward_only) return LayerClass::none;
  if (layer.kind != LayerKind::attention) return LayerClass::recurrent;
  if (layer.attention.shares_kv) return LayerClass::shared;
  if (layer.attention.mla) return LayerClass::mla;
  // DeepSeek V4's first blocks.
  if (layer.attention.compressed && layer.attention.compressed->ratio == 0) {
    return LayerClass::sliding;
  }
  switch (layer.attention.span) {
    case AttentionSpan::sliding:
      return LayerClass::sliding;
    case AttentionSpan::chunked:
      return LayerClass::chunked;
    case AttentionSpan::full:
      break;
  }
  return LayerClass::full;
}

std::string_view layer_class_name(LayerClass kind) {
  switch (kind) {
    case LayerClass::full:
      return "full";
    case LayerClass::sliding:
      return "sliding";
    case LayerClass::chunked:
      return "chunked";
    case LayerClass::mla:
      return "mla";
    case LayerClass::shared:
      return "shared";
    case LayerClass::recurrent:
      return "recurrent";
    case LayerClass::none:
      return "none";
    case LayerClass::mtp:
      return "mtp";
  }
  return "";
}

std::vector<LayerClassCost> cost_by_class(const Model& model, std::span<const LayerCost> blocks) {
  std::vector<LayerClassCost> classes;
  for (const LayerCost& block : blocks) {
    const LayerClass kind = layer_class(model.layers[static_cast<std::size_t>(block.layer)]);
    auto found = std::find_if(classes.begin(), classes.end(),
                              [&](const LayerClassCost& known) { return known.kind == kind; });
    if (found == classes.end()) {
      classes.push_back({kind, 1, {block.weights, block.weights}, {block.kept(), block.kept()}});
      continue;
    }
    ++found->n_layer;
    widen(found->weights, block.weights);
    widen(found->kept, block.kept());
  }
  return classes;
}

}  // namespace meyasu
