// A model, wherever it came from: what it is, its layers and its tensors.
#include <emscripten/bind.h>

#include <cstdint>

#include "core/model/breakdown.hpp"
#include "core/model/model.hpp"
#include "core/units/ruler_ticks.hpp"
#include "wasm/convert.hpp"
#include "wasm/convert_model.hpp"

namespace meyasu {

using emscripten::val;

static const char* provenance_name(Provenance provenance) {
  switch (provenance) {
    case Provenance::header:
      return "header";
    case Provenance::architecture:
      return "architecture";
    case Provenance::count:
      return "count";
  }
  return "";
}

static const char* layer_kind_name(LayerKind kind) {
  switch (kind) {
    case LayerKind::attention:
      return "attention";
    case LayerKind::mamba1:
      return "mamba1";
    case LayerKind::mamba2:
      return "mamba2";
    case LayerKind::gated_delta_net:
      return "gated_delta_net";
    case LayerKind::short_conv:
      return "short_conv";
    case LayerKind::rwkv:
      return "rwkv";
    case LayerKind::linear_attention:
      return "linear_attention";
    case LayerKind::feed_forward_only:
      return "feed_forward_only";
  }
  return "";
}

static const char* span_name(AttentionSpan span) {
  switch (span) {
    case AttentionSpan::full:
      return "full";
    case AttentionSpan::sliding:
      return "sliding";
    case AttentionSpan::chunked:
      return "chunked";
  }
  return "";
}

static const char* role_name(TensorRole role) {
  switch (role) {
    case TensorRole::embedding:
      return "embedding";
    case TensorRole::position:
      return "position";
    case TensorRole::output_head:
      return "output_head";
    case TensorRole::norm:
      return "norm";
    case TensorRole::attention:
      return "attention";
    case TensorRole::recurrent:
      return "recurrent";
    case TensorRole::feed_forward:
      return "feed_forward";
    case TensorRole::shared_expert:
      return "shared_expert";
    case TensorRole::routed_expert:
      return "routed_expert";
    case TensorRole::router:
      return "router";
    case TensorRole::mtp:
      return "mtp";
    case TensorRole::vision:
      return "vision";
    case TensorRole::other:
      return "other";
  }
  return "";
}

static const char* group_name(WeightGroup group) {
  switch (group) {
    case WeightGroup::embedding:
      return "embedding";
    case WeightGroup::attention:
      return "attention";
    case WeightGroup::recurrent:
      return "recurrent";
    case WeightGroup::feed_forward:
      return "feed_forward";
    case WeightGroup::experts:
      return "experts";
    case WeightGroup::output_head:
      return "output_head";
    case WeightGroup::other:
      return "other";
  }
  return "";
}

val to_js(const GroupWeight& weight) {
  return object({{"group", val(group_name(weight.group))},
                 {"n_params", to_js(weight.n_params)},
                 {"bytes", to_js(weight.bytes)},
                 {"share", to_js(weight.share)}});
}

static val to_js(const BlockWeight& weight) {
  return object({{"layer", to_js(weight.layer)},
                 {"bytes", to_js(weight.bytes)},
                 {"of_largest", to_js(weight.of_largest)},
                 {"groups", array(weight.groups)}});
}

val to_js(const ModelParameters& count) {
  return object({{"total", to_js(count.total)},
                 {"language", to_js(count.language)},
                 {"active", to_js(count.active)},
                 {"embedding", to_js(count.embedding)}});
}

static val to_js(const RulerTick& tick) {
  return object({{"bytes", to_js(tick.bytes)}, {"position", to_js(tick.position)}});
}

static val to_js(const Layer& layer) {
  return object({{"kind", val(layer_kind_name(layer.kind))},
                 {"span", val(span_name(layer.attention.span))},
                 {"n_head", to_js(layer.attention.n_head)},
                 {"n_head_kv", to_js(layer.attention.n_head_kv)},
                 {"head_dim_k", to_js(layer.attention.head_dim_k)},
                 {"head_dim_v", to_js(layer.attention.head_dim_v)},
                 {"mla", to_js(layer.attention.mla.has_value())},
                 {"shares_kv", to_js(layer.attention.shares_kv)},
                 {"n_ff", to_js(layer.feed_forward.n_ff)},
                 {"n_expert", to_js(layer.feed_forward.n_expert)},
                 {"n_expert_used", to_js(layer.feed_forward.n_expert_used)},
                 {"n_ff_exp", to_js(layer.feed_forward.n_ff_exp)},
                 {"n_ff_shexp", to_js(layer.feed_forward.n_ff_shexp)},
                 {"is_mtp", to_js(layer.is_mtp)}});
}

static val to_js(const Tensor& tensor) {
  val shape = val::array();
  for (int i = 0; i < tensor.n_dims; ++i) {
    shape.set(i, to_js(tensor.ne[static_cast<std::size_t>(i)]));
  }
  return object({{"name", to_js(tensor.name)},
                 {"ne", shape},
                 {"type", to_js(ggml_type_name(tensor.type))},
                 {"role", val(role_name(tensor.role))},
                 {"layer", to_js(tensor.layer)},
                 {"bytes", to_js(tensor.bytes())}});
}

static val summary(const Model& model) {
  return object({{"name", to_js(model.name)},
                 {"architecture", to_js(model.architecture)},
                 {"provenance", val(provenance_name(model.provenance))},
                 {"n_tensors", to_js(static_cast<std::int64_t>(model.tensors.size()))},
                 {"n_params", to_js(model.n_params())},
                 {"parameters", to_js(count_parameters(model))},
                 {"tower_params", to_js(model.tower_params)},
                 {"weight_bytes", to_js(model.weight_bytes())},
                 {"n_layer", to_js(static_cast<std::int64_t>(model.layers.size()))},
                 {"n_vocab", to_js(model.n_vocab)},
                 {"n_embd", to_js(model.n_embd)},
                 {"n_ctx_train", to_js(model.n_ctx_train)},
                 {"sliding_window", to_js(model.sliding_window)},
                 {"tied_embeddings", to_js(model.tied_embeddings)},
                 {"is_encoder", to_js(model.is_encoder)},
                 {"unknowns", array(model.unknowns)}});
}

static val layers(const Model& model) {
  return array(model.layers);
}

static val tensors(const Model& model) {
  return array(model.tensors);
}

static val groups(const Model& model) {
  return array(weight_by_group(model));
}

static val blocks(const Model& model) {
  return array(weight_by_block(model));
}

static val ruler_ticks_js(double whole) {
  return array(ruler_ticks(static_cast<Bytes>(whole)));
}

EMSCRIPTEN_BINDINGS(model) {
  emscripten::function("ruler_ticks", &ruler_ticks_js);
  emscripten::class_<Model>("Model")
      .function("summary", &summary)
      .function("groups", &groups)
      .function("blocks", &blocks)
      .function("layers", &layers)
      .function("tensors", &tensors);
}

}  // namespace meyasu
