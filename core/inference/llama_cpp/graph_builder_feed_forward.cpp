// Feed-forward blocks: dense, mixture of experts, shared experts.
#include <algorithm>

#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {

TensorId GraphBuilder::activate(TensorId x) {
  switch (traits_.activation) {
    case Activation::swiglu_halves:
      return g_.labelled(g_.glu_halves(x), GraphLabel::ffn_act);
    case Activation::halves_if_wide:
      return g_.labelled(g_[x].ne[0] > layer().feed_forward.n_ff ? g_.glu_halves(x) : g_.unary(x),
                         GraphLabel::ffn_act);
    case Activation::relu_sqr:
      return g_.sqr(g_.unary(x));
    case Activation::silu:
    case Activation::gelu:
    case Activation::relu:
      return g_.labelled(g_.unary(x), GraphLabel::ffn_act);
  }
  return x;
}

/// DeepSeek V4 limits both before they meet.
void GraphBuilder::clamp_gated(TensorId& gate, TensorId& up) {
  if (traits_.form != BlockForm::deepseek4) return;
  up = g_.labelled(g_.clamp(up), g_[up].label);
  gate = g_.labelled(g_.clamp(gate), g_[gate].label);
}

TensorId GraphBuilder::dense(TensorId x, WeightName gate, WeightName up, WeightName down) {
  TensorId upward = g_.labelled(linear(up, x), GraphLabel::ffn_up);
  TensorId hidden = kNoTensor;
  if (has(gate)) {
    TensorId gated = g_.labelled(linear(gate, x), GraphLabel::ffn_gate);
    clamp_gated(gated, upward);
    hidden = g_.labelled(g_.glu(gated, upward), GraphLabel::ffn_act);
  } else {
    hidden = activate(upward);
    if (has(WeightName::ffn_act)) hidden = g_.div(hidden, weight(WeightName::ffn_act));
  }
  if (has(WeightName::ffn_sub_norm)) hidden = norm(hidden, WeightName::ffn_sub_norm);
  return g_.labelled(linear(down, hidden), GraphLabel::ffn_down);
}

TensorId GraphBuilder::limit_to_groups(TensorId selection) {
  // Scores of a group: its best two experts. Experts outside the best groups are masked out.
  const std::int64_t n_group = model_.hparams.n_group;
  const std::int64_t n_expert = g_[selection].ne[0];
  const std::int64_t u = g_[selection].ne[1];
  const std::int64_t in_group = n_expert / n_group;
  const TensorId groups = g_.reshape(selection, {in_group, n_group, u, 1});
  const TensorId best = g_.top_k(groups, 2);
  TensorId scores = g_.get_rows(g_.reshape(groups, {1, in_group, n_group, u}), best);
  scores = g_.sum_rows(g_.reshape(scores, {2, n_group, u, 1}));
  scores = g_.reshape(scores, {n_group, u, 1, 1});
  const TensorId chosen = g_.top_k(scores, model_.hparams.n_group_used);
  const TensorId kept = g_.get_rows(groups, chosen);
  const TensorId masked = g_.set_rows(g_.fill(groups), kept, chosen);
  return g_.reshape(masked, {n_expert, u, 1, 1});
}

TensorId GraphBuilder::route(TensorId x, TensorId& ids, ExpertSet set) {
  const FeedForward& ff = layer().feed_forward;
  const std::int64_t n_expert = ff.n_expert;
  const std::int64_t n_used = used_experts(set);
  const std::int64_t u = g_[x].ne[1];
  ExpertGating gating = traits_.gating;
  if (traits_.gating_from_header && model_.hparams.expert_gating_func > 0) {
    // LLAMA_EXPERT_GATING_FUNC_TYPE_*
    gating = model_.hparams.expert_gating_func == 1   ? ExpertGating::soft_max
             : model_.hparams.expert_gating_func == 2 ? ExpertGating::sigmoid
             : model_.hparams.expert_gating_func == 4 ? ExpertGating::sqrt_softplus
                                                      : ExpertGating::soft_max_of_chosen;
  }
  const bool normalise =
      traits_.expert_norm_from_header ? model_.hparams.expert_weights_norm : traits_.expert_norm;
  const bool given = router_logits_ != kNoTensor;
  const TensorId logits = given ? router_logits_ : linear(WeightName::ffn_gate_inp, x);
  g_.labelled(logits, GraphLabel::moe_router);
  TensorId probabilities = logits;
  if (gating == ExpertGating::soft_max) {
    probabilities = g_.soft_max(logits, kNoTensor, kNoTensor);
  } else if (gating == ExpertGating::sigmoid) {
    probabilities = g_.unary(logits);
  } else if (gating == ExpertGating::sqrt_softplus) {
    probabilities = g_.like(GraphOp::sqrt, {g_.unary(logits)});
  }
  g_.labelled(probabilities, GraphLabel::moe_router);
  TensorId selection = probabilities;
  // HY V3 writes the bias without a suffix.
  const WeightRefs& bias = refs(WeightName::exp_probs_b);
  if (bias.bias >= 0 || bias.weight >= 0) {
    selection = g_.add(probabilities, tensor_of(std::max(bias.bias, bias.weight)));
  }
  if (traits_.routing == Routing::weight_before_ffn) selection = logits;
  if (traits_.routing == Routing::chunked) selection = g_.unary(logits);
  if (model_.hparams.n_group > 1) selection = limit_to_groups(selection);
  // DeepSeek V4's first blocks: experts by token.
  ids = has(WeightName::ffn_gate_tid2eid)
            ? g_.get_rows(weight(WeightName::ffn_gate_tid2eid), tokens_)
            : g_.top_k(selection, n_used);
  if (set == ExpertSet::chunks) {
    // The chunk of an expert: its number divided by the experts per chunk.
    ids = g_.cast(g_.scale(g_.cast(ids, GgmlType::F32)), GgmlType::I32);
  }
  TensorId weights = g_.get_rows(g_.reshape(probabilities, {1, n_expert, u, 1}), ids);
  const Shape flat = {n_used, u, 1, 1};
  const Shape columns = {1, n_used, u, 1};
  if (gating == ExpertGating::soft_max_of_chosen) {
    weights = g_.soft_max(g_.reshape(weights, flat), kNoTensor, kNoTensor);
    weights = g_.reshape(weights, columns);
  }
  if (normalise) {
    weights = g_.reshape(weights, flat);
    const TensorId sum = g_.clamp(g_.sum_rows(weights));
    weights = g_.reshape(g_.div(weights, sum), columns);
  }
  const double factor = model_.hparams.expert_weights_scale;
  if (factor != 0 && factor != 1) weights = g_.scale(weights);
  g_.labelled(weights, GraphLabel::moe_weights);
  g_.expand(weights);
  return weights;
}

std::int64_t GraphBuilder::used_experts(ExpertSet set) {
  const std::int64_t n_used = layer().feed_forward.n_expert_used;
  if (set == ExpertSet::routed) return n_used;
  return std::min(n_used, g_[weight(WeightName::ffn_up_chexps)].ne[2]);
}

TensorId GraphBuilder::experts(TensorId x, ExpertSet set) {
  const std::int64_t n_used = used_experts(set);
  const bool chunks = set == ExpertSet::chunks;
  const WeightName up_name = chunks ? WeightName::ffn_up_chexps : WeightName::ffn_up_exps;
  const WeightName gate_name = chunks ? WeightName::ffn_gate_chexps : WeightName::ffn_gate_exps;
  const WeightName down_name = chunks ? WeightName::ffn_down_chexps : WeightName::ffn_down_exps;
  const std::int64_t u = g_[x].ne[1];
  const std::int64_t width = g_[x].ne[0];
  TensorId ids = kNoTensor;
  const TensorId weights = route(x, ids, set);
  TensorId rows = g_.reshape(x, {width, 1, u, 1});
  const bool early = traits_.routing == Routing::weight_before_ffn;
  if (early) rows = g_.mul(g_.repeat(rows, {width, n_used, u, 1}), weights);

  TensorId hidden = kNoTensor;
  if (has(WeightName::ffn_gate_up_exps)) {
    const TensorId both =
        g_.labelled(linear_id(WeightName::ffn_gate_up_exps, rows, ids), GraphLabel::moe_up);
    const GraphTensor fused = g_[both];
    const std::int64_t half = fused.ne[0] / 2;
    const TensorId gate =
        g_.view_3d(both, half, fused.ne[1], fused.ne[2], fused.nb[1], fused.nb[2]);
    const TensorId up = g_.view_3d(both, half, fused.ne[1], fused.ne[2], fused.nb[1], fused.nb[2]);
    hidden = g_.glu(gate, up);
  } else {
    TensorId up = g_.labelled(linear_id(up_name, rows, ids), GraphLabel::moe_up);
    if (has(gate_name)) {
      TensorId gate = g_.labelled(linear_id(gate_name, rows, ids), GraphLabel::moe_gate);
      clamp_gated(gate, up);
      hidden = g_.glu(gate, up);
    } else {
      hidden = activate(up);
    }
  }
  g_.labelled(hidden, GraphLabel::moe_act);
  TensorId out = g_.labelled(linear_id(down_name, hidden, ids), GraphLabel::moe_down);
  if (!early) out = g_.mul(out, weights);
  g_.labelled(out, GraphLabel::moe_down);  // [E, n_used, U]
  g_.expand(out);

  const std::int64_t nb2 = g_[out].nb[2];
  const TensorId first = g_.view_2d(out, width, u, nb2);
  g_.expand(first);
  const TensorId after_first = first + 1;
  for (std::int64_t i = 1; i < n_used; ++i) g_.expand(g_.view_2d(out, width, u, nb2));
  TensorId sum = first;
  for (std::int64_t i = 1; i < n_used; ++i) {
    sum = g_.labelled(g_.add(sum, after_first + static_cast<TensorId>(i - 1)), GraphLabel::moe_out);
    g_.expand(sum);
  }
  return n_used == 1 ? g_.cont(sum) : sum;
}

TensorId GraphBuilder::feed_forward(TensorId x) {
  if (!has(WeightName::ffn_gate_inp)) {
    return dense(x, WeightName::ffn_gate, WeightName::ffn_up, WeightName::ffn_down);
  }
  if (traits_.routing == Routing::chunked) {
    router_logits_ = linear(WeightName::ffn_gate_inp, x);
    const TensorId first = experts(x);
    return g_.add(first, g_.scale(experts(first, ExpertSet::chunks)));
  }
  TensorId routed = kNoTensor;
  if (has(WeightName::ffn_latent_down)) {
    // Nemotron 3 Super: experts work in a narrower space than the router.
    router_logits_ = linear(WeightName::ffn_gate_inp, x);
    routed = experts(g_.mul_mat(weight(WeightName::ffn_latent_down), x));
    routed = g_.mul_mat(weight(WeightName::ffn_latent_up), routed);
  } else {
    routed = experts(x);
  }
  if (has(WeightName::ffn_up)) {  // Grok 2: a dense part on the same input
    const TensorId wide = dense(x, WeightName::ffn_gate, WeightName::ffn_up, WeightName::ffn_down);
    return g_.scale(g_.add(wide, routed));
  }
  if (!has(WeightName::ffn_up_shexp)) return routed;
  TensorId shared =
      dense(x, WeightName::ffn_gate_shexp, WeightName::ffn_up_shexp, WeightName::ffn_down_shexp);
  if (has(WeightName::ffn_gate_inp_shexp)) {
    const TensorId gate = linear(WeightName::ffn_gate_inp_shexp, x);
    TensorId share = g_.unary(gate);
    if (traits_.gate_by_division) share = g_.div(share, gate);
    shared = g_.mul(shared, share);
  }
  const TensorId both = g_.labelled(g_.add(routed, shared), GraphLabel::ffn_out);
  return traits_.halves_experts ? g_.scale(both) : both;
}

}  // namespace meyasu
