#include "core/offload/shape.hpp"

namespace meyasu {
namespace {

void add_layer(const Layer& layer, OffloadShape& shape) {
  const FeedForward& ff = layer.feed_forward;
  shape.n_ff += static_cast<double>(ff.n_expert > 0 ? ff.n_expert_used * ff.n_ff_exp + ff.n_ff_shexp
                                                    : ff.n_ff);
  if (layer.kind != LayerKind::attention) return;
  const Attention& a = layer.attention;
  const auto heads = static_cast<double>(a.n_head);
  shape.n_head += heads;
  shape.attention_width += heads * static_cast<double>(a.head_dim_k + a.head_dim_v) / 2;
  if (a.shares_kv) return;
  // Latent attention keeps one compressed row for K and V.
  if (a.compressed) {
    const std::int64_t ratio = a.compressed->ratio;
    if (ratio > 0) {
      shape.kv_elements +=
          static_cast<double>(a.head_dim_k + a.indexer_head_dim) / static_cast<double>(ratio);
    }
    return;
  }
  shape.kv_elements += a.mla ? static_cast<double>(a.mla->kv_lora_rank + a.mla->qk_rope_head_dim)
                             : static_cast<double>(a.n_head_kv * (a.head_dim_k + a.head_dim_v));
}

void add_matrix(const Model& model, const Tensor& tensor, OffloadShape& shape) {
  const auto elements = static_cast<double>(tensor.elements());
  double active = elements;
  if (tensor.role == TensorRole::routed_expert) {
    const FeedForward& ff = model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward;
    // A file may hold experts that its keys do not count: all are used then.
    if (ff.n_expert > 0) {
      active *= static_cast<double>(ff.n_expert_used) / static_cast<double>(ff.n_expert);
    }
  }
  shape.matrix_elements += elements;
  shape.active_matrix_elements += active;
  if (tensor.layer != 0) return;
  const bool mixes = tensor.role == TensorRole::attention || tensor.role == TensorRole::recurrent;
  (mixes ? shape.attention_matrices : shape.feed_forward_matrices).push_back(elements);
}

}  // namespace

Result<OffloadShape> offload_shape(const Model& model) {
  OffloadShape shape;
  shape.n_layer = static_cast<int>(model.n_layer());
  if (shape.n_layer == 0 || model.tensors.empty()) return Error{"shape_unknown", "model", {}};
  shape.n_embd = static_cast<double>(model.n_embd);
  shape.tied_embeddings = model.tied_embeddings;
  bool final_norm = false;
  for (const Layer& layer : model.layers) {
    if (!layer.is_mtp) add_layer(layer, shape);
  }
  for (const Tensor& tensor : model.tensors) {
    const bool in_block = tensor.layer >= 0 && tensor.layer < shape.n_layer;
    const auto elements = static_cast<double>(tensor.elements());
    if (in_block && tensor.n_dims >= 2) add_matrix(model, tensor, shape);
    if (tensor.layer >= 0) continue;
    shape.outer_elements += elements;
    if (tensor.role == TensorRole::embedding) {
      shape.embedding_elements += elements;
      if (tensor.ne[0] != model.n_embd && tensor.name.starts_with("token_embd.")) {
        shape.projected_embeddings = true;
      }
    }
    if (tensor.role == TensorRole::norm) final_norm = true;
    if (tensor.role == TensorRole::position) shape.position_elements += elements;
  }
  // Only OPT's smallest model but one lacks it (`do_layer_norm_before` false).
  shape.post_norm = model.architecture == "opt" && !final_norm;
  const double n = shape.n_layer;
  for (double* sum : {&shape.n_ff, &shape.n_head, &shape.attention_width, &shape.kv_elements,
                      &shape.matrix_elements, &shape.active_matrix_elements}) {
    *sum /= n;
  }
  return shape;
}

}  // namespace meyasu
