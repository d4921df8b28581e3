// T5: scores with a learned bias by distance, and the decoder's attention to the encoder's result.
//
// Source: src/models/t5.cpp and build_pos_bias, build_attn_inp_cross in src/llama-graph.cpp of
// llama.cpp as of 2026-08.
#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {

void GraphBuilder::make_t5_inputs() {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t n_keys = model_.attends_to_batch ? u : request_.n_cells;
  buckets_ = g_.input(GgmlType::I32, {n_keys, u, 1, 1}, GraphLabel::inp_pos);
  if (traits_.form != BlockForm::t5) return;
  // No text is encoded yet at load: as many tokens as the model was trained for.
  const std::int64_t n_encoded = model_.model->n_ctx_train;
  encoded_ = g_.input(GgmlType::F32, {n_embd_, n_encoded, 1, 1}, GraphLabel::inp_embd);
  cross_.n_cells = n_encoded;
  cross_.mask = g_.input(request_.flash_attention ? GgmlType::F16 : GgmlType::F32,
                         {n_encoded, u, 1, 1}, GraphLabel::inp_kq_mask);
}

/// [keys, U, n_head], looked up anew in every block.
TensorId GraphBuilder::position_bias() {
  std::int32_t table = refs(WeightName::attn_rel_b).weight;
  if (table < 0) {
    table = model_.blocks.front()[static_cast<std::size_t>(WeightName::attn_rel_b)].weight;
  }
  const Shape shape = g_[buckets_].ne;
  const TensorId flat = g_.reshape(buckets_, {shape[0] * shape[1], 1, 1, 1});
  const TensorId rows = g_.get_rows(tensor_of(table), flat);
  const std::int64_t n_head = g_[rows].ne[0];
  const TensorId bias = g_.reshape(rows, {n_head, shape[0], shape[1], 1});
  return g_.labelled(g_.cont(g_.permute(bias, {2, 0, 1, 3})), GraphLabel::kq);
}

TensorId GraphBuilder::cross_attention(TensorId x) {
  const Attention& attention = layer().attention;
  const auto heads = [&](TensorId t, std::int64_t n_head) {
    return g_.reshape(t, {attention.head_dim_k, n_head, g_[t].ne[1], 1});
  };
  const TensorId q = heads(linear(WeightName::cross_attn_q, x), attention.n_head);
  const TensorId k = heads(linear(WeightName::cross_attn_k, encoded_), attention.n_head_kv);
  const TensorId v = heads(linear(WeightName::cross_attn_v, encoded_), attention.n_head_kv);
  for (const TensorId t : {q, k, v}) g_.expand(t);
  bias_ = kNoTensor;
  const TensorId out = scores_to_values(q, k, v, false, cross_);
  return g_.labelled(linear(WeightName::cross_attn_output, out), GraphLabel::attn_out);
}

TensorId GraphBuilder::t5_block(TensorId x) {
  const TensorId attended = self_attention(norm(x, WeightName::attn_norm));
  TensorId middle = g_.add(attended, x);
  TensorId out = cross_attention(norm(middle, WeightName::cross_attn_norm));
  prune({&out, &middle});
  middle = g_.labelled(g_.add(out, middle), GraphLabel::ffn_inp);
  return g_.add(feed_forward(norm(middle, WeightName::ffn_norm)), middle);
}

}  // namespace meyasu
