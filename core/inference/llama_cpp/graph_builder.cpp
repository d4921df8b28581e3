#include "core/inference/llama_cpp/graph_builder.hpp"

#include <algorithm>
#include <cstddef>

namespace meyasu {
namespace {

// Sliding-window masks are padded to this many rows in builds of 2025.
constexpr std::int64_t kOldMaskPadding = 64;
// Cached keys and values of quantized types are rotated in blocks of this size (a Hadamard matrix).
constexpr std::int64_t kRotation = 64;

}  // namespace

GraphBuilder::GraphBuilder(Graph& graph, const GraphModel& model, const GraphRequest& request)
    : g_(graph),
      model_(model),
      traits_(*model.traits),
      request_(request),
      n_embd_(model.model->n_embd) {
  g_.clear();
  build();
}

BackendId GraphBuilder::layer_backend(std::int64_t il) const {
  const int device = request_.placement->layer_device[static_cast<std::size_t>(il)];
  return device == kHost ? request_.cpu : static_cast<BackendId>(device);
}

const WeightRefs& GraphBuilder::refs(WeightName name) const {
  const auto slot = static_cast<std::size_t>(name);
  return il_ < 0 ? model_.globals[slot] : model_.blocks[static_cast<std::size_t>(il_)][slot];
}

TensorId GraphBuilder::tensor_of(std::int32_t index, BackendId backend) {
  const auto i = static_cast<std::size_t>(index);
  const Tensor& tensor = model_.model->tensors[i];
  std::uint8_t flags = GraphTensor::kWeight;
  if (!request_.placement->repacked[i]) flags |= GraphTensor::kPlain;
  return g_.external(tensor.type, tensor.ne, backend, flags, GraphLabel::weight);
}

TensorId GraphBuilder::tensor_of(std::int32_t index) {
  const int device = request_.placement->tensor_device[static_cast<std::size_t>(index)];
  return tensor_of(index, device < 0 ? request_.cpu : static_cast<BackendId>(device));
}

TensorId GraphBuilder::linear(WeightName name, TensorId x, bool with_bias) {
  const WeightRefs& found = refs(name);
  TensorId out = g_.mul_mat(tensor_of(found.weight), x);
  if (found.scale >= 0) out = g_.mul(out, tensor_of(found.scale));
  if (with_bias && found.bias >= 0) out = g_.add(out, tensor_of(found.bias));
  return out;
}

TensorId GraphBuilder::linear_id(WeightName name, TensorId x, TensorId ids) {
  const WeightRefs& found = refs(name);
  TensorId out = g_.mul_mat_id(tensor_of(found.weight), x, ids);
  if (found.scale >= 0) {
    TensorId factors = tensor_of(found.scale);
    const std::int64_t n_expert = g_[factors].ne[0];
    factors = g_.reshape(factors, {1, n_expert, 1, 1});
    factors = g_.repeat(factors, {1, n_expert, g_[x].ne[2], 1});
    out = g_.mul(out, g_.get_rows(factors, ids));
  }
  if (found.bias >= 0) out = g_.add_id(out, tensor_of(found.bias), ids);
  return out;
}

TensorId GraphBuilder::norm(TensorId x, WeightName name) {
  if (traits_.norm != NormKind::header) return norm(x, name, traits_.norm);
  return norm(x, name, model_.hparams.layer_norm ? NormKind::layer : NormKind::rms);
}

TensorId GraphBuilder::norm(TensorId x, WeightName name, NormKind kind) {
  const WeightRefs& found = refs(name);
  TensorId out = kind == NormKind::rms ? g_.rms_norm(x) : g_.norm(x);
  g_.labelled(out, GraphLabel::norm);
  if (found.weight >= 0 || found.bias >= 0) {
    norms_.push_back({out, static_cast<std::int16_t>(il_)});
  }
  if (found.weight >= 0) out = g_.labelled(g_.mul(out, tensor_of(found.weight)), GraphLabel::norm);
  if (found.bias >= 0) out = g_.labelled(g_.add(out, tensor_of(found.bias)), GraphLabel::norm);
  return out;
}

/// The widest rotation that divides heads of this width.
TensorId GraphBuilder::hadamard_input(std::int64_t head) {
  std::int64_t width = kRotation;
  while (head % (2 * width) == 0 && head > 0) width *= 2;
  return g_.input(GgmlType::F32, {width, width, 1, 1}, GraphLabel::inp_rotation);
}

void GraphBuilder::make_cache_inputs(Cache& cache, std::int64_t n_cells, std::size_t part) {
  const std::int64_t u = request_.n_tokens;
  const bool old = request_.release < LlamaCppRelease::v0_5_0;
  cache.n_cells = n_cells;
  cache.k_idxs = g_.input(GgmlType::I64, {u, 1, 1, 1}, GraphLabel::inp_kv_idxs);
  // Until mid-2025 V was stored by plain copies, without an index of its elements.
  const bool by_element =
      request_.v_transposed && request_.release >= LlamaCppRelease::build_2025_11;
  const std::int64_t v_rows = by_element ? u * model_.max_v_width : u;
  cache.v_idxs = g_.input(GgmlType::I64, {v_rows, 1, 1, 1}, GraphLabel::inp_kv_idxs);
  std::int64_t mask_rows = u / request_.n_stream;
  if (old) mask_rows = round_up(mask_rows, kOldMaskPadding);
  const bool half = request_.flash_attention && !old;
  cache.mask = g_.input(half ? GgmlType::F16 : GgmlType::F32,
                        {n_cells, mask_rows, 1, request_.n_stream}, GraphLabel::inp_kq_mask);
  if (old && request_.flash_attention) {
    cache.mask = g_.labelled(g_.cast(cache.mask, GgmlType::F16), GraphLabel::inp_kq_mask);
  }
  if (old) return;
  // One cache for all layers: rotated only if all have the same width.
  const auto common = [&](const std::array<std::int64_t, 2>& widths) {
    if (request_.n_cells_swa > 0) return widths[part];
    const std::int64_t other = widths[1];
    return widths[0] == 0 ? other : other == 0 || other == widths[0] ? widths[0] : 0;
  };
  const std::int64_t head_k = common(model_.head_dim_k);
  const std::int64_t head_v = common(model_.head_dim_v);
  if (is_quantized(request_.type_k) && head_k > 0 && head_k % kRotation == 0) {
    cache.k_rotation = hadamard_input(head_k);
  }
  if (is_quantized(request_.type_v) && head_v > 0 && head_v % kRotation == 0) {
    cache.v_rotation =
        g_.input(GgmlType::F32, {kRotation, kRotation, 1, 1}, GraphLabel::inp_rotation);
  }
}

void GraphBuilder::make_inputs() {
  rope_factors_.assign(static_cast<std::size_t>(request_.cpu) + 1, kNoTensor);
  const std::int64_t per_token = traits_.mrope ? 4 : 1;
  positions_ =
      g_.input(GgmlType::I32, {request_.n_tokens * per_token, 1, 1, 1}, GraphLabel::inp_pos);
  attn_scale_ = g_.input(GgmlType::F32, {1, 1, request_.n_tokens, 1}, GraphLabel::inp_attn_scale);
  out_ids_ = g_.input(GgmlType::I32, {request_.n_outputs, 1, 1, 1}, GraphLabel::inp_out_ids);
  const TensorId copy_ids =
      g_.input(GgmlType::I32, {request_.n_seq, 1, 1, 1}, GraphLabel::inp_s_copy);
  state_ids_ = g_.view_1d(copy_ids, request_.n_seq);
  other_state_ids_ = g_.view_1d(copy_ids, 0);
  if (traits_.position_bias) make_t5_inputs();
  if (model_.attends_to_batch) {
    batch_.n_cells = request_.n_tokens;
    const GgmlType type = request_.flash_attention ? GgmlType::F16 : GgmlType::F32;
    const Shape shape = {request_.n_tokens, request_.n_tokens, 1, 1};
    batch_.mask = g_.input(type, shape, GraphLabel::inp_kq_mask);
    batch_window_ = batch_;
    batch_window_.mask = g_.input(type, shape, GraphLabel::inp_kq_mask);
    return;
  }
  if (traits_.form == BlockForm::deepseek4) return make_compressed_inputs();
  make_cache_inputs(full_, request_.n_cells, 0);
  if (traits_.sparse == Sparse::cells) {
    indexer_.n_cells = request_.n_cells;
    indexer_.k_idxs =
        g_.input(GgmlType::I64, {request_.n_tokens, 1, 1, 1}, GraphLabel::inp_kv_idxs);
    // The indexer's kernel takes a mask of its own type.
    indexer_.mask =
        g_.input(GgmlType::F16,
                 {request_.n_cells, request_.n_tokens / request_.n_stream, 1, request_.n_stream},
                 GraphLabel::inp_kq_mask);
    indexer_.k_rotation = hadamard_input(model_.model->layers.front().attention.indexer_head_dim);
  }
  if (traits_.sparse == Sparse::blocks) make_block_inputs();
  if (request_.n_cells_swa > 0) make_cache_inputs(window_, request_.n_cells_swa, 1);
}

TensorId GraphBuilder::embeddings() {
  const TensorId table = tensor_of(refs(WeightName::token_embd).weight, request_.cpu);
  tokens_ = g_.input(GgmlType::I32, {request_.n_tokens, 1, 1, 1}, GraphLabel::inp_tokens);
  TensorId x = g_.labelled(g_.get_rows(table, tokens_), GraphLabel::embd);
  const std::int64_t n_deepstack = model_.hparams.n_deepstack;
  if (n_deepstack > 0) x = g_.pad_rows(x, n_deepstack * n_embd_);
  if (request_.release >= LlamaCppRelease::v0_5_0) {
    g_.expand(x);
    // The other way to feed a batch, as vectors: always allocated, read by nobody here.
    g_.expand(g_.input(GgmlType::F32, g_[x].ne, GraphLabel::inp_embd));
  }
  if (n_deepstack > 0) {
    deepstack_ = x;
    x = g_.view_2d(x, n_embd_, request_.n_tokens, g_[x].nb[1]);
  }
  if (model_.hparams.embedding_scale) x = g_.scale(x);
  // LFM2 has always put the embeddings first (src/models/lfm2.cpp).
  const bool first = request_.release >= LlamaCppRelease::v0_5_0 || traits_.form == BlockForm::lfm2;
  if (first) g_.expand(x);
  if (traits_.scale_embedding || traits_.fixed_factors) x = g_.scale(x);
  return g_.labelled(x, GraphLabel::embd);
}

Prune GraphBuilder::prune_where() const {
  // All architectures of 2025 pruned in the last block.
  return request_.release < LlamaCppRelease::v0_5_0 ? Prune::last_block : traits_.prune;
}

void GraphBuilder::prune(std::initializer_list<TensorId*> tensors) {
  if (!last_ || prune_where() != Prune::last_block) return;
  for (TensorId* tensor : tensors) *tensor = g_.get_rows(*tensor, out_ids_);
}

bool GraphBuilder::ends_loop() const {
  const std::int64_t n_own = model_.n_layer / model_.model->n_loops;
  return !last_ && !model_.hparams.skip_loop_norm && (il_ + 1) % n_own == 0;
}

/// The final norm, also between the loops.
TensorId GraphBuilder::norm_loop(TensorId x) {
  const std::int64_t il = il_;
  il_ = -1;
  x = norm(x, WeightName::output_norm);
  il_ = il;
  norms_.back().layer = static_cast<std::int16_t>(il);
  return x;
}

BlockForm GraphBuilder::form() const {
  // StableLM and GPT-NeoX exist in both forms.
  if (traits_.architecture == "stablelm" && has(traits_.ffn_norm)) return BlockForm::sequential;
  if (traits_.architecture == "gptneox" && !model_.hparams.parallel_residual) {
    return BlockForm::sequential;
  }
  return traits_.form;
}

void GraphBuilder::build() {
  TensorId x = embeddings();
  make_inputs();
  if (model_.model->is_encoder) {
    x = encoder_embeddings(x);
  } else if (has(WeightName::position_embd)) {
    const std::int32_t table = refs(WeightName::position_embd).weight;
    x = g_.add(x, g_.get_rows(tensor_of(table, request_.cpu), positions_));
  }
  // LFM2's weight of this name is its final norm.
  if (has(WeightName::token_embd_norm) && traits_.form != BlockForm::lfm2) {
    x = norm(x, WeightName::token_embd_norm);
    norms_.back().layer = 0;
  }
  if (traits_.embedding_skip) {
    x = g_.labelled(g_.rms_norm(x), GraphLabel::norm);
    embedding_skip_ = x;
  }
  if (has(WeightName::per_layer_token_embd)) block_inputs_ = block_inputs(x);
  if (traits_.form == BlockForm::gemma3n) x = altup_begin(x);
  if (traits_.form == BlockForm::deepseek4) x = begin_streams(x);
  for (il_ = 0; il_ < model_.n_layer; ++il_) {
    g_.set_layer(static_cast<std::int16_t>(il_));
    last_ = il_ + 1 == model_.n_layer;
    router_logits_ = kNoTensor;
    switch (form()) {
      case BlockForm::sequential:
      case BlockForm::deepseek2:
      case BlockForm::plamo2:
        x = sequential_block(x);
        break;
      case BlockForm::parallel:
        x = parallel_block(x);
        break;
      case BlockForm::mamba:
        x = mamba_block(x);
        break;
      case BlockForm::hybrid:
        x = hybrid_block(x);
        break;
      case BlockForm::lfm2:
        x = lfm2_block(x);
        break;
      case BlockForm::gated_delta:
        x = gated_delta_block(x);
        break;
      case BlockForm::beside:
        x = beside_block(x);
        break;
      case BlockForm::mixer_only:
        x = mixer_only_block(x);
        break;
      case BlockForm::chameleon:
        x = chameleon_block(x);
        break;
      case BlockForm::bert:
        x = bert_block(x);
        break;
      case BlockForm::t5:
        x = t5_block(x);
        break;
      case BlockForm::rwkv6:
      case BlockForm::rwkv7:
        x = rwkv_block(x);
        break;
      case BlockForm::deepseek4:
        x = deepseek4_block(x);
        break;
      case BlockForm::gemma3n:
        x = gemma3n_block(x);
        break;
      case BlockForm::gemma4:
        x = gemma4_block(x);
        break;
    }
    if (il_ < model_.hparams.n_deepstack) {
      x = g_.add(x, g_.view_2d(deepstack_, n_embd_, request_.n_tokens, g_[deepstack_].nb[1]));
    }
    if (embedding_skip_ != kNoTensor) {
      TensorId skip = embedding_skip_;
      prune({&skip});
      x = g_.add(x, g_.mul(skip, weight(WeightName::layer_output_scale)));
    }
    g_.labelled(x, GraphLabel::l_out);
    if (ends_loop()) x = norm_loop(x);
  }
  il_ = -1;
  last_ = false;
  g_.set_layer(-1);
  if (traits_.form == BlockForm::gemma3n) x = altup_end(x);
  if (traits_.form == BlockForm::deepseek4) x = join_streams(x);
  if (model_.model->is_encoder) {
    encoder_head(x);
  } else {
    head(x);
  }
}

TensorId GraphBuilder::sequential_block(TensorId x) {
  TensorId residual = x;
  if (traits_.routing == Routing::by_block_input && has(WeightName::ffn_gate_inp)) {
    router_logits_ = linear(WeightName::ffn_gate_inp, x);
  }
  const bool pruned = layer().kind == LayerKind::feed_forward_only;
  if (pruned && !has(WeightName::ffn_up)) return x;  // nothing is left of the block
  if (pruned && !has(WeightName::attn_output)) {
    prune({&x});
    return g_.add(feed_forward(norm(x, traits_.ffn_norm)), x);
  }
  TensorId out = block_norm(x, WeightName::attn_norm);
  if (pruned) {  // to its output projection
    out = linear(WeightName::attn_output, out, false);
  } else if (layer().kind == LayerKind::mamba2) {
    out = plamo2_mixer(out);
  } else if (traits_.form == BlockForm::deepseek2) {
    out = latent_attention(out);
  } else {
    out = self_attention(out);
  }
  const WeightName last_norm =
      has(WeightName::post_ffw_norm) ? WeightName::post_ffw_norm : WeightName::layer_output_norm;
  const bool has_post_norms = has(last_norm) && has(traits_.attention_post_norm);
  const bool early = has_post_norms && traits_.post_norm_before_prune;
  if (early) out = norm(out, traits_.attention_post_norm);
  prune({&out, &residual});
  if (router_logits_ != kNoTensor) prune({&router_logits_});
  if (has_post_norms && !early) out = norm(out, traits_.attention_post_norm);
  if (scales_residual()) out = g_.scale(out);
  const TensorId middle =
      traits_.attention_residual_first ? g_.add(residual, out) : g_.add(out, residual);
  g_.labelled(middle, GraphLabel::ffn_inp);
  if (has(WeightName::ffn_norm_exps)) {
    // Arctic: experts beside the dense part, on the block's input.
    const TensorId normed = norm(middle, traits_.ffn_norm);
    out = g_.add(dense(normed, WeightName::ffn_gate, WeightName::ffn_up, WeightName::ffn_down),
                 middle);
    return g_.add(experts(norm(residual, WeightName::ffn_norm_exps)), out);
  }
  out = feed_forward(block_norm(middle, traits_.ffn_norm));
  if (has_post_norms) out = norm(out, last_norm);
  if (scales_residual()) out = g_.scale(out);
  return traits_.residual_first ? g_.add(middle, out) : g_.add(out, middle);
}

TensorId GraphBuilder::block_norm(TensorId x, WeightName name) {
  return has(name) || traits_.bare_norms ? norm(x, name) : x;
}

bool GraphBuilder::scales_residual() const {
  return traits_.fixed_factors || model_.hparams.residual_scale;
}

TensorId GraphBuilder::parallel_block(TensorId x) {
  TensorId normed = norm(x, WeightName::attn_norm);
  const TensorId for_attention =
      has(WeightName::attn_norm_2) ? norm(x, WeightName::attn_norm_2) : normed;
  TensorId out = self_attention(for_attention);
  prune({&out, &x, &normed});
  // GPT-NeoX norms the input once more, for the feed-forward.
  if (has(traits_.ffn_norm)) normed = norm(x, traits_.ffn_norm);
  const TensorId wide = feed_forward(normed);
  switch (traits_.sum) {
    case ParallelSum::f_a_x:
      return g_.add(g_.add(wide, out), x);
    case ParallelSum::f_x_a:
      return g_.add(g_.add(wide, x), out);
    case ParallelSum::a_f_x:
      return g_.add(g_.add(out, wide), x);
    case ParallelSum::f_of_a_x:
      return g_.add(wide, g_.add(out, x));
  }
  return x;
}

TensorId GraphBuilder::mamba_block(TensorId x) {
  TensorId out = norm(x, WeightName::attn_norm);
  out = layer().kind == LayerKind::mamba2 ? mamba2(out) : mamba1(out);
  prune({&out, &x});
  return g_.add(out, x);
}

TensorId GraphBuilder::hybrid_block(TensorId x) {
  TensorId residual = x;
  TensorId out = norm(x, WeightName::attn_norm);
  const LayerKind kind = layer().kind;
  out = kind == LayerKind::attention ? self_attention(out)
        : kind == LayerKind::mamba1  ? mamba1(out)
                                     : mamba2(out);
  prune({&out, &residual});
  if (scales_residual()) out = g_.scale(out);
  const TensorId middle =
      traits_.attention_residual_first ? g_.add(residual, out) : g_.add(out, residual);
  g_.labelled(middle, GraphLabel::ffn_inp);
  out = feed_forward(norm(middle, WeightName::ffn_norm));
  if (scales_residual()) out = g_.scale(out);
  return traits_.residual_first ? g_.add(middle, out) : g_.add(out, middle);
}

TensorId GraphBuilder::beside_block(TensorId x) {
  const TensorId attended = self_attention(norm(x, WeightName::attn_norm));
  const TensorId scanned = mamba2(norm(x, WeightName::attn_norm));
  TensorId middle = g_.add(g_.add(attended, scanned), x);
  prune({&middle});
  return g_.add(feed_forward(norm(middle, WeightName::ffn_norm)), middle);
}

TensorId GraphBuilder::mixer_only_block(TensorId x) {
  TensorId out = norm(x, WeightName::attn_norm);
  switch (layer().kind) {
    case LayerKind::attention:
      out = self_attention(out);
      break;
    case LayerKind::feed_forward_only:
      out = feed_forward(out);
      break;
    default:
      out = mamba2(out);
  }
  prune({&out, &x});
  return g_.add(out, x);
}

TensorId GraphBuilder::chameleon_block(TensorId x) {
  const bool after = model_.hparams.norm_after;
  TensorId out = self_attention(after ? x : norm(x, WeightName::attn_norm));
  prune({&out, &x});
  if (after) out = norm(out, WeightName::attn_norm);
  const TensorId middle = g_.labelled(g_.add(out, x), GraphLabel::ffn_inp);
  // With norms afterwards the feed-forward reads the attention's result, not the sum.
  out = feed_forward(after ? out : norm(middle, WeightName::ffn_norm));
  if (after) out = norm(out, WeightName::ffn_norm);
  return g_.add(out, middle);
}

TensorId GraphBuilder::lfm2_block(TensorId x) {
  TensorId out = norm(x, WeightName::attn_norm);
  out = layer().kind == LayerKind::attention ? self_attention(out) : short_conv(out);
  prune({&out, &x});
  x = g_.labelled(g_.add(x, out), GraphLabel::ffn_inp);
  return g_.add(x, feed_forward(norm(x, WeightName::ffn_norm)));
}

TensorId GraphBuilder::gated_delta_block(TensorId x) {
  TensorId residual = x;
  TensorId out = norm(x, WeightName::attn_norm);
  g_.expand(out);
  if (layer().kind == LayerKind::linear_attention) {
    out = kimi_delta(out);
  } else if (layer().kind == LayerKind::gated_delta_net) {
    out = delta_net(out);
  } else {
    out = layer().attention.mla ? latent_attention(out) : gated_attention(out);
  }
  prune({&out, &residual});
  const TensorId middle = g_.labelled(g_.add(out, residual), GraphLabel::ffn_inp);
  return g_.add(feed_forward(norm(middle, traits_.ffn_norm)), middle);
}

/// The logits of image tokens are overwritten, in a copy, so that only text is sampled.
TensorId GraphBuilder::without_image_logits(TensorId logits) {
  constexpr std::int64_t kImageTokens = 8192;  // src/models/chameleon.cpp
  const TensorId none = g_.op(GraphOp::none, GgmlType::F32, {kImageTokens, 1, 1, 1}, {});
  g_.labelled(logits, GraphLabel::logits);
  return g_.like(GraphOp::set, {logits, g_.clamp_inplace(none)});
}

void GraphBuilder::head(TensorId x) {
  if (prune_where() == Prune::before_head) {
    g_[x].flags |= GraphTensor::kOutput;
    x = g_.get_rows(x, out_ids_);
  }
  WeightName final_norm = WeightName::token_embd_norm;
  for (const WeightName name : {WeightName::output_norm, WeightName::dec_output_norm}) {
    if (has(name)) final_norm = name;
  }
  x = g_.labelled(norm(x, final_norm), GraphLabel::result_norm);
  g_[x].flags |= GraphTensor::kOutput;
  if (prune_where() == Prune::after_norm) {
    x = g_.labelled(g_.get_rows(x, out_ids_), GraphLabel::result_norm);
    g_[x].flags |= GraphTensor::kOutput;
  }
  const int device = request_.placement->output_device;
  const BackendId backend = device == kHost ? request_.cpu : static_cast<BackendId>(device);
  const WeightRefs& own = refs(WeightName::output);
  TensorId logits = kNoTensor;
  if (traits_.fixed_factors) x = g_.scale(x);
  if (own.weight >= 0) {
    logits = linear(WeightName::output, x);
  } else if (traits_.tied_head == TiedHead::table) {
    logits = g_.mul_mat(tensor_of(refs(WeightName::token_embd).weight), x);
  } else {
    // Tied: the token table once more, on the output layer's device.
    logits = g_.mul_mat(tensor_of(refs(WeightName::token_embd).weight, backend), x);
  }
  if (model_.hparams.logit_scale) {
    logits = g_.scale(g_.labelled(logits, GraphLabel::logits));
  }
  if (traits_.soft_cap_logits && model_.hparams.final_soft_cap) {
    logits = g_.scale(g_.labelled(logits, GraphLabel::logits));
    logits = g_.unary(g_.labelled(logits, GraphLabel::logits));
    logits = g_.scale(g_.labelled(logits, GraphLabel::logits));
  }
  if (traits_.form == BlockForm::chameleon) logits = without_image_logits(logits);
  g_.labelled(logits, GraphLabel::logits);
  g_[logits].flags |= GraphTensor::kOutput;
  g_.expand(logits);
}

}  // namespace meyasu
