// Blocks with a state instead of a KV cache: Mamba, Mamba-2, short convolution, gated delta net.
// The state of a sequence is one row; the graph reads the rows of the batch's sequences, and copies
// those of the others (none in the worst case, so some tensors have no bytes).
#include "core/inference/llama_cpp/graph_builder.hpp"

namespace meyasu {

TensorId GraphBuilder::state_cache(std::int64_t elements) {
  const int device = request_.placement->kv_device[static_cast<std::size_t>(il_)];
  return g_.external(GgmlType::F32, {elements, request_.n_seq, 1, 1},
                     device == kHost ? request_.cpu : static_cast<BackendId>(device), 0,
                     GraphLabel::recurrent_state);
}

GraphBuilder::StateRows GraphBuilder::clear_state(TensorId cache, std::int64_t elements) {
  const TensorId rows = g_.reshape(cache, {elements, g_[cache].ne[1], 1, 1});
  g_.expand(g_.scale_inplace(g_.view_1d(rows, elements)));
  return {cache, rows};
}

void GraphBuilder::keep_other_states(const StateRows& state) {
  const GraphTensor cache = g_[state.cache];
  const TensorId others = g_.get_rows(state.rows, other_state_ids_);
  g_.expand(g_.cpy(others, g_.view_2d(state.cache, cache.ne[0], 0, cache.nb[1])));
}

TensorId GraphBuilder::load_state(TensorId cache, std::int64_t elements) {
  const StateRows state = clear_state(cache, elements);
  const TensorId own = g_.get_rows(state.rows, state_ids_);
  g_.expand(own);
  keep_other_states(state);
  return own;
}

TensorId GraphBuilder::mamba1(TensorId x) {
  const Recurrent& r = layer().recurrent;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t d_inner = r.d_inner;
  const std::int64_t d_state = r.d_state;
  const std::int64_t tail = r.d_conv - 1;

  const TensorId conv_cache = state_cache(tail * d_inner);
  TensorId conv = load_state(conv_cache, tail * d_inner);
  conv = g_.reshape(conv, {tail, d_inner, seqs, 1});
  x = g_.reshape(x, {g_[x].ne[0], tokens, seqs, 1});
  const TensorId xz = g_.labelled(linear(WeightName::ssm_in, x, false), GraphLabel::ssm_in);
  const GraphTensor projected = g_[xz];
  TensorId inner = g_.view_3d(xz, d_inner, tokens, seqs, projected.nb[1], projected.nb[2]);
  const TensorId z = g_.view_3d(xz, d_inner, tokens, seqs, projected.nb[1], projected.nb[2]);

  const TensorId extended =
      g_.labelled(g_.concat(conv, g_.transpose(inner), 0), GraphLabel::ssm_conv);
  const TensorId last_columns =
      g_.view_3d(extended, tail, d_inner, seqs, g_[extended].nb[1], g_[extended].nb[2]);
  g_.expand(g_.cpy(last_columns, g_.view_1d(conv_cache, tail * d_inner * seqs)));
  inner = g_.op(GraphOp::ssm_conv, GgmlType::F32, {d_inner, tokens, seqs, 1},
                {extended, weight(WeightName::ssm_conv1d)});
  inner = g_.add(inner, tensor_of(refs(WeightName::ssm_conv1d).bias));
  inner = g_.labelled(g_.unary(inner), GraphLabel::ssm_conv);

  const TensorId db = linear(WeightName::ssm_x, inner, false);
  const GraphTensor split = g_[db];
  const std::int64_t dt_rank = split.ne[0] - 2 * d_state;
  TensorId dt = g_.view_3d(db, dt_rank, tokens, seqs, split.nb[1], split.nb[2]);
  const Shape group = {d_state, 1, tokens, seqs};
  TensorId b = g_.view_4d(db, group, d_state * split.nb[0], split.nb[1], split.nb[2]);
  TensorId c = g_.view_4d(db, group, d_state * split.nb[0], split.nb[1], split.nb[2]);
  if (has(WeightName::ssm_dt_norm)) {
    dt = norm(dt, WeightName::ssm_dt_norm, NormKind::rms);
    b = norm(b, WeightName::ssm_b_norm, NormKind::rms);
    c = norm(c, WeightName::ssm_c_norm, NormKind::rms);
  } else if (request_.release >= LlamaCppRelease::v0_5_0) {
    dt = g_.cont(dt);
  }
  dt = g_.add(g_.mul_mat(weight(WeightName::ssm_dt), dt), tensor_of(refs(WeightName::ssm_dt).bias));

  const TensorId heads = g_.reshape(inner, {1, d_inner, tokens, seqs});
  const TensorId ssm_cache = state_cache(d_state * d_inner);
  const StateRows state = clear_state(ssm_cache, d_state * d_inner);
  const TensorId states = g_.reshape(state.rows, {d_state, 1, d_inner, g_[ssm_cache].ne[1]});
  const std::int64_t scanned = g_[heads].elements() + d_state * d_inner * seqs;
  const TensorId y_ssm = g_.op(GraphOp::ssm_scan, GgmlType::F32, {scanned, 1, 1, 1},
                               {states, heads, dt, weight(WeightName::ssm_a), b, c, state_ids_});
  g_.labelled(y_ssm, GraphLabel::ssm_scan);
  g_.expand(y_ssm);
  keep_other_states(state);
  g_.expand(g_.cpy(g_.view_1d(y_ssm, d_state * d_inner * seqs),
                   g_.view_1d(ssm_cache, d_state * d_inner * seqs)));

  const GraphTensor head_rows = g_[heads];
  TensorId y = g_.view_3d(y_ssm, d_inner, tokens, seqs, head_rows.nb[2], head_rows.nb[3]);
  y = g_.add(y, g_.mul(inner, weight(WeightName::ssm_d)));
  y = g_.glu(g_.cont(z), y);
  const TensorId out = g_.labelled(linear(WeightName::ssm_out, y, false), GraphLabel::ssm_out);
  return g_.reshape(out, {g_[out].ne[0], request_.n_tokens, 1, 1});
}

TensorId GraphBuilder::mamba2(TensorId x) {
  const Recurrent& r = layer().recurrent;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t d_inner = r.d_inner;
  const std::int64_t d_state = r.d_state;
  const std::int64_t n_group = r.n_group;
  const std::int64_t n_head = r.dt_rank;
  const std::int64_t head_dim = d_inner / n_head;
  const std::int64_t tail = r.d_conv - 1;
  const std::int64_t channels = d_inner + 2 * n_group * d_state;

  const TensorId conv_cache = state_cache(tail * channels);
  TensorId conv = load_state(conv_cache, tail * channels);
  conv = g_.reshape(conv, {tail, channels, seqs, 1});
  x = g_.reshape(x, {g_[x].ne[0], tokens, seqs, 1});
  const TensorId all = g_.labelled(linear(WeightName::ssm_in, x, false), GraphLabel::ssm_in);
  const GraphTensor rows = g_[all];  // z | x B C | dt
  const TensorId z = g_.view_4d(all, {head_dim, n_head, tokens, seqs}, head_dim * rows.nb[0],
                                rows.nb[1], rows.nb[2]);
  TensorId xbc = g_.view_3d(all, channels, tokens, seqs, rows.nb[1], rows.nb[2]);
  TensorId dt = g_.view_3d(all, n_head, tokens, seqs, rows.nb[1], rows.nb[2]);

  const TensorId extended =
      g_.labelled(g_.concat(conv, g_.transpose(xbc), 0), GraphLabel::ssm_conv);
  const TensorId last_columns =
      g_.view_3d(extended, tail, channels, seqs, g_[extended].nb[1], g_[extended].nb[2]);
  g_.expand(g_.cpy(last_columns, g_.view_1d(conv_cache, tail * channels * seqs)));
  xbc = g_.op(GraphOp::ssm_conv, GgmlType::F32, {channels, tokens, seqs, 1},
              {extended, weight(WeightName::ssm_conv1d)});
  xbc = g_.add(xbc, tensor_of(refs(WeightName::ssm_conv1d).bias));
  xbc = g_.labelled(g_.unary(xbc), GraphLabel::ssm_conv);

  const GraphTensor mixed = g_[xbc];
  const TensorId heads = g_.view_4d(xbc, {head_dim, n_head, tokens, seqs}, head_dim * mixed.nb[0],
                                    mixed.nb[1], mixed.nb[2]);
  const Shape group = {d_state, n_group, tokens, seqs};
  const TensorId b = g_.view_4d(xbc, group, d_state * mixed.nb[0], mixed.nb[1], mixed.nb[2]);
  const TensorId c = g_.view_4d(xbc, group, d_state * mixed.nb[0], mixed.nb[1], mixed.nb[2]);
  dt = g_.add(g_.cont(dt), tensor_of(refs(WeightName::ssm_dt).bias));

  const TensorId ssm_cache = state_cache(d_state * d_inner);
  const StateRows state = clear_state(ssm_cache, d_state * d_inner);
  const TensorId states = g_.reshape(state.rows, {d_state, head_dim, n_head, g_[ssm_cache].ne[1]});
  const std::int64_t scanned = g_[heads].elements() + d_state * d_inner * seqs;
  const TensorId y_ssm = g_.op(GraphOp::ssm_scan, GgmlType::F32, {scanned, 1, 1, 1},
                               {states, heads, dt, weight(WeightName::ssm_a), b, c, state_ids_});
  g_.labelled(y_ssm, GraphLabel::ssm_scan);
  g_.expand(y_ssm);
  keep_other_states(state);
  g_.expand(g_.cpy(g_.view_1d(y_ssm, d_state * d_inner * seqs),
                   g_.view_1d(ssm_cache, d_state * d_inner * seqs)));

  const std::int64_t nb1 = g_[heads].nb[1];
  TensorId y =
      g_.view_4d(y_ssm, {head_dim, n_head, tokens, seqs}, nb1, n_head * nb1, tokens * n_head * nb1);
  y = g_.add(y, g_.mul(heads, weight(WeightName::ssm_d)));
  y = g_.glu(g_.cont(z), y);
  if (has(WeightName::ssm_norm)) {
    y = g_.reshape(y, {d_inner / n_group, n_group, tokens, seqs});
    y = norm(y, WeightName::ssm_norm, NormKind::rms);
  }
  y = g_.reshape(y, {d_inner, request_.n_tokens, 1, 1});
  return g_.labelled(linear(WeightName::ssm_out, y, false), GraphLabel::ssm_out);
}

TensorId GraphBuilder::plamo2_mixer(TensorId x) {
  const Recurrent& r = layer().recurrent;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t d_inner = r.d_inner;
  const std::int64_t d_state = r.d_state;
  const std::int64_t n_head = r.dt_rank;
  const std::int64_t head_dim = d_inner / n_head;
  const std::int64_t tail = r.d_conv - 1;
  const std::int64_t channels = d_inner + 2 * r.n_group * d_state;

  const TensorId conv_cache = state_cache(tail * channels);
  TensorId conv = load_state(conv_cache, tail * channels);
  conv = g_.reshape(conv, {tail, channels, seqs, 1});
  x = g_.reshape(x, {g_[x].ne[0], tokens, seqs, 1});
  TensorId zx = g_.labelled(linear(WeightName::ssm_in, x, false), GraphLabel::ssm_in);
  zx = g_.cont(g_.permute(zx, kSwapMiddle), {2 * head_dim, n_head, tokens, seqs});
  const Shape by_head = {head_dim, n_head, tokens, seqs};
  const GraphTensor rows = g_[zx];
  const auto half = [&] { return g_.view_4d(zx, by_head, rows.nb[1], rows.nb[2], rows.nb[3]); };
  TensorId inner = g_.cont(half(), {d_inner, tokens, seqs, 1});
  const TensorId z = half();

  const TensorId extended =
      g_.labelled(g_.concat(conv, g_.transpose(inner), 0), GraphLabel::ssm_conv);
  const TensorId last_columns =
      g_.view_3d(extended, tail, d_inner, seqs, g_[extended].nb[1], g_[extended].nb[2]);
  g_.expand(g_.cpy(last_columns, g_.view_1d(conv_cache, tail * channels * seqs)));
  inner = g_.op(GraphOp::ssm_conv, GgmlType::F32, {d_inner, tokens, seqs, 1},
                {extended, weight(WeightName::ssm_conv1d)});
  inner = g_.labelled(g_.unary(inner), GraphLabel::ssm_conv);

  const TensorId all = linear(WeightName::ssm_x, inner, false);
  const GraphTensor split = g_[all];
  const std::int64_t dt_width = split.ne[0] - 2 * d_state;
  const auto part = [&](std::int64_t width) {
    return g_.view_3d(all, width, tokens, seqs, split.nb[1], split.nb[2]);
  };
  TensorId b = norm(part(d_state), WeightName::ssm_b_norm, NormKind::rms);
  TensorId c = norm(part(d_state), WeightName::ssm_c_norm, NormKind::rms);
  TensorId dt = norm(part(dt_width), WeightName::ssm_dt_norm, NormKind::rms);
  dt = linear(WeightName::ssm_dt, dt);
  const TensorId decay = g_.reshape(weight(WeightName::ssm_a), {1, n_head, 1, 1});
  const std::int64_t row = row_bytes(GgmlType::F32, head_dim);
  const TensorId heads = g_.view_4d(inner, by_head, row, row * n_head, row * n_head * tokens);
  const auto group = [&](TensorId t) {
    const GraphTensor from = g_[t];
    return g_.view_4d(t, {d_state, 1, tokens, seqs}, d_state * from.nb[0], from.nb[1], from.nb[2]);
  };
  b = group(b);
  c = group(c);

  const TensorId ssm_cache = state_cache(d_state * d_inner);
  const StateRows state = clear_state(ssm_cache, d_state * d_inner);
  const TensorId states = g_.reshape(state.rows, {d_state, head_dim, n_head, g_[ssm_cache].ne[1]});
  const std::int64_t scanned = g_[heads].elements() + d_state * d_inner * seqs;
  const TensorId y_ssm = g_.op(GraphOp::ssm_scan, GgmlType::F32, {scanned, 1, 1, 1},
                               {states, heads, dt, decay, b, c, state_ids_});
  g_.labelled(y_ssm, GraphLabel::ssm_scan);
  g_.expand(y_ssm);
  keep_other_states(state);
  g_.expand(g_.cpy(g_.view_1d(y_ssm, d_state * d_inner * seqs),
                   g_.view_1d(ssm_cache, d_state * d_inner * seqs)));

  TensorId y = g_.view_4d(y_ssm, by_head, row, row * n_head, row * n_head * tokens);
  const TensorId skip = g_.reshape(weight(WeightName::ssm_d), {1, n_head, 1, 1});
  y = g_.add(y, g_.mul(heads, skip));
  y = g_.glu(g_.cont(z), y);
  y = g_.view_3d(y, d_inner, tokens, seqs, g_[y].nb[2], g_[y].nb[3]);
  const TensorId out = g_.labelled(linear(WeightName::ssm_out, y, false), GraphLabel::ssm_out);
  return g_.reshape(out, {g_[out].ne[0], request_.n_tokens, 1, 1});
}

TensorId GraphBuilder::short_conv(TensorId x) {
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const TensorId kernel = weight(WeightName::shortconv_conv);
  const std::int64_t tail = g_[kernel].ne[0] - 1;

  x = g_.reshape(x, {g_[x].ne[0], tokens, seqs, 1});
  const TensorId bcx =
      g_.labelled(linear(WeightName::shortconv_in_proj, x, false), GraphLabel::ssm_in);
  const GraphTensor rows = g_[bcx];
  const std::int64_t width = rows.ne[0] / 3;
  const auto third = [&] { return g_.view_3d(bcx, width, tokens, seqs, rows.nb[1], rows.nb[2]); };
  const TensorId b = third();
  const TensorId c = third();
  const TensorId value = third();
  TensorId bx = g_.transpose(g_.mul(b, value));

  const TensorId cache = state_cache(tail * n_embd_);
  TensorId conv = load_state(cache, tail * n_embd_);
  conv = g_.reshape(conv, {tail, n_embd_, seqs, 1});
  bx = g_.labelled(g_.concat(conv, bx, 0), GraphLabel::ssm_conv);
  const TensorId last_columns = g_.view_3d(bx, tail, width, seqs, g_[bx].nb[1], g_[bx].nb[2]);
  g_.expand(g_.cpy(last_columns, g_.view_1d(cache, tail * n_embd_ * seqs)));
  const TensorId convolved =
      g_.op(GraphOp::ssm_conv, GgmlType::F32, {width, tokens, seqs, 1}, {bx, kernel});
  const TensorId y = g_.mul(c, convolved);
  const TensorId out =
      g_.labelled(linear(WeightName::shortconv_out_proj, y, false), GraphLabel::ssm_out);
  return g_.reshape(out, {g_[out].ne[0], request_.n_tokens, 1, 1});
}

TensorId GraphBuilder::delta_net(TensorId x) {
  const Recurrent& r = layer().recurrent;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t n_k = r.n_group;
  const std::int64_t n_v = r.dt_rank;
  const std::int64_t head_k = r.d_state;
  const std::int64_t head_v = r.d_inner / n_v;
  const std::int64_t channels = 2 * head_k * n_k + head_v * n_v;
  const std::int64_t tail = r.d_conv - 1;

  TensorId qkv = g_.labelled(linear(WeightName::attn_qkv, x, false), GraphLabel::qkv);
  qkv = g_.reshape(qkv, {g_[qkv].ne[0], tokens, seqs, 1});
  const TensorId z = g_.labelled(linear(WeightName::attn_gate, x, false), GraphLabel::ssm_in);
  const std::int64_t per_head = n_v / n_k;
  TensorId beta = kNoTensor;
  TensorId alpha = kNoTensor;
  if (has(WeightName::ssm_ba)) {  // both in one projection, interleaved by key head
    const TensorId ba = linear(WeightName::ssm_ba, x, false);
    const TensorId ba_heads = g_.reshape(ba, {2 * per_head, n_k, tokens, seqs});
    const GraphTensor split = g_[ba_heads];
    const Shape half = {per_head, n_k, tokens, seqs};
    const TensorId b = g_.view_4d(ba_heads, half, split.nb[1], split.nb[2], split.nb[3]);
    const TensorId a = g_.view_4d(ba_heads, half, split.nb[1], split.nb[2], split.nb[3]);
    beta = g_.unary(g_.cont(b));
    beta = g_.reshape(beta, {1, n_v, tokens, seqs});
    alpha = g_.cont(a, {n_v, tokens, seqs, 1});
  } else {
    beta = g_.reshape(linear(WeightName::ssm_beta, x, false), {1, n_v, tokens, seqs});
    beta = g_.unary(beta);
    alpha = g_.reshape(linear(WeightName::ssm_alpha, x, false), {n_v, tokens, seqs, 1});
  }
  TensorId gate = g_.unary(g_.add(alpha, tensor_of(refs(WeightName::ssm_dt).bias)));
  gate = g_.mul(gate, weight(WeightName::ssm_a));
  gate = g_.reshape(gate, {1, n_v, tokens, seqs});

  const TensorId conv_cache = state_cache(tail * channels);
  const TensorId ssm_cache = state_cache(head_v * head_v * n_v);
  TensorId conv = load_state(conv_cache, tail * channels);
  conv = g_.reshape(conv, {tail, channels, seqs, 1});
  const TensorId extended =
      g_.labelled(g_.concat(conv, g_.transpose(qkv), 0), GraphLabel::ssm_conv);
  const TensorId last_columns =
      g_.view_3d(extended, tail, channels, seqs, g_[extended].nb[1], g_[extended].nb[2]);
  g_.expand(
      g_.cpy(last_columns, g_.view_2d(conv_cache, tail * channels, seqs, g_[conv_cache].nb[1])));
  TensorId state = load_state(ssm_cache, head_v * head_v * n_v);
  state = g_.reshape(state, {head_v, head_v, n_v, seqs});
  TensorId mixed = g_.op(GraphOp::ssm_conv, GgmlType::F32, {channels, tokens, seqs, 1},
                         {extended, weight(WeightName::ssm_conv1d)});
  mixed = g_.labelled(g_.unary(mixed), GraphLabel::ssm_conv);

  const std::int64_t row = row_bytes(GgmlType::F32, channels);
  const std::int64_t k_row = row_bytes(GgmlType::F32, head_k);
  const auto keys = [&] {
    return g_.view_4d(mixed, {head_k, n_k, tokens, seqs}, k_row, row, row * tokens);
  };
  TensorId q = keys();
  TensorId k = keys();
  const TensorId v = g_.view_4d(mixed, {head_v, n_v, tokens, seqs},
                                row_bytes(GgmlType::F32, head_v), row, row * tokens);
  const auto unit = [&](TensorId t) { return g_.scale(g_.rms_norm(t)); };
  q = unit(q);
  k = unit(k);
  // Fused kernels repeat the heads by themselves; only Qwen3-Next's graph does it beforehand.
  if (n_k != n_v && has(WeightName::ssm_ba)) {
    const TensorId q_one = g_.reshape(q, {head_k, 1, n_k, tokens * seqs});
    const TensorId k_one = g_.reshape(k, {head_k, 1, n_k, tokens * seqs});
    const Shape repeated = {head_k, per_head, n_k, tokens * seqs};
    const TensorId q_all = g_.repeat(q_one, repeated);
    const TensorId k_all = g_.repeat(k_one, repeated);
    q = g_.reshape(q_all, {head_k, n_v, tokens, seqs});
    k = g_.reshape(k_all, {head_k, n_v, tokens, seqs});
  }
  const TensorId result =
      g_.op(GraphOp::delta_net, GgmlType::F32, {head_v * n_v, tokens * seqs + head_v * seqs, 1, 1},
            {q, k, v, gate, beta, state});
  g_.labelled(result, GraphLabel::ssm_scan);
  const std::int64_t v_row = row_bytes(GgmlType::F32, head_v);
  const TensorId output =
      g_.view_4d(result, {head_v, n_v, tokens, seqs}, v_row, v_row * n_v, v_row * n_v * tokens);
  const TensorId new_state =
      g_.view_4d(result, {head_v, head_v, n_v, seqs}, v_row, v_row * head_v, v_row * head_v * n_v);
  g_.expand(
      g_.cpy(new_state, g_.view_2d(ssm_cache, head_v * head_v * n_v, seqs, g_[ssm_cache].nb[1])));

  const TensorId z_heads = g_.reshape(z, {head_v, n_v, tokens, seqs});
  const TensorId normed = norm(output, WeightName::ssm_norm, NormKind::rms);
  TensorId gated = g_.mul(normed, g_.unary(z_heads));
  gated = g_.reshape(gated, {head_v * n_v, tokens, seqs, 1});
  const TensorId out = g_.labelled(linear(WeightName::ssm_out, gated, false), GraphLabel::ssm_out);
  return g_.reshape(out, {n_embd_, request_.n_tokens, 1, 1});
}

TensorId GraphBuilder::kimi_delta(TensorId x) {
  const Recurrent& r = layer().recurrent;
  const std::int64_t seqs = request_.n_seq;
  const std::int64_t tokens = request_.n_tokens / seqs;
  const std::int64_t head = r.head_dim;
  const std::int64_t n_head = r.d_inner / head;
  const std::int64_t tail = r.d_conv - 1;
  const std::int64_t element = row_bytes(GgmlType::F32, 1);
  const std::int64_t conv_width = 3 * tail * r.d_inner;  // of q, k and v
  const Shape by_head = {head, n_head, tokens, seqs};
  const Shape flat_heads = {head, n_head, request_.n_tokens, 1};

  const TensorId conv_cache = state_cache(conv_width);
  const TensorId conv_state = load_state(conv_cache, conv_width);
  const auto convolved = [&](WeightName projection, WeightName kernel) {
    const auto third = [&](TensorId of) {
      return g_.view_3d(of, tail, r.d_inner, seqs, tail * element, conv_width * element);
    };
    const TensorId before = third(conv_state);
    TensorId projected = g_.labelled(g_.mul_mat(weight(projection), x), GraphLabel::qkv);
    projected = g_.reshape(projected, {r.d_inner, tokens, seqs, 1});
    const TensorId extended =
        g_.labelled(g_.concat(before, g_.transpose(projected), 0), GraphLabel::ssm_conv);
    const TensorId last_columns =
        g_.view_3d(extended, tail, r.d_inner, seqs, g_[extended].nb[1], g_[extended].nb[2]);
    g_.expand(g_.cpy(last_columns, third(conv_cache)));
    const TensorId flat_kernel = g_.reshape(weight(kernel), {r.d_conv, r.d_inner, 1, 1});
    TensorId out = g_.op(GraphOp::ssm_conv, GgmlType::F32, {r.d_inner, tokens, seqs, 1},
                         {extended, flat_kernel});
    out = g_.unary(g_.reshape(out, {r.d_inner, request_.n_tokens, 1, 1}));
    return g_.reshape(g_.labelled(out, GraphLabel::ssm_conv), by_head);
  };
  TensorId q = convolved(WeightName::attn_q, WeightName::ssm_conv1d_q);
  TensorId k = convolved(WeightName::attn_k, WeightName::ssm_conv1d_k);
  const TensorId v = convolved(WeightName::attn_v, WeightName::ssm_conv1d_v);

  // One decay for every element of a head.
  TensorId decay = g_.mul_mat(weight(WeightName::ssm_f_a), x);
  decay = g_.mul_mat(weight(WeightName::ssm_f_b), decay);
  decay = g_.unary(g_.add(decay, tensor_of(refs(WeightName::ssm_dt).bias)));
  decay = g_.reshape(decay, flat_heads);
  decay = g_.mul(decay, g_.reshape(weight(WeightName::ssm_a), {1, n_head, 1, 1}));
  decay = g_.reshape(decay, by_head);
  TensorId beta = g_.mul_mat(weight(WeightName::ssm_beta), x);
  beta = g_.unary(g_.reshape(beta, {1, n_head, tokens, seqs}));
  const TensorId by_sequence = g_.reshape(x, {n_embd_, tokens, seqs, 1});

  const std::int64_t state_width = head * r.d_inner;
  const TensorId ssm_cache = state_cache(state_width);
  TensorId state = load_state(ssm_cache, state_width);
  state = g_.reshape(state, {head, head, n_head, seqs});
  q = g_.l2_norm(q);
  k = g_.l2_norm(k);
  const TensorId result =
      g_.op(GraphOp::delta_net, GgmlType::F32, {r.d_inner, request_.n_tokens + head * seqs, 1, 1},
            {q, k, v, decay, beta, state});
  g_.labelled(result, GraphLabel::ssm_scan);
  const std::int64_t row = head * element;
  TensorId out = g_.cont(g_.view_4d(result, by_head, row, row * n_head, row * n_head * tokens));
  const TensorId new_state =
      g_.view_4d(result, {head, head, n_head, seqs}, row, row * head, row * head * n_head);
  g_.expand(g_.cpy(new_state, g_.view_1d(ssm_cache, state_width * seqs)));

  TensorId gate = g_.reshape(by_sequence, {n_embd_, request_.n_tokens, 1, 1});
  gate = g_.mul_mat(weight(WeightName::ssm_g_a), gate);
  gate = g_.reshape(g_.mul_mat(weight(WeightName::ssm_g_b), gate), flat_heads);
  out = norm(g_.reshape(out, flat_heads), WeightName::ssm_norm, NormKind::rms);
  out = g_.mul(out, g_.unary(gate));
  out = g_.cont(out, {r.d_inner, request_.n_tokens, 1, 1});
  return g_.labelled(g_.mul_mat(weight(WeightName::attn_output), out), GraphLabel::attn_out);
}

}  // namespace meyasu
