// Attention: projections, rotary embedding, the KV cache, scores. Softmax attention of all kinds,
// latent attention (MLA), and attention with an output gate.
#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {
namespace {

std::int64_t row_stride(const GraphTensor& tensor, std::int64_t elements) {
  return row_bytes(tensor.type, elements);
}

}  // namespace

GraphBuilder::Cache& GraphBuilder::cache_of_layer() {
  const bool window = request_.n_cells_swa > 0 && layer().attention.span != AttentionSpan::full;
  return window ? window_ : full_;
}

bool GraphBuilder::uses_rope() const {
  switch (traits_.rope) {
    case RopeUse::all:
      return true;
    case RopeUse::none:
      return false;
    case RopeUse::window_or_dense_lead:
      if (il_ < model_.hparams.n_dense_lead) return true;
      [[fallthrough]];
    case RopeUse::window_only:
      return layer().attention.span != AttentionSpan::full || request_.n_cells_swa == 0;
    case RopeUse::skip_every_fourth:
      return (il_ + 1) % 4 != 0;
    case RopeUse::skip_first_of_four:
      return request_.n_cells_swa == 0 || il_ % 4 != 0;
    case RopeUse::if_32_layers:
      return model_.n_layer == 32;
    case RopeUse::header:
      return model_.hparams.rope_finetuned;
  }
  return true;
}

TensorId GraphBuilder::rope_factors() {
  if (traits_.form == BlockForm::gemma4 && layer().attention.span != AttentionSpan::full) {
    return kNoTensor;
  }
  // One set for the model, loaded again on every device that has blocks.
  const auto global = [&](WeightName name) {
    return model_.globals[static_cast<std::size_t>(name)].weight;
  };
  std::int32_t index = global(WeightName::rope_freqs);
  if (index < 0) index = refs(WeightName::rope_freqs).weight;
  if (index < 0) {
    index = global(request_.long_context ? WeightName::rope_factors_long
                                         : WeightName::rope_factors_short);
  }
  if (index < 0) return kNoTensor;
  const BackendId backend = layer_backend(il_);
  TensorId& loaded = rope_factors_[static_cast<std::size_t>(backend)];
  if (loaded == kNoTensor) loaded = tensor_of(index, backend);
  return loaded;
}

TensorId GraphBuilder::rope(TensorId x) {
  return g_.rope(x, positions_, rope_factors());
}

TensorId GraphBuilder::rotate(TensorId x, TensorId rotation) {
  if (rotation == kNoTensor) return x;
  const std::int64_t width = g_[rotation].ne[0];
  const Shape shape = g_[x].ne;
  const Shape rows = {width, g_[x].elements() / width, 1, 1};
  const TensorId flat = is_contiguous(g_[x]) ? g_.reshape(x, rows) : g_.cont(x, rows);
  return g_.reshape(g_.mul_mat(rotation, flat), shape);
}

GraphBuilder::Qkv GraphBuilder::project_qkv(TensorId x) {
  const Attention& attention = layer().attention;
  const std::int64_t u = request_.n_tokens;
  const std::int64_t head = attention.head_dim_k;
  Qkv qkv;
  if (has(WeightName::attn_qkv)) {
    TensorId fused = g_.labelled(linear(WeightName::attn_qkv, x), GraphLabel::qkv);
    if (model_.hparams.clamp_kqv) fused = g_.clamp(fused);
    if (traits_.fused_qkv_as_heads) {
      const std::int64_t n_heads = attention.n_head + 2 * attention.n_head_kv;
      fused = g_.reshape(fused, {head, n_heads, u, 1});
    }
    const std::int64_t nb1 = row_stride(g_[fused], head);
    const std::int64_t nb2 = g_[fused].nb[traits_.fused_qkv_as_heads ? 2 : 1];
    qkv.q = g_.view_3d(fused, head, attention.n_head, u, nb1, nb2);
    qkv.k = g_.view_3d(fused, head, attention.n_head_kv, u, nb1, nb2);
    const std::int64_t head_v = attention.head_dim_v;
    qkv.v = g_.view_3d(fused, head_v, attention.n_head_kv, u, row_stride(g_[fused], head_v), nb2);
    return qkv;
  }
  qkv.q = g_.labelled(linear(WeightName::attn_q, x), GraphLabel::q);
  if (model_.hparams.clamp_kqv) qkv.q = g_.clamp(qkv.q);
  qkv.k = g_.labelled(linear(WeightName::attn_k, x), GraphLabel::k);
  if (model_.hparams.clamp_kqv) qkv.k = g_.clamp(qkv.k);
  qkv.v = g_.labelled(linear(WeightName::attn_v, x), GraphLabel::v);
  if (model_.hparams.clamp_kqv) qkv.v = g_.clamp(qkv.v);
  if (traits_.flat_qk_norm) {
    if (has(WeightName::attn_q_norm)) qkv.q = norm(qkv.q, WeightName::attn_q_norm);
    if (has(WeightName::attn_k_norm)) qkv.k = norm(qkv.k, WeightName::attn_k_norm);
  }
  qkv.q = g_.reshape(qkv.q, {head, attention.n_head, u, 1});
  qkv.k = g_.reshape(qkv.k, {head, attention.n_head_kv, u, 1});
  qkv.v = g_.reshape(qkv.v, {attention.head_dim_v, attention.n_head_kv, u, 1});
  return qkv;
}

TensorId GraphBuilder::self_attention(TensorId x) {
  if (traits_.position_bias) bias_ = position_bias();
  Qkv qkv = project_qkv(x);
  const auto head_norm = [&](TensorId heads, WeightName name) {
    if (!has(name)) return heads;
    if (traits_.form == BlockForm::chameleon) return norm(heads, name, NormKind::layer);
    if (traits_.form != BlockForm::bert) return norm(heads, name);
    // Jina BERT v2 joins the heads again for its norms.
    const Shape ne = g_[heads].ne;
    return g_.reshape(norm(g_.reshape(heads, {ne[0] * ne[1], ne[2], 1, 1}), name), ne);
  };
  const auto head_norms = [&] {
    qkv.q = head_norm(qkv.q, WeightName::attn_q_norm);
    qkv.k = head_norm(qkv.k, WeightName::attn_k_norm);
    if (traits_.plain_k_norm) qkv.k = g_.rms_norm(qkv.k);
  };
  if (!traits_.flat_qk_norm && !traits_.qk_norm_after_rope) head_norms();
  if (uses_rope()) {
    qkv.q = g_.labelled(rope(qkv.q), GraphLabel::q);
    qkv.k = g_.labelled(rope(qkv.k), GraphLabel::k);
  }
  if (traits_.qk_norm_after_rope) head_norms();
  if (traits_.plain_qk_norm) {
    // Llama 4: rotated heads are normed, except in the largest model; the others' queries grow
    // with the position.
    if (uses_rope() && model_.hparams.n_expert != 128) {
      qkv.q = g_.rms_norm(qkv.q);
      qkv.k = g_.rms_norm(qkv.k);
    } else if (!uses_rope() && model_.hparams.attention_temperature) {
      qkv.q = g_.mul(qkv.q, attn_scale_);
    }
  } else if (model_.hparams.attention_temperature) {
    qkv.q = g_.mul(qkv.q, attn_scale_);
  }
  if (traits_.scale_q) qkv.q = g_.labelled(g_.scale(qkv.q), GraphLabel::q);
  const bool gated = traits_.attention_gate != AttentionGate::none && has(WeightName::attn_gate);
  const bool normed = has(WeightName::attn_sub_norm);
  TensorId out = attends_to_blocks() ? attend_to_blocks(x, qkv) : attend(qkv, !gated && !normed);
  if (gated) out = gate_attention(x, out);
  if (normed) out = norm(out, WeightName::attn_sub_norm);
  if (gated || normed) out = linear(WeightName::attn_output, out);
  if (model_.hparams.attention_value_scale) out = g_.scale(out);
  return g_.labelled(out, GraphLabel::attn_out);
}

TensorId GraphBuilder::gate_attention(TensorId x, TensorId out) {
  const std::int64_t n_head = layer().attention.n_head;
  const std::int64_t u = request_.n_tokens;
  const Shape flat = g_[out].ne;
  TensorId gate = g_.unary(linear(WeightName::attn_gate, x));
  if (g_[gate].ne[0] != n_head) return g_.mul(out, gate);
  out = g_.reshape(out, {flat[0] / n_head, n_head, u, 1});  // one gate per head
  gate = g_.reshape(gate, {1, n_head, u, 1});
  return g_.reshape(g_.mul(out, gate), flat);
}

std::size_t GraphBuilder::cache_layer() const {
  const auto& layers = model_.model->layers;
  auto il = static_cast<std::size_t>(il_);
  if (!layers[il].attention.shares_kv) return il;
  // The last layer of the same span that has a cache.
  const AttentionSpan span = layers[il].attention.span;
  while (il > 0 && (layers[il].attention.shares_kv || layers[il].attention.span != span)) --il;
  return il;
}

TensorId GraphBuilder::cache_of(GgmlType type, std::int64_t width, const Cache& cache) {
  const int device = request_.placement->kv_device[cache_layer()];
  return g_.external(type, {width, cache.n_cells, request_.n_stream, 1},
                     device == kHost ? request_.cpu : static_cast<BackendId>(device), 0,
                     GraphLabel::kv_cache);
}

TensorId GraphBuilder::store_k(TensorId k, const Cache& cache) {
  const std::int64_t width = g_[k].ne[0] * g_[k].ne[1];
  const TensorId all = cache_of(request_.type_k, width, cache);
  const TensorId data = g_.view_2d(k, width, g_[k].ne[2], g_[k].nb[2]);
  if (request_.release < LlamaCppRelease::build_2025_11) {
    // Copied to consecutive cells; later builds write each row where an index says.
    const std::int64_t row = row_stride(g_[all], width);
    g_.expand(g_.cpy(data, g_.view_2d(all, width, g_[k].ne[2], row)));
    return all;
  }
  TensorId rows = all;
  if (request_.n_stream > 1) {
    rows = g_.reshape(all, {width, cache.n_cells * request_.n_stream, 1, 1});
  }
  g_.expand(g_.set_rows(rows, data, cache.k_idxs));
  return all;
}

TensorId GraphBuilder::store_v(TensorId v, const Cache& cache) {
  const std::int64_t width = g_[v].ne[0] * g_[v].ne[1];
  const std::int64_t stored = request_.v_transposed ? model_.max_v_width : width;
  const TensorId all = cache_of(request_.type_v, stored, cache);
  if (request_.release < LlamaCppRelease::build_2025_11) {
    const std::int64_t n_tokens = g_[v].ne[2];
    const TensorId data = g_.view_2d(v, width, n_tokens, g_[v].nb[2]);
    if (request_.v_transposed) {
      const std::int64_t row = row_stride(g_[all], cache.n_cells);
      g_.expand(g_.cpy(g_.transpose(data), g_.view_2d(all, n_tokens, width, row)));
    } else {
      const std::int64_t row = row_stride(g_[all], width);
      g_.expand(g_.cpy(data, g_.view_2d(all, width, n_tokens, row)));
    }
    return all;
  }
  if (!request_.v_transposed) {
    const TensorId data = g_.view_2d(v, width, g_[v].ne[2], g_[v].nb[2]);
    TensorId rows = all;
    if (request_.n_stream > 1) {
      rows = g_.reshape(all, {width, cache.n_cells * request_.n_stream, 1, 1});
    }
    g_.expand(g_.set_rows(rows, data, cache.v_idxs));
    return all;
  }
  // Every element is a row of its own, so that V can be stored transposed.
  const Shape flat = {width, g_[v].ne[2], 1, 1};
  const bool dense = g_[v].nb[2] == row_stride(g_[v], width);
  TensorId data = dense ? g_.reshape(v, flat) : g_.cont(v, flat);
  if (width < stored) data = g_.pad_rows(data, stored - width);
  const TensorId rows = g_.reshape(all, {1, g_[all].elements(), 1, 1});
  data = g_.reshape(data, {1, g_[data].elements(), 1, 1});
  g_.expand(g_.set_rows(rows, data, cache.v_idxs));
  return all;
}

TensorId GraphBuilder::cells_of(TensorId all, std::int64_t head, std::int64_t n_head,
                                std::int64_t n_cells) {
  const GraphTensor& cache = g_[all];
  const std::int64_t row = row_stride(cache, cache.ne[0]);
  return g_.view_4d(all, {head, n_head, n_cells, request_.n_stream}, row_stride(cache, head), row,
                    row * n_cells);
}

TensorId GraphBuilder::attend_to_batch(const Qkv& qkv) {
  g_.expand(qkv.q);
  g_.expand(qkv.k);
  g_.expand(qkv.v);
  const bool window = layer().attention.span != AttentionSpan::full;
  return scores_to_values(qkv.q, qkv.k, qkv.v, false, window ? batch_window_ : batch_);
}

TensorId GraphBuilder::attend(const Qkv& projected, bool project) {
  if (model_.attends_to_batch) {
    const TensorId out = attend_to_batch(projected);
    return project ? g_.labelled(linear(WeightName::attn_output, out), GraphLabel::attn_out) : out;
  }
  Cache& cache = cache_of_layer();
  const TensorId q = rotate(projected.q, cache.k_rotation);
  g_.expand(q);
  std::int64_t n_head_kv = layer().attention.n_head_kv;
  std::int64_t head_k = layer().attention.head_dim_k;
  std::int64_t head_v = layer().attention.head_dim_v;
  TensorId k_all = kNoTensor;
  TensorId v_all = kNoTensor;
  if (projected.k == kNoTensor) {  // reads an earlier layer's cache
    k_all = cache_of(request_.type_k, n_head_kv * head_k, cache);
    const std::int64_t stored = request_.v_transposed ? model_.max_v_width : n_head_kv * head_v;
    v_all = cache_of(request_.type_v, stored, cache);
  } else {
    const TensorId k = rotate(projected.k, cache.k_rotation);
    const TensorId v = rotate(projected.v, cache.v_rotation);
    const bool v_first = request_.n_cells_swa == 0 && request_.release >= LlamaCppRelease::v0_5_0;
    g_.expand(v_first ? v : k);
    g_.expand(v_first ? k : v);
    k_all = store_k(k, cache);
    v_all = store_v(v, cache);
    n_head_kv = g_[k].ne[1];
    head_k = g_[k].ne[0];
    head_v = g_[v].ne[0];
  }
  const TensorId k_view = cells_of(k_all, head_k, n_head_kv, cache.n_cells);
  TensorId v_view = kNoTensor;
  if (request_.v_transposed) {
    const GraphTensor& values = g_[v_all];
    v_view =
        g_.view_4d(v_all, {cache.n_cells, n_head_kv, head_v, request_.n_stream},
                   row_stride(values, cache.n_cells * head_v), row_stride(values, cache.n_cells),
                   row_stride(values, cache.n_cells * values.ne[0]));
  } else {
    v_view = cells_of(v_all, head_v, n_head_kv, cache.n_cells);
  }
  TensorId out = scores_to_values(q, k_view, v_view, request_.v_transposed, cache);
  out = rotate(out, cache.v_rotation);
  return project ? g_.labelled(linear(WeightName::attn_output, out), GraphLabel::attn_out) : out;
}

TensorId GraphBuilder::scores_to_values(TensorId q, TensorId k, TensorId v, bool v_is_transposed,
                                        const Cache& cache) {
  const std::int64_t streams = g_[k].ne[3];
  const GraphTensor query = g_[q];
  q = g_.view_4d(q, {query.ne[0], query.ne[1], query.ne[2] / streams, streams}, query.nb[1],
                 query.nb[2], query.nb[3] / streams);
  q = g_.permute(q, kSwapMiddle);  // [head, U per stream, n_head, streams]
  k = g_.permute(k, kSwapMiddle);
  v = g_.permute(v, kSwapMiddle);
  const TensorId sinks = has(WeightName::attn_sinks) ? weight(WeightName::attn_sinks) : kNoTensor;
  const bool latent = layer().attention.mla && layer().attention.mla->absorbed;
  const auto mark = [&](TensorId id) { return Mark{id, static_cast<std::int16_t>(il_)}; };
  TensorId out = kNoTensor;
  // Flash attention cannot add a bias to the scores.
  if (request_.flash_attention && bias_ == kNoTensor) {
    // Keys and values that come from no cache are not yet of the kernel's type.
    const auto half = [&](TensorId t) {
      return g_[t].type == GgmlType::F32 ? g_.cast(t, GgmlType::F16) : t;
    };
    k = half(k);
    v = half(v);
    out = g_.labelled(g_.flash_attn(q, k, v, cache.mask, sinks), GraphLabel::kqv);
    flash_.push_back(mark(out));
    if (latent) {
      out = g_.permute(out, kSwapMiddle);
      out = g_.labelled(g_.mul_mat(weight(WeightName::attn_v_b), out), GraphLabel::kqv);
      out = g_.cont(g_.permute(out, kSwapMiddle));
    }
    const GraphTensor& result = g_[out];
    out = g_.reshape(out, {result.ne[0] * result.ne[1], result.ne[2] * result.ne[3], 1, 1});
  } else {
    TensorId scores = g_.labelled(g_.mul_mat(k, q), GraphLabel::kq);
    if (traits_.soft_cap_scores && model_.hparams.attn_soft_cap) {
      scores = g_.scale(g_.unary(g_.scale(scores)));
    }
    if (bias_ != kNoTensor) scores = g_.labelled(g_.add(scores, bias_), GraphLabel::kq);
    scores = g_.labelled(g_.soft_max(scores, cache.mask, sinks), GraphLabel::kq);
    if (!v_is_transposed) v = g_.labelled(g_.cont(g_.transpose(v)), GraphLabel::v);
    out = g_.labelled(g_.mul_mat(v, scores), GraphLabel::kqv);
    if (latent) out = g_.labelled(g_.mul_mat(weight(WeightName::attn_v_b), out), GraphLabel::kqv);
    out = g_.permute(out, kSwapMiddle);
    const GraphTensor result = g_[out];
    out = g_.cont(out, {result.ne[0] * result.ne[1], result.ne[2] * result.ne[3], 1, 1});
    g_.labelled(out, GraphLabel::kqv);
    merged_.push_back(mark(out));
  }
  g_.expand(out);
  return out;
}

TensorId GraphBuilder::latent_attention(TensorId x) {
  const Attention& attention = layer().attention;
  if (!attention.mla) return self_attention(x);
  const Mla& mla = *attention.mla;
  const std::int64_t u = request_.n_tokens;
  const std::int64_t n_head = attention.n_head;
  const std::int64_t nope = mla.qk_nope_head_dim;
  const std::int64_t rot = mla.qk_rope_head_dim;
  const std::int64_t head = nope + rot;
  const std::int64_t rank = mla.kv_lora_rank;

  TensorId q = kNoTensor;
  if (has(WeightName::attn_q)) {
    q = linear(WeightName::attn_q, x, false);
  } else {
    q = norm(linear(WeightName::attn_q_a, x, false), WeightName::attn_q_a_norm);
    if (traits_.sparse == Sparse::cells && attention.indexer_head_dim > 0) {
      chosen_cells_ = choose_cells(x, q);
    }
    q = linear(WeightName::attn_q_b, q, false);
  }
  g_.labelled(q, GraphLabel::q);
  // Kimi Linear's and sparse attention's graphs split the projection as it is.
  const bool plain = traits_.form == BlockForm::deepseek2 && traits_.sparse == Sparse::none;
  if (plain || !mla.absorbed) q = g_.reshape(q, {head, n_head, u, 1});
  const TensorId compressed =
      g_.labelled(linear(WeightName::attn_kv_a_mqa, x, false), GraphLabel::k);  // [rank + rot, U]
  const std::int64_t row = row_stride(g_[compressed], rank + rot);
  TensorId k_rope = g_.view_3d(compressed, rot, 1, u, row, row);
  TensorId latent = g_.view_2d(compressed, rank, u, row);
  if (uses_rope()) k_rope = rope(k_rope);
  latent = norm(latent, WeightName::attn_kv_a_norm);

  if (mla.absorbed) {
    const std::int64_t nb1 = row_stride(g_[q], head);
    const std::int64_t nb2 = nb1 * n_head;
    TensorId q_nope = g_.view_3d(q, nope, n_head, u, nb1, nb2);
    TensorId q_rope = g_.view_3d(q, rot, n_head, u, nb1, nb2);
    if (uses_rope()) q_rope = rope(q_rope);
    q_nope = g_.mul_mat(weight(WeightName::attn_k_b), g_.permute(q_nope, kSwapMiddle));
    q_nope = g_.permute(g_.labelled(q_nope, GraphLabel::q), kSwapMiddle);
    TensorId query = g_.labelled(g_.concat(q_nope, q_rope, 0), GraphLabel::q);
    if (model_.hparams.attention_temperature) query = g_.mul(query, attn_scale_);
    latent = g_.reshape(latent, {rank, 1, u, 1});
    const TensorId key = g_.labelled(g_.concat(latent, k_rope, 0), GraphLabel::k);
    return attend_latent(query, key, latent, chosen_cells_);
  }
  const std::int64_t head_v = mla.v_head_dim;
  const TensorId kv = g_.labelled(linear(WeightName::attn_kv_b, latent, false), GraphLabel::k);
  const std::int64_t nb1 = row_stride(g_[kv], nope + head_v);
  const TensorId k_nope = g_.view_3d(kv, nope, n_head, u, nb1, nb1 * n_head);
  Qkv qkv;
  qkv.v = g_.cont(g_.view_3d(kv, head_v, n_head, u, nb1, nb1 * n_head));
  g_.labelled(qkv.v, GraphLabel::v);
  qkv.q = uses_rope() ? g_.labelled(rope(q), GraphLabel::q) : q;
  if (model_.hparams.attention_temperature) qkv.q = g_.mul(qkv.q, attn_scale_);
  const TensorId shared = g_.repeat(k_rope, {rot, n_head, u, 1});
  qkv.k = g_.labelled(g_.concat(k_nope, shared, 0), GraphLabel::k);
  return attend(qkv, true);
}

/// q [rank + rot, n_head, U], k [rank + rot, 1, U], v [rank, 1, U] the first columns of k;
/// `chosen`: cells that the indexer picked, if there is one.
TensorId GraphBuilder::attend_latent(TensorId q, TensorId k, TensorId v, TensorId chosen) {
  Cache cache = cache_of_layer();
  const std::int64_t rank = layer().attention.mla->kv_lora_rank;
  g_.expand(q);
  if (chosen != kNoTensor) g_.expand(v);
  g_.expand(k);  // holds V too
  const TensorId k_all = store_k(k, cache);
  const GraphTensor keys = g_[k_all];
  const std::int64_t nb1 = row_stride(keys, keys.ne[0]);
  const TensorId k_view = cells_of(k_all, keys.ne[0], 1, cache.n_cells);
  const TensorId v_view = g_.view_4d(k_view, {rank, 1, cache.n_cells, request_.n_stream}, nb1, nb1,
                                     nb1 * cache.n_cells);
  if (chosen != kNoTensor) cache.mask = mask_of(chosen, cache.mask, GgmlType::F32);
  const TensorId out = scores_to_values(q, k_view, v_view, false, cache);
  return g_.labelled(linear(WeightName::attn_output, out), GraphLabel::attn_out);
}

TensorId GraphBuilder::gated_attention(TensorId x) {
  const Attention& attention = layer().attention;
  const std::int64_t u = request_.n_tokens;
  const std::int64_t head = attention.head_dim_k;
  const std::int64_t n_head = attention.n_head;
  // One projection for query and gate, interleaved by head.
  TensorId both = g_.labelled(linear(WeightName::attn_q, x), GraphLabel::q);
  if (traits_.fused_qkv_as_heads) both = g_.reshape(both, {2 * head, n_head, u, 1});
  const std::int64_t nb1 = row_stride(g_[both], 2 * head);
  const auto half = [&] { return g_.view_3d(both, head, n_head, u, nb1, nb1 * n_head); };
  Qkv qkv;
  qkv.q = half();
  const TensorId gate_view = half();
  qkv.k = g_.labelled(linear(WeightName::attn_k, x), GraphLabel::k);
  qkv.v = g_.labelled(linear(WeightName::attn_v, x), GraphLabel::v);
  qkv.k = g_.reshape(qkv.k, {head, attention.n_head_kv, u, 1});
  qkv.v = g_.reshape(qkv.v, {attention.head_dim_v, attention.n_head_kv, u, 1});
  qkv.q = norm(qkv.q, WeightName::attn_q_norm);
  qkv.k = norm(qkv.k, WeightName::attn_k_norm);
  qkv.q = g_.labelled(rope(qkv.q), GraphLabel::q);
  qkv.k = g_.labelled(rope(qkv.k), GraphLabel::k);
  const TensorId out = attend(qkv, false);
  const TensorId gate = g_.unary(g_.cont(gate_view, {head * n_head, u, 1, 1}));
  const TensorId gated = g_.mul(out, gate);
  return g_.labelled(linear(WeightName::attn_output, gated), GraphLabel::attn_out);
}

}  // namespace meyasu
