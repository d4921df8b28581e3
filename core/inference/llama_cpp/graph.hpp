// The computation graph of one batch, as far as memory needs it: tensors with shapes, strides and
// sources, in the order in which the runtime would execute them. Nothing is computed here.
//
// Source: ggml/src/ggml.c (tensor constructors, ggml_build_forward_expand) of llama.cpp release
// v0.5.0. Index based and reusable, because one estimate builds 1000 to 4000 tensors and a slider
// asks for hundreds of estimates a second.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "core/quantization/ggml_type.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

/// A permutation: the second and third dimension change places.
inline constexpr std::array<int, 4> kSwapMiddle = {0, 2, 1, 3};

/// Index of a tensor in its Graph.
using TensorId = std::int32_t;
inline constexpr TensorId kNoTensor = -1;

/// Backend number in a schedule: GPUs from 0, the CPU last.
using BackendId = std::int16_t;
inline constexpr BackendId kNoBackend = -1;

enum class GraphOp : std::uint8_t {
  none,  // weights, caches, inputs, copies between backends
  // the four "view ops": never computed, transparent to the scheduler
  view,
  reshape,
  permute,
  transpose,
  // element-wise work that may overwrite a source of the same layout
  add,
  sub,
  mul,
  div,
  scale,
  clamp,
  fill,
  add_id,
  unary,
  sqr,
  sqrt,
  log,
  rope,
  rms_norm,
  soft_max,
  // everything else gets memory of its own
  norm,
  l2_norm,
  group_norm,
  get_rows,
  set_rows,
  cpy,
  cont,
  concat,
  repeat,
  pad,
  pool,
  set,
  sum_rows,
  argsort,
  top_k,
  glu,
  mul_mat,
  mul_mat_id,
  flash_attn,
  ssm_conv,
  ssm_scan,
  delta_net,
  rwkv_wkv,
  indexer,
  hyper_connection,
};

[[nodiscard]] constexpr bool is_view_op(GraphOp op) {
  return op >= GraphOp::view && op <= GraphOp::transpose;
}
[[nodiscard]] constexpr bool can_overwrite_source(GraphOp op) {
  return op >= GraphOp::add && op <= GraphOp::soft_max;
}
[[nodiscard]] std::string_view graph_op_name(GraphOp op);

/// What a tensor is, for the explanation of a peak. Names are those of llama.cpp's graph dumps.
enum class GraphLabel : std::uint8_t {
  none,
  weight,
  kv_cache,
  recurrent_state,
  inp_tokens,
  inp_embd,
  inp_pos,
  inp_out_ids,
  inp_kv_idxs,
  inp_kq_mask,
  inp_rotation,
  inp_s_copy,
  inp_attn_scale,
  embd,
  norm,
  q,
  k,
  v,
  qkv,
  kq,
  kqv,
  indexer,
  attn_out,
  ffn_inp,
  ffn_gate,
  ffn_up,
  ffn_act,
  ffn_down,
  ffn_out,
  moe_router,
  moe_weights,
  moe_gate,
  moe_up,
  moe_act,
  moe_down,
  moe_out,
  ssm_in,
  ssm_conv,
  ssm_scan,
  ssm_out,
  l_out,
  result_norm,
  logits,
};
[[nodiscard]] std::string_view graph_label_name(GraphLabel label);

struct GraphTensor {
  static constexpr std::uint8_t kInput = 1;     // written before the graph runs: always on the host
  static constexpr std::uint8_t kOutput = 2;    // read after the graph ran: never reused or freed
  static constexpr std::uint8_t kWeight = 4;    // decides where an operation runs
  static constexpr std::uint8_t kPlain = 8;     // weight in a plain host buffer (not repacked)
  static constexpr std::uint8_t kVisited = 16;  // already in the node or leaf list

  std::array<std::int64_t, 4> ne = {1, 1, 1, 1};  // elements
  std::array<std::int64_t, 4> nb = {0, 0, 0, 0};  // strides in bytes; nb[0] is one block
  TensorId root = kNoTensor;      // views: the tensor finally viewed, no view itself
  std::int32_t source_begin = 0;  // into the graph's list of sources
  std::uint8_t source_count = 0;
  GgmlType type = GgmlType::F32;
  GraphOp op = GraphOp::none;
  std::uint8_t flags = 0;
  BackendId buffer = kNoBackend;  // backend of memory owned elsewhere: weights, caches, states
  GraphLabel label = GraphLabel::none;
  std::int16_t layer = -1;

  [[nodiscard]] bool is_view() const { return root != kNoTensor; }
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] std::int64_t elements() const { return ne[0] * ne[1] * ne[2] * ne[3]; }
};

/// Bytes from the first to the last element, gaps of strided tensors included; 0 if empty.
[[nodiscard]] Bytes graph_tensor_bytes(const GraphTensor& tensor);
[[nodiscard]] bool is_contiguous(const GraphTensor& tensor);

using Shape = std::array<std::int64_t, 4>;

/// Tensors are only described by the constructors; expand() appends a tensor and all that it needs
/// to the execution order, sources first. References to tensors are invalidated by constructors.
class Graph {
 public:
  void clear();

  [[nodiscard]] const GraphTensor& operator[](TensorId id) const {
    return tensors_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] GraphTensor& operator[](TensorId id) {
    return tensors_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::size_t size() const { return tensors_.size(); }
  [[nodiscard]] TensorId source(const GraphTensor& tensor, int slot) const {
    return sources_[static_cast<std::size_t>(tensor.source_begin) + static_cast<std::size_t>(slot)];
  }
  void set_source(const GraphTensor& tensor, int slot, TensorId id) {
    sources_[static_cast<std::size_t>(tensor.source_begin) + static_cast<std::size_t>(slot)] = id;
  }
  [[nodiscard]] const std::vector<TensorId>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<TensorId>& leafs() const { return leafs_; }

  /// Layer number given to every tensor made from now on; -1 outside the blocks.
  void set_layer(std::int16_t layer) { layer_ = layer; }
  TensorId labelled(TensorId id, GraphLabel label) {
    (*this)[id].label = label;
    return id;
  }

  // --- tensors without an operation
  /// Memory owned elsewhere (weight, cache, state).
  TensorId external(GgmlType type, Shape ne, BackendId buffer, std::uint8_t flags,
                    GraphLabel label);
  TensorId input(GgmlType type, Shape ne, GraphLabel label);
  /// Same type, shape and strides as `id`: the copy of it on another backend.
  TensorId layout_copy(TensorId id);
  /// An op-less view of `id` that depends on `sources`: keeps them alive up to where it is placed.
  TensorId dependency(TensorId id, const TensorId* sources, int count);

  // --- views
  /// Strides of the dimensions above the given ones follow from the shape.
  TensorId view_1d(TensorId a, std::int64_t ne0);
  TensorId view_2d(TensorId a, std::int64_t ne0, std::int64_t ne1, std::int64_t nb1);
  TensorId view_3d(TensorId a, std::int64_t ne0, std::int64_t ne1, std::int64_t ne2,
                   std::int64_t nb1, std::int64_t nb2);
  TensorId view_4d(TensorId a, Shape ne, std::int64_t nb1, std::int64_t nb2, std::int64_t nb3);
  TensorId reshape(TensorId a, Shape ne);
  /// Dimension i of `a` becomes dimension axes[i].
  TensorId permute(TensorId a, const std::array<int, 4>& axes);
  TensorId transpose(TensorId a);
  /// Writes rows of `data` into `destination`: a view of the destination.
  TensorId set_rows(TensorId destination, TensorId data, TensorId indices);
  TensorId cpy(TensorId from, TensorId to);
  TensorId scale_inplace(TensorId a);
  TensorId clamp_inplace(TensorId a);
  TensorId add_inplace(TensorId a, TensorId b);

  // --- results with the layout of the first source, made contiguous
  TensorId add(TensorId a, TensorId b) { return like(GraphOp::add, {a, b}); }
  TensorId sub(TensorId a, TensorId b) { return like(GraphOp::sub, {a, b}); }
  TensorId mul(TensorId a, TensorId b) { return like(GraphOp::mul, {a, b}); }
  TensorId div(TensorId a, TensorId b) { return like(GraphOp::div, {a, b}); }
  TensorId add_id(TensorId a, TensorId b, TensorId ids) {
    return like(GraphOp::add_id, {a, b, ids});
  }
  TensorId scale(TensorId a) { return like(GraphOp::scale, {a}); }
  TensorId clamp(TensorId a) { return like(GraphOp::clamp, {a}); }
  TensorId fill(TensorId a) { return like(GraphOp::fill, {a}); }
  TensorId unary(TensorId a) { return like(GraphOp::unary, {a}); }
  TensorId sqr(TensorId a) { return like(GraphOp::sqr, {a}); }
  TensorId rms_norm(TensorId a) { return like(GraphOp::rms_norm, {a}); }
  TensorId norm(TensorId a) { return like(GraphOp::norm, {a}); }
  TensorId l2_norm(TensorId a) { return like(GraphOp::l2_norm, {a}); }
  /// Absent sources (kNoTensor) are left out.
  TensorId rope(TensorId a, TensorId positions, TensorId factors);
  TensorId soft_max(TensorId a, TensorId mask, TensorId sinks);
  TensorId like(GraphOp op, std::initializer_list<TensorId> sources);

  // --- results of another shape
  TensorId cont(TensorId a);
  TensorId cont(TensorId a, Shape ne);
  TensorId cast(TensorId a, GgmlType type);  // same shape, another type
  /// w [k, m], x [k, n, ...] -> [m, n, ...]
  TensorId mul_mat(TensorId w, TensorId x);
  /// w [k, m, n_expert], x [k, 1 or n_used, n], ids [n_used, n] -> [m, n_used, n]
  TensorId mul_mat_id(TensorId w, TensorId x, TensorId ids);
  TensorId get_rows(TensorId a, TensorId indices);
  TensorId glu(TensorId gate, TensorId up) { return like(GraphOp::glu, {gate, up}); }
  /// One source that holds gate and up in the two halves of its rows.
  TensorId glu_halves(TensorId a);
  TensorId concat(TensorId a, TensorId b, int dimension);
  TensorId repeat(TensorId a, Shape ne);
  TensorId pad_rows(TensorId a, std::int64_t extra);
  TensorId sum_rows(TensorId a);
  /// The first k columns of argsort: a view of it.
  TensorId top_k(TensorId a, std::int64_t k);
  TensorId flash_attn(TensorId q, TensorId k, TensorId v, TensorId mask, TensorId sinks);
  TensorId op(GraphOp op, GgmlType type, Shape ne, std::initializer_list<TensorId> sources);

  void expand(TensorId id);

 private:
  /// `ne` and `nb` must not be those of a tensor of this graph: its list may move.
  TensorId push(GraphOp op, GgmlType type, const Shape& ne, const Shape& nb, TensorId root,
                const TensorId* sources, int count);
  TensorId push_view(GraphOp op, TensorId a, const Shape& ne, const Shape& nb);
  /// A view of all of `target`.
  TensorId push_onto(GraphOp op, TensorId target, std::initializer_list<TensorId> sources);
  [[nodiscard]] TensorId root_of(TensorId id) const {
    return (*this)[id].is_view() ? (*this)[id].root : id;
  }

  std::vector<GraphTensor> tensors_;
  std::vector<TensorId> sources_;
  std::vector<TensorId> nodes_;
  std::vector<TensorId> leafs_;
  std::vector<std::pair<TensorId, int>> stack_;  // of expand(): tensor, next source slot
  std::int16_t layer_ = -1;
};

}  // namespace meyasu
