// DeepSeek V4: residual streams joined by hyper-connections, and attention to a window of keys
// beside keys that stand for several tokens each.
//
// Source: src/models/deepseek4.cpp, src/llama-kv-cache-dsv4.cpp and build_inp_dsv4 in
// src/llama-graph.cpp of llama.cpp (2026-08, 4ba7ecc). C is the number of streams, N of new keys.
#include <algorithm>

#include "core/inference/llama_cpp/graph_builder.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kOverlappingRatio = 4;
constexpr std::int64_t kHeavyRatio = 128;
constexpr std::array<int, 4> kSwapFirst = {1, 0, 2, 3};

}  // namespace

/// The rows that one batch reads and writes: as many as it can complete
/// (dsv4_build_reserve_comp_plan). `rotated_head`: width of the heads if cached keys are rotated.
GraphBuilder::Compressor GraphBuilder::make_compressor(std::int64_t ratio, GgmlType mask,
                                                       std::int64_t rotated_head) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t streams = request_.n_stream;
  const bool overlapping = ratio == kOverlappingRatio;
  Compressor made;
  made.ratio = ratio;
  made.state_rows = overlapping ? 2 * ratio : ratio;
  made.n_keys = request_.n_seq * divide_up(u / request_.n_seq, ratio);
  const auto indices = [&](GgmlType type, std::int64_t n) {
    return g_.input(type, {n, 1, 1, 1}, GraphLabel::inp_kv_idxs);
  };
  made.places = indices(GgmlType::I32, u);
  const std::int64_t n_kept = std::min(u, made.state_rows * streams);
  made.kept_from = indices(GgmlType::I32, n_kept);
  made.kept_to = indices(GgmlType::I32, n_kept);
  made.read = indices(GgmlType::I32, (overlapping ? 2 : 1) * ratio * made.n_keys);
  made.positions = indices(GgmlType::I32, made.n_keys);
  made.cache.k_idxs = indices(GgmlType::I64, made.n_keys);
  made.cache.n_cells = compressed_cells(request_.n_cells, ratio);
  made.cache.mask =
      g_.input(mask, {made.cache.n_cells, u / streams, 1, streams}, GraphLabel::inp_kq_mask);
  if (rotated_head > 0) made.cache.k_rotation = hadamard_input(rotated_head);
  return made;
}

void GraphBuilder::make_compressed_inputs() {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t streams = request_.n_stream;
  const GgmlType mask = request_.flash_attention ? GgmlType::F16 : GgmlType::F32;
  const Attention& attention = model_.model->layers.front().attention;
  const std::int64_t head =
      is_quantized(request_.type_k) && attention.head_dim_k % 64 == 0 ? attention.head_dim_k : 0;
  window_.n_cells = request_.n_cells_swa;
  window_.k_idxs = g_.input(GgmlType::I64, {u, 1, 1, 1}, GraphLabel::inp_kv_idxs);
  window_.mask =
      g_.input(mask, {window_.n_cells, u / streams, 1, streams}, GraphLabel::inp_kq_mask);
  if (head > 0) window_.k_rotation = hadamard_input(head);
  overlapping_ = make_compressor(kOverlappingRatio, mask, head);
  heavy_ = make_compressor(kHeavyRatio, mask, head);
  // The indexer's kernel takes a mask of its own type, and its keys are always rotated.
  std::int64_t indexer = 0;
  for (const Layer& each : model_.model->layers) {
    indexer = std::max(indexer, each.attention.indexer_head_dim);
  }
  indexed_ = make_compressor(kOverlappingRatio, GgmlType::F16, indexer);
}

/// [E, U] -> [E, C, U]
TensorId GraphBuilder::begin_streams(TensorId x) {
  g_.expand(window_.mask);
  const std::int64_t u = request_.n_tokens;
  const auto global = [&](WeightName name) {
    return model_.globals[static_cast<std::size_t>(name)].weight;
  };
  const auto base = static_cast<std::size_t>(global(WeightName::output_hc_base));
  const std::int64_t streams = model_.model->tensors[base].ne[0];
  return g_.repeat(g_.reshape(x, {n_embd_, 1, u, 1}), {n_embd_, streams, u, 1});
}

/// What a block reads of the streams [E, C, U], and how its result is spread over them.
GraphBuilder::Mixed GraphBuilder::mix_streams(TensorId x, WeightName fn, WeightName scale,
                                              WeightName base) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t n = g_[x].ne[1];
  const TensorId flat = g_.reshape(x, {n_embd_ * n, u, 1, 1});
  const TensorId mixes = g_.mul_mat(weight(fn), g_.rms_norm(flat));
  const TensorId scales = weight(scale);
  const TensorId bases = weight(base);
  const auto part = [&] {
    TensorId shares = g_.view_2d(mixes, n, u, g_[mixes].nb[1]);
    shares = g_.add(g_.mul(shares, g_.view_1d(scales, 1)), g_.view_1d(bases, n));
    return g_.scale(g_.unary(shares));
  };
  Mixed mixed;
  const TensorId pre = part();
  mixed.post = part();
  mixed.comb =
      g_.op(GraphOp::hyper_connection, GgmlType::F32, {n, n, u, 1}, {mixes, scales, bases});
  mixed.x = g_.op(GraphOp::hyper_connection, GgmlType::F32, {n_embd_, u, 1, 1}, {x, pre});
  return mixed;
}

/// Rows with outputs of all streams, as one: [E, C, U] -> [E, n_outputs]
TensorId GraphBuilder::join_streams(TensorId x) {
  const std::int64_t n = g_[x].ne[1];
  const std::int64_t rows = request_.n_outputs;
  const TensorId all = g_.reshape(x, {n_embd_ * n, request_.n_tokens, 1, 1});
  const TensorId kept = g_.reshape(g_.get_rows(all, out_ids_), {n_embd_, n, rows, 1});
  const TensorId flat = g_.reshape(kept, {n_embd_ * n, rows, 1, 1});
  TensorId shares = g_.mul_mat(weight(WeightName::output_hc_fn), g_.rms_norm(flat));
  shares = g_.mul(shares, weight(WeightName::output_hc_scale));
  shares = g_.add(shares, weight(WeightName::output_hc_base));
  shares = g_.scale(g_.unary(shares));
  TensorId sum = kNoTensor;
  for (std::int64_t i = 0; i < n; ++i) {
    const TensorId stream = g_.view_2d(kept, n_embd_, rows, g_[kept].nb[2]);
    const TensorId part = g_.mul(stream, g_.view_2d(shares, 1, rows, g_[shares].nb[1]));
    sum = i == 0 ? part : g_.add(sum, part);
  }
  return sum;
}

TensorId GraphBuilder::deepseek4_block(TensorId x) {
  const auto spread = [&](TensorId out, const Mixed& mixed) {
    const Shape streams = g_[x].ne;
    return g_.op(GraphOp::hyper_connection, GgmlType::F32, streams,
                 {out, x, mixed.post, mixed.comb});
  };
  const Mixed before =
      mix_streams(x, WeightName::hc_attn_fn, WeightName::hc_attn_scale, WeightName::hc_attn_base);
  x = spread(compressed_attention(norm(before.x, WeightName::attn_norm)), before);
  g_.labelled(x, GraphLabel::ffn_inp);
  const Mixed middle =
      mix_streams(x, WeightName::hc_ffn_fn, WeightName::hc_ffn_scale, WeightName::hc_ffn_base);
  for (const TensorId each : {x, middle.post, middle.comb}) g_.expand(each);
  return spread(feed_forward(norm(middle.x, WeightName::ffn_norm)), middle);
}

/// Rotates the last elements of every head of x [head, n_head, tokens].
TensorId GraphBuilder::with_rotated_tail(TensorId x, TensorId positions) {
  const GraphTensor from = g_[x];
  const std::int64_t rot = model_.hparams.n_rot;
  const std::int64_t row = row_bytes(from.type, from.ne[0]);
  const auto part = [&](std::int64_t width) {
    return g_.view_3d(x, width, from.ne[1], from.ne[2], row, row * from.ne[1]);
  };
  const TensorId still = part(from.ne[0] - rot);
  return g_.concat(still, g_.rope(part(rot), positions, kNoTensor), 0);
}

TensorId GraphBuilder::compressed_attention(TensorId x) {
  const Attention& attention = layer().attention;
  const std::int64_t u = request_.n_tokens;
  const std::int64_t head = attention.head_dim_k;
  const TensorId compressed_q =
      norm(linear(WeightName::attn_q_a, x, false), WeightName::attn_q_a_norm);
  TensorId q = linear(WeightName::attn_q_b, compressed_q, false);
  q = g_.rms_norm(g_.reshape(q, {head, attention.n_head, u, 1}));
  q = g_.labelled(with_rotated_tail(q, positions_), GraphLabel::q);
  TensorId k = norm(linear(WeightName::attn_kv, x, false), WeightName::attn_kv_a_norm);
  k = g_.labelled(with_rotated_tail(g_.reshape(k, {head, 1, u, 1}), positions_), GraphLabel::k);

  const std::int64_t ratio = attention.compressed->ratio;
  const Compressor& compressor = ratio == kHeavyRatio ? heavy_ : overlapping_;
  TensorId compressed_all = kNoTensor;
  TensorId chosen = kNoTensor;
  if (ratio > 0) {
    compressed_all = compress(x, compressor,
                              {WeightName::attn_compressor_kv, WeightName::attn_compressor_gate,
                               WeightName::attn_compressor_ape, WeightName::attn_compressor_norm},
                              head);
  }
  if (ratio == kOverlappingRatio) {
    const TensorId indexer_all =
        compress(x, indexed_,
                 {WeightName::indexer_compressor_kv, WeightName::indexer_compressor_gate,
                  WeightName::indexer_compressor_ape, WeightName::indexer_compressor_norm},
                 attention.indexer_head_dim);
    chosen = choose_keys(x, compressed_q, indexer_all);
  }

  q = rotate(q, window_.k_rotation);
  k = rotate(k, window_.k_rotation);
  g_.expand(q);
  g_.expand(k);
  const TensorId window_all = store_k(k, window_);
  const auto cells = [&](TensorId all, std::int64_t n) { return cells_of(all, head, 1, n); };
  Cache read = window_;
  TensorId keys = cells(window_all, window_.n_cells);
  if (ratio > 0) {
    const std::int64_t n = compressor.cache.n_cells;
    const TensorId more = cells(cells(compressed_all, n), n);
    keys = g_.labelled(g_.concat(keys, more, 2), GraphLabel::k);
    const TensorId open = chosen == kNoTensor
                              ? compressor.cache.mask
                              : mask_of(chosen, compressor.cache.mask, g_[window_.mask].type);
    read.mask = g_.labelled(g_.concat(window_.mask, open, 0), GraphLabel::inp_kq_mask);
  }
  const TensorId out = scores_to_values(q, keys, keys, false, read);
  return grouped_output(rotate(out, window_.k_rotation));
}

/// Turns the heads back, then projects them in groups: [head * n_head, U] -> [E, U]
TensorId GraphBuilder::grouped_output(TensorId out) {
  const Attention& attention = layer().attention;
  const std::int64_t u = request_.n_tokens;
  out = g_.reshape(out, {attention.head_dim_k, attention.n_head, u, 1});
  out = with_rotated_tail(out, positions_);
  // The runtime loads this weight as one matrix per group.
  const GraphTensor flat = g_[weight(WeightName::attn_output_a)];
  const std::int64_t n_group = attention.head_dim_k * attention.n_head / flat.ne[0];
  const std::int64_t rank = flat.ne[1] / n_group;
  const TensorId grouped =
      g_.external(flat.type, {flat.ne[0], rank, n_group, 1}, flat.buffer, flat.flags, flat.label);
  out = g_.permute(g_.reshape(out, {flat.ne[0], n_group, u, 1}), kSwapMiddle);
  out = g_.permute(g_.mul_mat(grouped, out), kSwapMiddle);
  out = linear(WeightName::attn_output_b, g_.cont(out, {rank * n_group, u, 1, 1}), false);
  return g_.labelled(out, GraphLabel::attn_out);
}

/// Makes the keys that the batch completes, stores them, and keeps the last tokens in the state.
/// -> the cache
TensorId GraphBuilder::compress(TensorId x, const Compressor& made, const CompressorWeights& names,
                                std::int64_t head) {
  const std::int64_t streams = request_.n_stream;
  const TensorId keys = linear(names.keys, x, false);
  TensorId scores = linear(names.gate, x, false);
  scores = g_.add(scores, g_.get_rows(weight(names.places), made.places));
  const std::int64_t width = g_[keys].ne[0];
  const std::int64_t row = row_bytes(GgmlType::F32, width);
  const std::int64_t rows = made.state_rows * streams;
  const int device = request_.placement->kv_device[static_cast<std::size_t>(il_)];
  const BackendId backend = device == kHost ? request_.cpu : static_cast<BackendId>(device);
  const auto state = [&] {
    return g_.external(GgmlType::F32, {width, made.state_rows, streams, 1}, backend, 0,
                       GraphLabel::recurrent_state);
  };
  const TensorId kept_keys = state();
  const TensorId kept_scores = state();
  const auto all = [&](TensorId kept) { return g_.view_2d(kept, width, rows, row); };
  const auto with_batch = [&](TensorId kept, TensorId batch) {
    return g_.concat(g_.view_2d(all(kept), width, rows, row), batch, 1);
  };
  const TensorId source_keys = with_batch(kept_keys, keys);
  const TensorId source_scores = with_batch(kept_scores, scores);
  TensorId weighted = weighted_keys(made, source_keys, source_scores, head);
  weighted = norm(weighted, names.norm);
  weighted = with_rotated_tail(weighted, made.positions);
  weighted = g_.labelled(rotate(weighted, made.cache.k_rotation), GraphLabel::k);
  const TensorId cache = store_k(weighted, made.cache);
  const TensorId last_keys = g_.get_rows(keys, made.kept_from);
  const TensorId last_scores = g_.get_rows(scores, made.kept_from);
  g_.expand(g_.set_rows(all(kept_keys), last_keys, made.kept_to));
  g_.expand(g_.set_rows(all(kept_scores), last_scores, made.kept_to));
  return cache;
}

/// Sums of the tokens of each window by their scores' soft max: -> [head, 1, N]
TensorId GraphBuilder::weighted_keys(const Compressor& made, TensorId keys, TensorId scores,
                                     std::int64_t head) {
  const Shape windows = {head, made.ratio, made.n_keys, 1};
  if (made.ratio == kOverlappingRatio) {
    // Each window with the one before, for which the first has a row of zeros.
    const auto with_empty_row = [&](TensorId t) {
      const std::int64_t width = g_[t].ne[0];
      const TensorId empty = g_.scale(g_.view_1d(t, width));
      return g_.concat(t, g_.reshape(empty, {width, 1, 1, 1}), 1);
    };
    keys = with_empty_row(keys);
    scores = with_empty_row(scores);
    keys = g_.get_rows(keys, made.read);
    scores = g_.get_rows(scores, made.read);
    const auto half = [&](TensorId t) {
      const TensorId part = g_.view_2d(t, head, made.ratio * made.n_keys, g_[t].nb[1]);
      return g_.reshape(g_.cont(part), windows);
    };
    const TensorId keys_before = half(keys);
    const TensorId scores_before = half(scores);
    keys = g_.concat(keys_before, half(keys), 1);
    scores = g_.concat(scores_before, half(scores), 1);
  } else {
    keys = g_.reshape(g_.get_rows(keys, made.read), windows);
    scores = g_.reshape(g_.get_rows(scores, made.read), windows);
  }
  keys = g_.cont(g_.permute(keys, kSwapFirst));
  scores = g_.cont(g_.permute(scores, kSwapFirst));
  const TensorId sums = g_.sum_rows(g_.mul(keys, g_.soft_max(scores, kNoTensor, kNoTensor)));
  return g_.cont(g_.permute(sums, kSwapFirst));
}

/// The indexer's best compressed keys, [top_k, U per stream, 1, streams].
TensorId GraphBuilder::choose_keys(TensorId x, TensorId compressed_q, TensorId indexer_all) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t n_cells = indexed_.cache.n_cells;
  const std::int64_t head = layer().attention.indexer_head_dim;
  TensorId q = linear(WeightName::indexer_attn_q_b, compressed_q, false);
  q = with_rotated_tail(g_.reshape(q, {head, g_[q].ne[0] / head, u, 1}), positions_);
  q = g_.labelled(rotate(q, indexed_.cache.k_rotation), GraphLabel::indexer);
  const TensorId shares = g_.scale(linear(WeightName::indexer_proj, x, false));
  const TensorId keys = cells_of(cells_of(indexer_all, head, 1, n_cells), head, 1, n_cells);
  return best_cells(q, keys, of_streams(shares), indexed_.cache.mask);
}

}  // namespace meyasu
