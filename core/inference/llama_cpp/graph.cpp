#include "core/inference/llama_cpp/graph.hpp"

#include <cstddef>
#include <utility>

namespace meyasu {
namespace {

/// block_layout() without a call for the types that nearly all tensors of a graph have.
BlockLayout layout_of(GgmlType type) {
  if (type == GgmlType::F32) return {1, 4};
  if (type == GgmlType::F16) return {1, 2};
  return block_layout(type);
}

/// Strides of a tensor without gaps.
Shape dense_strides(GgmlType type, const Shape& ne) {
  const BlockLayout layout = layout_of(type);
  Shape nb{};
  nb[0] = layout.bytes;
  nb[1] = layout.block == 1 ? nb[0] * ne[0] : nb[0] * (ne[0] / layout.block);
  nb[2] = nb[1] * ne[1];
  nb[3] = nb[2] * ne[2];
  return nb;
}

}  // namespace

std::string_view graph_op_name(GraphOp op) {
  static constexpr std::array<std::string_view, 46> kNames = {
      "none",     "view",      "reshape",    "permute",    "transpose",
      "add",      "sub",       "mul",        "div",        "scale",
      "clamp",    "fill",      "add_id",     "unary",      "sqr",
      "sqrt",     "log",       "rope",       "rms_norm",   "soft_max",
      "norm",     "l2_norm",   "group_norm", "get_rows",   "set_rows",
      "cpy",      "cont",      "concat",     "repeat",     "pad",
      "pool",     "set",       "sum_rows",   "argsort",    "top_k",
      "glu",      "mul_mat",   "mul_mat_id", "flash_attn", "ssm_conv",
      "ssm_scan", "delta_net", "rwkv_wkv",   "indexer",    "hyper_connection",
      ""};
  return kNames[static_cast<std::size_t>(op)];
}

std::string_view graph_label_name(GraphLabel label) {
  static constexpr std::array<std::string_view, 44> kNames = {"",
                                                              "weight",
                                                              "kv_cache",
                                                              "recurrent_state",
                                                              "inp_tokens",
                                                              "inp_embd",
                                                              "inp_pos",
                                                              "inp_out_ids",
                                                              "inp_kv_idxs",
                                                              "inp_kq_mask",
                                                              "inp_rot",
                                                              "inp_s_copy",
                                                              "inp_attn_scale",
                                                              "embd",
                                                              "norm",
                                                              "Qcur",
                                                              "Kcur",
                                                              "Vcur",
                                                              "wqkv",
                                                              "kq",
                                                              "kqv",
                                                              "indexer",
                                                              "attn_out",
                                                              "ffn_inp",
                                                              "ffn_gate",
                                                              "ffn_up",
                                                              "ffn_act",
                                                              "ffn_down",
                                                              "ffn_out",
                                                              "ffn_moe_logits",
                                                              "ffn_moe_weights",
                                                              "ffn_moe_gate",
                                                              "ffn_moe_up",
                                                              "ffn_moe_act",
                                                              "ffn_moe_down",
                                                              "ffn_moe_out",
                                                              "ssm_in",
                                                              "ssm_conv",
                                                              "ssm_scan",
                                                              "ssm_out",
                                                              "l_out",
                                                              "result_norm",
                                                              "result_output",
                                                              ""};
  return kNames[static_cast<std::size_t>(label)];
}

Bytes graph_tensor_bytes(const GraphTensor& tensor) {
  for (const std::int64_t n : tensor.ne) {
    if (n <= 0) return 0;
  }
  const BlockLayout layout = layout_of(tensor.type);
  Bytes bytes = layout.block == 1 ? layout.bytes + (tensor.ne[0] - 1) * tensor.nb[0]
                                  : tensor.ne[0] * tensor.nb[0] / layout.block;
  for (std::size_t i = 1; i < 4; ++i) bytes += (tensor.ne[i] - 1) * tensor.nb[i];
  return bytes;
}

bool is_contiguous(const GraphTensor& tensor) {
  // Dimensions of one element may have any stride.
  const BlockLayout layout = layout_of(tensor.type);
  std::int64_t next = layout.bytes;
  if (tensor.ne[0] != layout.block && tensor.nb[0] != next) return false;
  next *= tensor.ne[0] / layout.block;
  for (std::size_t i = 1; i < 4; ++i) {
    if (tensor.ne[i] == 1) continue;
    if (tensor.nb[i] != next) return false;
    next *= tensor.ne[i];
  }
  return true;
}

void Graph::clear() {
  tensors_.clear();
  sources_.clear();
  nodes_.clear();
  leafs_.clear();
  layer_ = -1;
}

TensorId Graph::push(GraphOp op, GgmlType type, const Shape& ne, const Shape& nb, TensorId root,
                     const TensorId* sources, int count) {
  GraphTensor& tensor = tensors_.emplace_back();
  tensor.ne = ne;
  tensor.nb = nb;
  tensor.root = root;
  tensor.source_begin = static_cast<std::int32_t>(sources_.size());
  tensor.type = type;
  tensor.op = op;
  tensor.layer = layer_;
  for (int i = 0; i < count; ++i) {
    if (sources[i] == kNoTensor) continue;
    sources_.push_back(sources[i]);
    ++tensor.source_count;
  }
  return static_cast<TensorId>(tensors_.size() - 1);
}

TensorId Graph::op(GraphOp op, GgmlType type, Shape ne, std::initializer_list<TensorId> sources) {
  return push(op, type, ne, dense_strides(type, ne), kNoTensor, sources.begin(),
              static_cast<int>(sources.size()));
}

TensorId Graph::external(GgmlType type, Shape ne, BackendId buffer, std::uint8_t flags,
                         GraphLabel label) {
  const TensorId id = op(GraphOp::none, type, ne, {});
  GraphTensor& tensor = (*this)[id];
  tensor.buffer = buffer;
  tensor.flags = flags;
  tensor.label = label;
  return id;
}

TensorId Graph::input(GgmlType type, Shape ne, GraphLabel label) {
  const TensorId id = op(GraphOp::none, type, ne, {});
  (*this)[id].flags = GraphTensor::kInput;
  (*this)[id].label = label;
  return id;
}

TensorId Graph::layout_copy(TensorId id) {
  const GraphTensor from = (*this)[id];
  const TensorId copy = push(GraphOp::none, from.type, from.ne, from.nb, kNoTensor, nullptr, 0);
  (*this)[copy].label = from.label;
  (*this)[copy].layer = from.layer;
  return copy;
}

TensorId Graph::dependency(TensorId id, const TensorId* sources, int count) {
  const GraphTensor from = (*this)[id];
  return push(GraphOp::none, from.type, from.ne, from.nb, root_of(id), sources, count);
}

TensorId Graph::push_view(GraphOp op, TensorId a, const Shape& ne, const Shape& nb) {
  return push(op, (*this)[a].type, ne, nb, root_of(a), &a, 1);
}

TensorId Graph::view_1d(TensorId a, std::int64_t ne0) {
  const Shape ne = {ne0, 1, 1, 1};
  return push_view(GraphOp::view, a, ne, dense_strides((*this)[a].type, ne));
}

TensorId Graph::view_2d(TensorId a, std::int64_t ne0, std::int64_t ne1, std::int64_t nb1) {
  const std::int64_t nb0 = layout_of((*this)[a].type).bytes;
  return push_view(GraphOp::view, a, {ne0, ne1, 1, 1}, {nb0, nb1, nb1 * ne1, nb1 * ne1});
}

TensorId Graph::view_3d(TensorId a, std::int64_t ne0, std::int64_t ne1, std::int64_t ne2,
                        std::int64_t nb1, std::int64_t nb2) {
  const std::int64_t nb0 = layout_of((*this)[a].type).bytes;
  return push_view(GraphOp::view, a, {ne0, ne1, ne2, 1}, {nb0, nb1, nb2, nb2 * ne2});
}

TensorId Graph::view_4d(TensorId a, Shape ne, std::int64_t nb1, std::int64_t nb2,
                        std::int64_t nb3) {
  return push_view(GraphOp::view, a, ne, {layout_of((*this)[a].type).bytes, nb1, nb2, nb3});
}

TensorId Graph::reshape(TensorId a, Shape ne) {
  return push_view(GraphOp::reshape, a, ne, dense_strides((*this)[a].type, ne));
}

TensorId Graph::permute(TensorId a, const std::array<int, 4>& axes) {
  Shape ne{};
  Shape nb{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto to = static_cast<std::size_t>(axes[i]);
    ne[to] = (*this)[a].ne[i];
    nb[to] = (*this)[a].nb[i];
  }
  return push_view(GraphOp::permute, a, ne, nb);
}

TensorId Graph::transpose(TensorId a) {
  Shape ne = (*this)[a].ne;
  Shape nb = (*this)[a].nb;
  std::swap(ne[0], ne[1]);
  std::swap(nb[0], nb[1]);
  return push_view(GraphOp::transpose, a, ne, nb);
}

TensorId Graph::set_rows(TensorId destination, TensorId data, TensorId indices) {
  return push_onto(GraphOp::set_rows, destination, {data, indices, destination});
}

TensorId Graph::cpy(TensorId from, TensorId to) {
  return push_onto(GraphOp::cpy, to, {from, to});
}

TensorId Graph::cast(TensorId a, GgmlType type) {
  const Shape ne = (*this)[a].ne;
  return op(GraphOp::cpy, type, ne, {a});
}

TensorId Graph::push_onto(GraphOp op, TensorId target, std::initializer_list<TensorId> sources) {
  const Shape ne = (*this)[target].ne;
  const Shape nb = (*this)[target].nb;
  return push(op, (*this)[target].type, ne, nb, root_of(target), sources.begin(),
              static_cast<int>(sources.size()));
}

TensorId Graph::scale_inplace(TensorId a) {
  return push_onto(GraphOp::scale, a, {a});
}

TensorId Graph::clamp_inplace(TensorId a) {
  return push_onto(GraphOp::clamp, a, {a});
}

TensorId Graph::add_inplace(TensorId a, TensorId b) {
  return push_onto(GraphOp::add, a, {a, b});
}

TensorId Graph::like(GraphOp op_kind, std::initializer_list<TensorId> sources) {
  const GraphTensor& first = (*this)[*sources.begin()];
  return op(op_kind, first.type, first.ne, sources);
}

TensorId Graph::rope(TensorId a, TensorId positions, TensorId factors) {
  return like(GraphOp::rope, {a, positions, factors});
}

TensorId Graph::soft_max(TensorId a, TensorId mask, TensorId sinks) {
  return like(GraphOp::soft_max, {a, mask, sinks});
}

TensorId Graph::cont(TensorId a) {
  return op(GraphOp::cont, (*this)[a].type, (*this)[a].ne, {a});
}

TensorId Graph::cont(TensorId a, Shape ne) {
  return op(GraphOp::cont, (*this)[a].type, ne, {a});
}

TensorId Graph::mul_mat(TensorId w, TensorId x) {
  const GraphTensor& right = (*this)[x];
  return op(GraphOp::mul_mat, GgmlType::F32,
            {(*this)[w].ne[1], right.ne[1], right.ne[2], right.ne[3]}, {w, x});
}

TensorId Graph::mul_mat_id(TensorId w, TensorId x, TensorId ids) {
  return op(GraphOp::mul_mat_id, GgmlType::F32,
            {(*this)[w].ne[1], (*this)[ids].ne[0], (*this)[x].ne[2], 1}, {w, x, ids});
}

TensorId Graph::get_rows(TensorId a, TensorId indices) {
  const GraphTensor& from = (*this)[a];
  const GraphTensor& rows = (*this)[indices];
  const GgmlType type = from.type == GgmlType::I32 ? GgmlType::I32 : GgmlType::F32;
  return op(GraphOp::get_rows, type, {from.ne[0], rows.ne[0], rows.ne[1], rows.ne[2]},
            {a, indices});
}

TensorId Graph::glu_halves(TensorId a) {
  Shape ne = (*this)[a].ne;
  ne[0] /= 2;
  return op(GraphOp::glu, (*this)[a].type, ne, {a});
}

TensorId Graph::concat(TensorId a, TensorId b, int dimension) {
  Shape ne = (*this)[a].ne;
  const auto d = static_cast<std::size_t>(dimension);
  ne[d] += (*this)[b].ne[d];
  return op(GraphOp::concat, (*this)[a].type, ne, {a, b});
}

TensorId Graph::repeat(TensorId a, Shape ne) {
  return op(GraphOp::repeat, (*this)[a].type, ne, {a});
}

TensorId Graph::pad_rows(TensorId a, std::int64_t extra) {
  Shape ne = (*this)[a].ne;
  ne[0] += extra;
  return op(GraphOp::pad, (*this)[a].type, ne, {a});
}

TensorId Graph::sum_rows(TensorId a) {
  Shape ne = (*this)[a].ne;
  ne[0] = 1;
  return op(GraphOp::sum_rows, (*this)[a].type, ne, {a});
}

TensorId Graph::top_k(TensorId a, std::int64_t k) {
  const TensorId sorted = op(GraphOp::argsort, GgmlType::I32, (*this)[a].ne, {a});
  const GraphTensor& all = (*this)[sorted];
  return view_4d(sorted, {k, all.ne[1], all.ne[2], all.ne[3]}, all.nb[1], all.nb[2], all.nb[3]);
}

TensorId Graph::flash_attn(TensorId q, TensorId k, TensorId v, TensorId mask, TensorId sinks) {
  const GraphTensor& query = (*this)[q];
  return op(GraphOp::flash_attn, GgmlType::F32,
            {(*this)[v].ne[0], query.ne[2], query.ne[1], query.ne[3]}, {q, k, v, mask, sinks});
}

void Graph::expand(TensorId id) {
  if ((*this)[id].has(GraphTensor::kVisited)) return;
  (*this)[id].flags |= GraphTensor::kVisited;
  stack_.clear();
  stack_.emplace_back(id, 0);
  while (!stack_.empty()) {
    auto& [current, slot] = stack_.back();
    const GraphTensor& tensor = (*this)[current];
    if (slot < tensor.source_count) {
      const TensorId next = source(tensor, slot++);
      if (!(*this)[next].has(GraphTensor::kVisited)) {
        (*this)[next].flags |= GraphTensor::kVisited;
        stack_.emplace_back(next, 0);
      }
      continue;
    }
    (tensor.op == GraphOp::none ? leafs_ : nodes_).push_back(current);
    stack_.pop_back();
  }
}

}  // namespace meyasu
