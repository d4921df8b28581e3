#include "core/inference/llama_cpp/parts.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace meyasu {
namespace {

constexpr std::array<std::string_view, 6> kAttention = {".attn_q.weight",      ".attn_k.weight",
                                                        ".attn_v.weight",      ".attn_qkv.weight",
                                                        ".attn_output.weight", ".attn_out.weight"};
constexpr std::array<std::string_view, 3> kFeedForward = {".ffn_gate.weight", ".ffn_up.weight",
                                                          ".ffn_down.weight"};

bool is_one_of(std::string_view name, auto endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

Tensor matrix(std::string name, int layer, std::int64_t k, std::int64_t n) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.layer = layer;
  tensor.ne = {k, n, 1, 1};
  tensor.n_dims = 2;
  tensor.type = GgmlType::F16;
  return tensor;
}

}  // namespace

Model mmproj_of_bytes(Bytes bytes) {
  Model model;
  model.architecture = "clip";
  model.provenance = Provenance::count;
  Tensor tensor;
  tensor.name = "mmproj";
  tensor.ne = {bytes, 1, 1, 1};
  tensor.n_dims = 1;
  tensor.type = GgmlType::I8;
  model.tensors.push_back(std::move(tensor));
  return model;
}

Model lora_of_rank(const Model& base, std::int64_t rank, LoraTargets targets) {
  Model adapter;
  adapter.architecture = base.architecture;
  for (const Tensor& tensor : base.tensors) {
    const bool chosen = is_one_of(tensor.name, kAttention) ||
                        (targets == LoraTargets::linear && is_one_of(tensor.name, kFeedForward));
    if (!chosen || tensor.n_dims != 2) continue;
    adapter.tensors.push_back(matrix(tensor.name + ".lora_a", tensor.layer, tensor.ne[0], rank));
    adapter.tensors.push_back(matrix(tensor.name + ".lora_b", tensor.layer, rank, tensor.ne[1]));
  }
  return adapter;
}

}  // namespace meyasu
