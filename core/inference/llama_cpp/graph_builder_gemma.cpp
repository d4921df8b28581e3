// Gemma 3n and Gemma 4: blocks with inputs of their own made from a second token table, layers that
// share the cache of an earlier one, and (3n) several residual streams (AltUp).
#include <algorithm>

#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {
namespace {

// src/models/gemma3n.cpp: set in code, no key of the file says them.
constexpr std::int64_t kStreams = 4;        // residual streams
constexpr std::int64_t kSparseBlocks = 10;  // blocks that keep the largest gate values only

}  // namespace

/// [P, U, blocks]: the rows of the second table plus a projection of the embedding.
TensorId GraphBuilder::block_inputs(TensorId x) {
  const TensorId table = tensor_of(refs(WeightName::per_layer_token_embd).weight, request_.cpu);
  const std::int64_t u = request_.n_tokens;
  const std::int64_t width = g_[table].ne[0] / model_.n_layer;
  const Shape shape = {width, model_.n_layer, u, 1};
  const TensorId tokens = g_.input(GgmlType::I32, {u, 1, 1, 1}, GraphLabel::inp_tokens);
  const TensorId rows = g_.scale(g_.reshape(g_.get_rows(table, tokens), shape));
  g_.expand(rows);
  TensorId projected = g_.scale(g_.mul_mat(weight(WeightName::per_layer_model_proj), x));
  projected = norm(g_.reshape(projected, shape), WeightName::per_layer_proj_norm);
  const TensorId both = g_.scale(g_.add(projected, rows));
  return g_.cont(g_.permute(both, kSwapMiddle));
}

/// One [E, U] plane of [E, U, n].
TensorId GraphBuilder::plane(TensorId x) {
  return g_.view_2d(x, g_[x].ne[0], g_[x].ne[1], g_[x].nb[1]);
}

TensorId GraphBuilder::per_block_part(TensorId x) {
  const TensorId gate = g_.unary(linear(WeightName::inp_gate, x));
  const TensorId own = plane(block_inputs_);
  return norm(linear(WeightName::proj, g_.mul(gate, own)), WeightName::post_norm);
}

TensorId GraphBuilder::gemma_attention(TensorId x) {
  const Attention& attention = layer().attention;
  const std::int64_t u = request_.n_tokens;
  const std::int64_t head = attention.head_dim_k;
  const TensorId q_mm = linear(WeightName::attn_q, x);
  Qkv qkv;
  qkv.q = norm(g_.reshape(q_mm, {head, attention.n_head, u, 1}), WeightName::attn_q_norm);
  if (attention.shares_kv) {
    qkv.q = g_.labelled(rope(qkv.q), GraphLabel::q);
    return attend(qkv, true);
  }
  // Gemma 4's full layers have no value projection: the keys serve, before their norm.
  const TensorId k_mm = linear(WeightName::attn_k, x);
  const TensorId v_mm = has(WeightName::attn_v) ? linear(WeightName::attn_v, x) : k_mm;
  const Shape heads = {head, attention.n_head_kv, u, 1};
  qkv.k = g_.reshape(k_mm, heads);
  qkv.v = g_.rms_norm(g_.reshape(v_mm, heads));
  qkv.k = norm(qkv.k, WeightName::attn_k_norm);
  qkv.q = g_.labelled(rope(qkv.q), GraphLabel::q);
  qkv.k = g_.labelled(rope(qkv.k), GraphLabel::k);
  return attend(qkv, true);
}

TensorId GraphBuilder::gemma4_block(TensorId x) {
  TensorId residual = x;
  TensorId out = gemma_attention(norm(x, WeightName::attn_norm));
  prune({&out, &residual});
  out = norm(out, WeightName::post_attention_norm);
  const TensorId middle = g_.labelled(g_.add(out, residual), GraphLabel::ffn_inp);
  out = dense(norm(middle, WeightName::ffn_norm), WeightName::ffn_gate, WeightName::ffn_up,
              WeightName::ffn_down);
  if (has(WeightName::ffn_gate_inp)) {
    out = norm(out, WeightName::post_ffw_norm_1);
    const TensorId normed = norm(middle, WeightName::pre_ffw_norm_2);
    const WeightRefs& router = refs(WeightName::ffn_gate_inp);
    const TensorId scaled =
        g_.mul(g_.scale(g_.rms_norm(middle)), tensor_of(std::max(router.scale, 0)));
    router_logits_ = g_.mul_mat(tensor_of(router.weight), scaled);
    out = g_.add(out, norm(experts(normed), WeightName::post_ffw_norm_2));
  }
  out = norm(out, WeightName::post_ffw_norm);
  norms_.back().layer = -1;  // not pinned
  out = g_.add(out, middle);
  if (block_inputs_ != kNoTensor) out = g_.add(out, per_block_part(out));
  if (has(WeightName::layer_output_scale)) {
    out = g_.mul(out, weight(WeightName::layer_output_scale));
  }
  return out;
}

TensorId GraphBuilder::magnitude(TensorId x) {
  return g_.like(GraphOp::sqrt, {g_.sum_rows(g_.sqr(x))});
}

/// The further streams of `x`, scaled to its length.
TensorId GraphBuilder::altup_project(WeightName name, TensorId x, TensorId target) {
  const TensorId mixed = g_.mul_mat(weight(name), x);
  const TensorId own = magnitude(mixed);
  return g_.div(g_.mul(mixed, target), own);
}

TensorId GraphBuilder::altup_begin(TensorId x) {
  const TensorId target = magnitude(x);
  const TensorId copies = g_.repeat(x, {n_embd_, request_.n_tokens, kStreams - 1, 1});
  return g_.concat(x, altup_project(WeightName::altup_proj, copies, target), 2);
}

TensorId GraphBuilder::altup_end(TensorId x) {
  const TensorId target = magnitude(plane(x));
  const GraphTensor all = g_[x];
  const TensorId others = g_.view_3d(x, all.ne[0], all.ne[1], kStreams - 1, all.nb[1], all.nb[2]);
  const TensorId back = altup_project(WeightName::altup_unembd_proj, others, target);
  TensorId sum = plane(x);
  for (std::int64_t i = 1; i < kStreams; ++i) sum = g_.add(sum, plane(back));
  return g_.get_rows(g_.scale(sum), out_ids_);
}

TensorId GraphBuilder::altup_modalities(TensorId x) {
  const TensorId normed = g_.scale(norm(x, WeightName::altup_router_norm));
  return g_.unary(g_.mul_mat(weight(WeightName::altup_router), normed));
}

TensorId GraphBuilder::altup_predict(TensorId x) {
  const TensorId modalities = altup_modalities(plane(x));
  TensorId factors = linear(WeightName::altup_predict_coef, modalities);
  factors = g_.reshape(factors, {kStreams, kStreams, request_.n_tokens, 1});
  const TensorId turned = g_.cont(g_.permute(x, {1, 2, 0, 3}));
  const TensorId mixed = g_.cont(g_.permute(g_.mul_mat(turned, factors), kSwapMiddle));
  return g_.add(mixed, x);
}

TensorId GraphBuilder::altup_correct(TensorId predictions, TensorId activated) {
  const std::int64_t u = request_.n_tokens;
  const TensorId modalities = altup_modalities(activated);
  const TensorId active = plane(predictions);
  TensorId innovation = g_.like(GraphOp::sub, {activated, active});
  TensorId factors = g_.scale(linear(WeightName::altup_correct_coef, modalities));
  factors = g_.cont(g_.transpose(factors), {1, u, kStreams, 1});
  innovation = g_.repeat(innovation, {n_embd_, u, kStreams, 1});
  return g_.add(g_.mul(innovation, factors), predictions);
}

/// Zeroes the gate values below a number of standard deviations.
TensorId GraphBuilder::largest_of_rows(TensorId x) {
  const TensorId mean = g_.sum_rows(x);
  const TensorId squares = g_.sqr(g_.like(GraphOp::sub, {x, mean}));
  const TensorId deviation = g_.like(GraphOp::sqrt, {g_.scale(g_.sum_rows(squares))});
  const TensorId cut = g_.add(mean, g_.scale(deviation));
  return g_.unary(g_.like(GraphOp::sub, {x, cut}));
}

TensorId GraphBuilder::gemma3n_block(TensorId x) {
  const TensorId predictions = altup_predict(x);
  const TensorId active = plane(predictions);
  const TensorId normed = norm(active, WeightName::attn_norm);
  TensorId laurel = linear(WeightName::laurel_r, linear(WeightName::laurel_l, normed));
  laurel = g_.add(norm(laurel, WeightName::laurel_post_norm), normed);
  TensorId out = norm(gemma_attention(normed), WeightName::post_attention_norm);
  out = g_.add(out, active);
  const TensorId middle = g_.scale(g_.add(out, laurel));
  const TensorId wide = norm(middle, WeightName::ffn_norm);
  const TensorId up = linear(WeightName::ffn_up, wide);
  TensorId gate = linear(WeightName::ffn_gate, wide);
  if (il_ < kSparseBlocks) gate = largest_of_rows(gate);
  out = linear(WeightName::ffn_down, g_.mul(up, g_.unary(gate)));
  out = norm(out, WeightName::post_ffw_norm);
  norms_.back().layer = -1;  // not pinned
  out = g_.add(out, middle);

  const TensorId corrected = altup_correct(predictions, out);
  const TensorId first = g_.mul(plane(corrected), weight(WeightName::altup_correct_scale));
  const TensorId part = per_block_part(first);
  const TensorId stream = plane(corrected);
  const GraphTensor all = g_[corrected];
  const TensorId others =
      g_.view_3d(corrected, all.ne[0], all.ne[1], kStreams - 1, all.nb[1], all.nb[2]);
  return g_.concat(stream, g_.add(others, part), 2);
}

}  // namespace meyasu
