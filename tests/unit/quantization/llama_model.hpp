// A Llama-shaped model built by hand, for sizes that no header in tests/truth has.
#pragma once

#include <string>

#include "core/model/model.hpp"

namespace meyasu::truth {

struct LlamaShape {
  std::int64_t n_layer = 0;
  std::int64_t n_embd = 0;
  std::int64_t n_head = 0;
  std::int64_t n_head_kv = 0;
  std::int64_t n_ff = 0;
  std::int64_t n_vocab = 0;
  bool tied = false;
};

inline constexpr LlamaShape kLlama70B{80, 8192, 64, 8, 28672, 128256};

inline Model llama_model(const LlamaShape& shape) {
  Model model;
  model.architecture = "llama";
  model.n_embd = shape.n_embd;
  model.n_vocab = shape.n_vocab;
  model.tied_embeddings = shape.tied;
  const auto add = [&model](std::string name, TensorRole role, std::int64_t k, std::int64_t n) {
    Tensor tensor;
    tensor.name = std::move(name);
    tensor.ne = {k, n, 1, 1};
    tensor.n_dims = n == 1 ? 1 : 2;
    tensor.type = n == 1 ? GgmlType::F32 : GgmlType::F16;
    tensor.role = role;
    model.tensors.push_back(std::move(tensor));
  };
  const std::int64_t kv = shape.n_embd / shape.n_head * shape.n_head_kv;
  add("token_embd.weight", TensorRole::embedding, shape.n_embd, shape.n_vocab);
  for (std::int64_t il = 0; il < shape.n_layer; ++il) {
    Layer layer;
    layer.attention.n_head = shape.n_head;
    layer.attention.n_head_kv = shape.n_head_kv;
    layer.feed_forward.n_ff = shape.n_ff;
    model.layers.push_back(layer);
    const std::string block = "blk." + std::to_string(il) + ".";
    add(block + "attn_norm.weight", TensorRole::norm, shape.n_embd, 1);
    add(block + "attn_q.weight", TensorRole::attention, shape.n_embd, shape.n_embd);
    add(block + "attn_k.weight", TensorRole::attention, shape.n_embd, kv);
    add(block + "attn_v.weight", TensorRole::attention, shape.n_embd, kv);
    add(block + "attn_output.weight", TensorRole::attention, shape.n_embd, shape.n_embd);
    add(block + "ffn_norm.weight", TensorRole::norm, shape.n_embd, 1);
    add(block + "ffn_gate.weight", TensorRole::feed_forward, shape.n_embd, shape.n_ff);
    add(block + "ffn_up.weight", TensorRole::feed_forward, shape.n_embd, shape.n_ff);
    add(block + "ffn_down.weight", TensorRole::feed_forward, shape.n_ff, shape.n_embd);
  }
  add("output_norm.weight", TensorRole::norm, shape.n_embd, 1);
  if (!shape.tied) add("output.weight", TensorRole::output_head, shape.n_embd, shape.n_vocab);
  return model;
}

}  // namespace meyasu::truth
