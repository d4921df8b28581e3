// RWKV blocks: time mixing with a state per head, then channel mixing or, in models converted from
// Qwen, its feed-forward. Each mixing sees its input beside that of the token before, which the
// state carries from batch to batch.
#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {
namespace {

// Parts of the input that RWKV-6 mixes apart: decay, key, value, receptance, gate.
constexpr std::int64_t kMixes = 5;

}  // namespace

/// x [E, tokens, seqs] -> what stood one token earlier; `first` [E, 1, seqs] is from the state.
TensorId GraphBuilder::shifted(TensorId x, TensorId first) {
  const GraphTensor rows = g_[x];
  const TensorId all_but_last =
      g_.view_3d(x, n_embd_, rows.ne[1] - 1, rows.ne[2], rows.nb[1], rows.nb[2]);
  return g_.concat(first, all_but_last, 1);
}

TensorId GraphBuilder::rwkv_block(TensorId x) {
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t shifts = layer().recurrent.token_shift;
  const Shape flat = {n_embd_, request_.n_tokens, 1, 1};
  const auto row_of = [&](TensorId rows) {
    const GraphTensor from = g_[rows];
    return g_.view_3d(rows, n_embd_, 1, seqs, from.nb[1], from.nb[2]);
  };

  x = g_.reshape(x, {n_embd_, tokens, seqs, 1});
  const TensorId cache = state_cache(shifts * n_embd_);
  const TensorId state =
      g_.reshape(load_state(cache, shifts * n_embd_), {n_embd_, shifts, seqs, 1});
  const auto store = [&](TensorId rows) {
    g_.expand(g_.cpy(g_.view_1d(rows, n_embd_ * seqs * shifts),
                     g_.view_1d(cache, n_embd_ * seqs * shifts)));
  };

  const TensorId normed = norm(x, WeightName::attn_norm);
  TensorId previous = shifted(normed, shifts == 1 ? state : row_of(state));
  TensorId out =
      traits_.form == BlockForm::rwkv6 ? time_mix6(normed, previous) : time_mix7(normed, previous);
  if (has(WeightName::ffn_norm)) {  // Qwen's feed-forward
    store(row_of(normed));
    TensorId middle = g_.labelled(g_.add(out, x), GraphLabel::ffn_inp);
    middle = g_.reshape(middle, flat);
    prune({&middle});
    return g_.add(feed_forward(norm(middle, WeightName::ffn_norm)), middle);
  }
  TensorId middle = g_.labelled(g_.add(out, x), GraphLabel::ffn_inp);
  TensorId inner = norm(middle, WeightName::attn_norm_2);
  previous = shifted(inner, row_of(state));
  store(g_.concat(row_of(normed), row_of(inner), 1));
  middle = g_.reshape(middle, flat);
  inner = g_.reshape(inner, flat);
  previous = g_.reshape(previous, flat);
  prune({&middle, &inner, &previous});
  out = g_.add(channel_mix(inner, previous), middle);
  const std::int64_t period = model_.hparams.rescale_period;
  return period > 0 && (il_ + 1) % period == 0 ? g_.scale(out) : out;
}

TensorId GraphBuilder::channel_mix(TensorId x, TensorId previous) {
  const TensorId difference = g_.sub(previous, x);
  const auto mixed = [&](WeightName lerp) { return g_.add(g_.mul(difference, weight(lerp)), x); };
  TensorId k = linear(WeightName::channel_mix_key, mixed(WeightName::channel_mix_lerp_k), false);
  k = g_.labelled(g_.sqr(g_.unary(k)), GraphLabel::ffn_act);
  if (traits_.form == BlockForm::rwkv7) return linear(WeightName::channel_mix_value, k, false);
  const TensorId r = g_.unary(
      linear(WeightName::channel_mix_receptance, mixed(WeightName::channel_mix_lerp_r), false));
  return g_.mul(r, linear(WeightName::channel_mix_value, k, false));
}

/// The recurrence; the last of `sources` is the state. Stores the new states into `cache` and
/// returns the outputs, [E * U].
TensorId GraphBuilder::wkv(std::initializer_list<TensorId> sources, TensorId cache) {
  const std::int64_t state = n_embd_ * layer().recurrent.head_dim * request_.n_seq;
  const std::int64_t rows = request_.n_tokens + layer().recurrent.head_dim * request_.n_seq;
  const TensorId result = g_.op(GraphOp::rwkv_wkv, GgmlType::F32, {n_embd_, rows, 1, 1}, sources);
  g_.labelled(result, GraphLabel::ssm_scan);
  const TensorId out = g_.view_1d(result, n_embd_ * request_.n_tokens);
  g_.expand(g_.cpy(g_.view_1d(result, state), g_.view_1d(cache, state)));
  return out;
}

/// Layer norm of each head (a group norm), where the model has it. [E * U] -> [E, U]
TensorId GraphBuilder::norm_heads(TensorId x) {
  const std::int64_t head = layer().recurrent.head_dim;
  const Shape flat = {n_embd_, request_.n_tokens, 1, 1};
  const WeightRefs& ln = refs(WeightName::time_mix_ln);
  if (ln.weight < 0 || ln.bias < 0) return g_.reshape(x, flat);
  x = g_.norm(g_.reshape(x, {head, n_embd_ / head, request_.n_tokens, 1}));
  x = g_.reshape(x, flat);
  return g_.add(g_.mul(x, tensor_of(ln.weight)), tensor_of(ln.bias));
}

TensorId GraphBuilder::time_mix6(TensorId x, TensorId previous) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t head = layer().recurrent.head_dim;
  const std::int64_t n_head = n_embd_ / head;
  const Shape flat = {n_embd_, u, 1, 1};
  const Shape by_head = {head, n_head, u, 1};
  const bool from_qwen = !has(WeightName::time_mix_first);

  TensorId difference = g_.sub(previous, x);
  difference = g_.reshape(difference, flat);
  x = g_.reshape(x, flat);
  TensorId mixes = g_.add(g_.mul(difference, weight(WeightName::time_mix_lerp_x)), x);
  const TensorId w1 = weight(WeightName::time_mix_w1);
  mixes = g_.reshape(g_.unary(g_.mul_mat(w1, mixes)), {g_[w1].ne[1] / kMixes, 1, kMixes, u});
  mixes = g_.cont(g_.permute(mixes, {0, 1, 3, 2}));
  const TensorId w2 = weight(WeightName::time_mix_w2);
  mixes = g_.mul_mat(g_.reshape(w2, {g_[w2].ne[0], g_[w2].ne[1], 1, kMixes}), mixes);
  const auto part = [&] { return g_.view_2d(mixes, n_embd_, u, g_[mixes].nb[1]); };
  const bool fused = has(WeightName::time_mix_lerp_fused);
  if (fused) {
    difference = g_.reshape(difference, {n_embd_, 1, u, 1});
    x = g_.reshape(x, {n_embd_, 1, u, 1});
    mixes = g_.add(g_.mul(g_.add(mixes, weight(WeightName::time_mix_lerp_fused)), difference), x);
  }
  const auto mixed = [&](WeightName lerp) {
    if (fused) return part();
    return g_.add(g_.mul(g_.add(part(), weight(lerp)), difference), x);
  };
  const TensorId for_decay = mixed(WeightName::time_mix_lerp_w);
  TensorId k = linear(WeightName::time_mix_key, mixed(WeightName::time_mix_lerp_k));
  TensorId v = linear(WeightName::time_mix_value, mixed(WeightName::time_mix_lerp_v));
  TensorId r = linear(WeightName::time_mix_receptance, mixed(WeightName::time_mix_lerp_r));
  const TensorId gate =
      g_.unary(linear(WeightName::time_mix_gate, mixed(WeightName::time_mix_lerp_g), false));
  const std::int64_t n_head_kv = g_[k].ne[0] / head;
  if (n_head_kv != n_head) {
    const auto repeated = [&](TensorId t) {
      return g_.repeat(g_.reshape(t, {head, 1, n_head_kv, u}),
                       {head, n_head / n_head_kv, n_head_kv, u});
    };
    k = repeated(k);
    v = repeated(v);
  }
  k = g_.reshape(k, by_head);
  v = g_.reshape(v, by_head);
  r = g_.reshape(r, by_head);
  TensorId decay = g_.unary(g_.mul_mat(weight(WeightName::time_mix_decay_w1), for_decay));
  decay = g_.mul_mat(weight(WeightName::time_mix_decay_w2), decay);
  decay = g_.add(decay, weight(WeightName::time_mix_decay));
  decay = g_.unary(g_.unary(g_.unary(decay)));  // exp(-exp(.))
  decay = g_.reshape(decay, by_head);
  if (from_qwen) k = g_.sub(k, g_.mul(k, decay));

  const TensorId cache = state_cache(n_embd_ * head);
  const TensorId state = load_state(cache, n_embd_ * head);
  const TensorId first = from_qwen ? kNoTensor : weight(WeightName::time_mix_first);
  TensorId out = norm_heads(wkv({k, v, r, first, decay, state}, cache));
  out = linear(WeightName::time_mix_output, g_.mul(out, gate), false);
  return g_.reshape(out, {n_embd_, u / seqs, seqs, 1});
}

TensorId GraphBuilder::time_mix7(TensorId x, TensorId previous) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t head = layer().recurrent.head_dim;
  const std::int64_t n_head = n_embd_ / head;
  const Shape by_head = {head, n_head, u, 1};
  const bool gated = has(WeightName::time_mix_g1) && has(WeightName::time_mix_g2);
  // w0 + w2 * [f] w1 * x
  const auto low_rank = [&](WeightName w0, WeightName w1, WeightName w2, TensorId from,
                            bool activated) {
    TensorId inner = g_.mul_mat(weight(w1), from);
    if (activated) inner = g_.unary(inner);
    return g_.add(g_.mul_mat(weight(w2), inner), weight(w0));
  };

  TensorId difference = g_.sub(previous, x);
  difference = g_.repeat(difference, {n_embd_, u / seqs, seqs, gated ? 6 : 5});
  const TensorId mixes = g_.add(g_.mul(difference, weight(WeightName::time_mix_lerp_fused)), x);
  const auto part = [&] { return g_.view_2d(mixes, n_embd_, u, g_[mixes].nb[1]); };

  TensorId r = linear(WeightName::time_mix_receptance, part(), false);
  TensorId w = low_rank(WeightName::time_mix_w0, WeightName::time_mix_w1, WeightName::time_mix_w2,
                        part(), true);
  w = g_.unary(g_.scale(g_.unary(w)));  // exp(-0.6 sigmoid(.))
  TensorId k = linear(WeightName::time_mix_key, part(), false);
  const TensorId for_value = part();
  TensorId v = linear(WeightName::time_mix_value, for_value, false);
  if (il_ == 0) {
    first_value_ = v;
  } else {
    const TensorId share = g_.unary(low_rank(WeightName::time_mix_v0, WeightName::time_mix_v1,
                                             WeightName::time_mix_v2, for_value, false));
    v = g_.add(v, g_.mul(g_.sub(first_value_, v), share));
  }
  TensorId gate = kNoTensor;
  if (gated) {
    gate = g_.unary(g_.mul_mat(weight(WeightName::time_mix_g1), part()));
    gate = g_.mul_mat(weight(WeightName::time_mix_g2), gate);
  }
  TensorId a = g_.unary(low_rank(WeightName::time_mix_a0, WeightName::time_mix_a1,
                                 WeightName::time_mix_a2, part(), false));
  TensorId unit_k = g_.reshape(g_.mul(k, weight(WeightName::time_mix_k_k)), by_head);
  unit_k = g_.l2_norm(unit_k);
  const TensorId scaled_k = g_.mul(k, weight(WeightName::time_mix_k_a));
  k = g_.add(k, g_.sub(g_.mul(a, scaled_k), scaled_k));
  r = g_.reshape(r, by_head);
  w = g_.reshape(w, by_head);
  k = g_.reshape(k, by_head);
  v = g_.reshape(v, by_head);
  a = g_.reshape(a, by_head);

  const TensorId cache = state_cache(n_embd_ * head);
  const TensorId state = load_state(cache, n_embd_ * head);
  TensorId out = norm_heads(wkv({r, w, k, v, g_.unary(unit_k), g_.mul(unit_k, a), state}, cache));
  const TensorId bonus = g_.reshape(weight(WeightName::time_mix_r_k), {head, n_head, 1, 1});
  const TensorId rk = g_.sum_rows(g_.mul(g_.mul(k, r), bonus));
  out = g_.add(out, g_.reshape(g_.mul(v, rk), {n_embd_, u, 1, 1}));
  if (gated) out = g_.mul(out, gate);
  out = linear(WeightName::time_mix_output, out, false);
  return g_.reshape(out, {n_embd_, u / seqs, seqs, 1});
}

}  // namespace meyasu
