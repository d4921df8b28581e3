// Sparse attention: an indexer with small heads and a cache of its own chooses what attention
// reads; cells (DeepSeek 3.2, GLM 5) or blocks of positions (MiniMax M3).
#include <algorithm>

#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {

/// DeepSeek 3.2's lightning indexer: scores every cell by small heads of its own and returns the
/// best, [top_k, U per stream, 1, streams]. `compressed_q` [q_lora_rank, U].
TensorId GraphBuilder::choose_cells(TensorId x, TensorId compressed_q) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t head = layer().attention.indexer_head_dim;
  const std::int64_t rot = layer().attention.mla->qk_rope_head_dim;
  const std::int64_t row = row_bytes(GgmlType::F32, head);
  const auto turned = [&](TensorId from, std::int64_t n_head) {
    const TensorId rotary = g_.view_3d(from, rot, n_head, u, row, row * n_head);
    const TensorId rest = g_.view_3d(from, head - rot, n_head, u, row, row * n_head);
    const TensorId both = g_.concat(g_.rope(rotary, positions_, kNoTensor), rest, 0);
    return g_.labelled(g_.mul_mat(indexer_.k_rotation, both), GraphLabel::indexer);
  };
  TensorId q = linear(WeightName::indexer_attn_q_b, compressed_q, false);
  q = turned(q, g_[q].ne[0] / head);
  TensorId k = linear(WeightName::indexer_attn_k, x, false);
  k = turned(norm(k, WeightName::indexer_k_norm, NormKind::layer), 1);
  const TensorId k_all = store_k(k, indexer_);
  const TensorId shares = linear(WeightName::indexer_proj, x, false);
  const TensorId keys = cells_of(k_all, head, 1, indexer_.n_cells);
  return best_cells(q, keys, g_.scale(of_streams(shares)), indexer_.mask);
}

/// An indexer's factors [heads, U] as [heads, U per stream, 1, streams].
TensorId GraphBuilder::of_streams(TensorId shares) {
  const std::int64_t streams = request_.n_stream;
  const GraphTensor all = g_[shares];
  return g_.view_4d(shares, {all.ne[0], all.ne[1] / streams, 1, streams}, all.nb[1],
                    all.nb[2] / streams, all.nb[3] / streams);
}

/// Scores `keys` [head, 1, cells, streams] by q [head, n_head, U] and returns the best,
/// [top_k, U per stream, 1, streams]. `shares`: see of_streams.
TensorId GraphBuilder::best_cells(TensorId q, TensorId keys, TensorId shares, TensorId mask) {
  const std::int64_t streams = request_.n_stream;
  const std::int64_t n_cells = g_[keys].ne[2];
  const GraphTensor heads = g_[q];
  const std::int64_t u = heads.ne[2] / streams;
  q = g_.view_4d(q, {heads.ne[0], heads.ne[1], u, streams}, heads.nb[1], heads.nb[2],
                 heads.nb[3] / streams);
  const TensorId scores =
      g_.op(GraphOp::indexer, GgmlType::F32, {n_cells, u, 1, streams}, {q, keys, shares, mask});
  g_.labelled(scores, GraphLabel::indexer);
  const std::int64_t top_k = std::min(n_cells, model_.hparams.indexer_top_k);
  return g_.cont(g_.op(GraphOp::top_k, GgmlType::I32, {top_k, u, 1, streams}, {scores}));
}

/// `mask` where only the chosen cells are open, by zeros of type `opened`.
TensorId GraphBuilder::mask_of(TensorId chosen, TensorId mask, GgmlType opened) {
  const GraphTensor all = g_[mask];
  const GraphTensor picks = g_[chosen];
  const std::int64_t streams = all.ne[3];
  TensorId closed = g_.fill(mask);
  closed = g_.view_4d(closed, {1, all.ne[0], all.ne[1], streams}, all.nb[0], all.nb[1], all.nb[2]);
  const TensorId indices = g_.view_4d(chosen, {picks.ne[0], picks.ne[1], streams, 1}, picks.nb[1],
                                      picks.nb[2], streams * picks.nb[3]);
  const TensorId zeros = g_.op(GraphOp::none, opened, {1, picks.ne[0], picks.ne[1], streams}, {});
  const TensorId chosen_rows = g_.set_rows(closed, g_.fill(zeros), indices);
  const GraphTensor rows = g_[chosen_rows];
  const TensorId as_mask = g_.view_4d(chosen_rows, {all.ne[0], all.ne[1], 1, streams}, rows.nb[2],
                                      rows.nb[3], rows.nb[3]);
  return g_.labelled(g_.add(as_mask, mask), GraphLabel::inp_kq_mask);
}

/// Without flash attention, or with sequences mixed in one cache, MiniMax M3 attends to everything.
bool GraphBuilder::attends_to_blocks() const {
  return traits_.sparse == Sparse::blocks && request_.flash_attention &&
         has(WeightName::indexer_q_proj) && request_.n_stream == request_.n_seq;
}

void GraphBuilder::make_block_inputs() {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t streams = request_.n_stream;
  const std::int64_t size = model_.hparams.indexer_block_size;
  const std::int64_t positions = round_up(request_.n_positions, size);
  indexer_.n_cells = request_.n_cells;
  indexer_.k_idxs = g_.input(GgmlType::I64, {u, 1, 1, 1}, GraphLabel::inp_kv_idxs);
  blocks_.local_bias =
      g_.input(GgmlType::F32, {positions / size, u, 1, 1}, GraphLabel::inp_kq_mask);
  blocks_.position_mask = g_.input(GgmlType::F32, {positions, u, 1, 1}, GraphLabel::inp_kq_mask);
  blocks_.cell_of_position =
      g_.input(GgmlType::I32, {positions, streams, 1, 1}, GraphLabel::inp_kv_idxs);
  blocks_.block_of_cell =
      g_.input(GgmlType::I32, {request_.n_cells, streams, 1, 1}, GraphLabel::inp_kv_idxs);
  blocks_.mask = g_.cast(full_.mask, GgmlType::F32);
}

/// MiniMax M3: each group of heads reads the best blocks of positions, stream by stream.
/// q [head, n_head, U], k and v [head, n_head_kv, U] -> [n_embd, U]
TensorId GraphBuilder::attend_to_blocks(TensorId x, const Qkv& projected) {
  const std::int64_t u = request_.n_tokens;
  const std::int64_t width = layer().attention.indexer_head_dim;
  TensorId index_q = linear(WeightName::indexer_q_proj, x, false);
  TensorId index_k = linear(WeightName::indexer_k_proj, x, false);
  const std::int64_t n_group = g_[index_q].ne[0] / width;
  index_q = g_.reshape(index_q, {width, n_group, u, 1});
  index_k = g_.reshape(index_k, {width, 1, u, 1});
  index_q = rope(norm(index_q, WeightName::indexer_q_norm));
  index_k = rope(norm(index_k, WeightName::indexer_k_norm));
  const TensorId index_all = store_k(index_k, indexer_);

  const TensorId q = rotate(projected.q, full_.k_rotation);
  const TensorId k = rotate(projected.k, full_.k_rotation);
  const TensorId v = rotate(projected.v, full_.v_rotation);
  for (const TensorId each : {q, k, v}) g_.expand(each);
  const TensorId k_all = store_k(k, full_);
  const TensorId v_all = store_v(v, full_);
  const Attention& attention = layer().attention;
  const TensorId index_cells = cells_of(index_all, width, 1, request_.n_cells);
  const TensorId k_cells =
      cells_of(k_all, attention.head_dim_k, attention.n_head_kv, request_.n_cells);
  const TensorId v_cells =
      cells_of(v_all, attention.head_dim_v, attention.n_head_kv, request_.n_cells);
  TensorId out = kNoTensor;
  for (std::int64_t stream = 0; stream < request_.n_stream; ++stream) {
    const TensorId mask = block_mask(index_q, index_cells);
    const TensorId part = attend_by_group(q, k_cells, v_cells, mask);
    out = stream == 0 ? part : g_.concat(out, part, 1);
  }
  return linear(WeightName::attn_output, rotate(out, full_.v_rotation));
}

/// Scores every position of one stream, takes the best blocks and opens them in a mask of cells,
/// [cells, tokens, 1, groups] in half precision.
TensorId GraphBuilder::block_mask(TensorId index_q, TensorId index_cells) {
  const std::int64_t cells = request_.n_cells;
  const std::int64_t tokens = request_.n_tokens / request_.n_stream;
  const GraphTensor query = g_[index_q];
  const std::int64_t width = query.ne[0];
  const std::int64_t n_group = query.ne[1];
  const std::int64_t positions = g_[blocks_.cell_of_position].ne[0];
  const std::int64_t n_block = g_[blocks_.local_bias].ne[0];
  const std::int64_t n_best = std::min(model_.hparams.indexer_top_k, n_block);
  const auto per_token = [&](TensorId t) {
    const GraphTensor rows = g_[t];
    return g_.view_3d(t, rows.ne[0], 1, tokens, rows.nb[1], rows.nb[1]);
  };
  const TensorId q = g_.view_3d(index_q, width, n_group, tokens, query.nb[1], query.nb[2]);
  const TensorId keys = g_.view_2d(index_cells, width, cells, g_[index_cells].nb[2]);
  const TensorId cell_of_position = g_.view_1d(blocks_.cell_of_position, positions);
  const TensorId position_mask = per_token(blocks_.position_mask);
  const TensorId bias = per_token(blocks_.local_bias);

  TensorId scores = g_.mul_mat(g_.get_rows(keys, cell_of_position),
                               g_.reshape(q, {width, n_group * tokens, 1, 1}));
  scores = g_.labelled(g_.reshape(scores, {positions, n_group, tokens, 1}), GraphLabel::indexer);
  scores = g_.add_inplace(scores, position_mask);
  TensorId best = g_.op(GraphOp::pool, GgmlType::F32, {n_block, n_group, tokens, 1}, {scores});
  best = g_.op(GraphOp::top_k, GgmlType::I32, {n_best, n_group, tokens, 1}, {g_.add(best, bias)});

  TensorId closed = g_.cast(g_.scale(bias), GgmlType::F16);
  closed = g_.repeat(closed, {n_block, n_group, tokens, 1});
  const TensorId zeros = g_.scale(g_.cast(best, GgmlType::F32));
  TensorId open = g_.set_rows(g_.reshape(closed, {1, n_block, n_group * tokens, 1}),
                              g_.reshape(zeros, {1, n_best, n_group * tokens, 1}),
                              g_.reshape(best, {n_best, n_group * tokens, 1, 1}));
  open = g_.cont(g_.permute(g_.reshape(open, {n_block, n_group, tokens, 1}), kSwapMiddle));
  open = g_.cont(g_.transpose(g_.reshape(open, {n_block, tokens * n_group, 1, 1})));
  open = g_.get_rows(open, g_.view_1d(blocks_.block_of_cell, cells));
  open = g_.reshape(g_.cont(g_.transpose(open)), {cells, tokens, n_group, 1});
  const GraphTensor all = g_[blocks_.mask];
  open = g_.add_inplace(open, g_.view_3d(blocks_.mask, cells, tokens, 1, all.nb[1], all.nb[3]));
  open = g_.cast(g_.reshape(open, {cells, tokens, 1, n_group}), GgmlType::F16);
  return g_.labelled(open, GraphLabel::inp_kq_mask);
}

/// Flash attention of one stream with the groups of heads as sequences. -> [head * n_head, tokens]
TensorId GraphBuilder::attend_by_group(TensorId q, TensorId k_cells, TensorId v_cells,
                                       TensorId mask) {
  const std::int64_t tokens = request_.n_tokens / request_.n_stream;
  const std::int64_t n_group = layer().attention.n_head_kv;
  const GraphTensor query = g_[q];
  const auto by_group = [&](TensorId cells) {
    const GraphTensor all = g_[cells];
    const TensorId stream =
        g_.view_4d(cells, {all.ne[0], all.ne[1], all.ne[2], 1}, all.nb[1], all.nb[2], all.nb[3]);
    return g_.permute(stream, {0, 3, 1, 2});
  };
  q = g_.view_3d(q, query.ne[0], query.ne[1], tokens, query.nb[1], query.nb[2]);
  q = g_.reshape(q, {query.ne[0], query.ne[1] / n_group, n_group, tokens});
  q = g_.permute(q, {0, 2, 3, 1});
  const TensorId k = by_group(k_cells);
  const TensorId v = by_group(v_cells);
  TensorId out = g_.labelled(g_.flash_attn(q, k, v, mask, kNoTensor), GraphLabel::kqv);
  out = g_.permute(out, {0, 1, 3, 2});
  if (!is_contiguous(g_[out])) out = g_.cont(out);
  return g_.reshape(out, {query.ne[0] * query.ne[1], tokens, 1, 1});
}

}  // namespace meyasu
