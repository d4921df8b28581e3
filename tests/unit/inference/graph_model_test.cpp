// Files that lack a weight, or have one that belongs to another architecture: a graph or a range
// for every one of them, never a crash. The sanitizers see what the numbers do not show.
#include "core/inference/llama_cpp/graph_model.hpp"

#include <array>
#include <catch_amalgamated.hpp>
#include <map>
#include <set>
#include <string>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "tests/unit/inference/compute_truth.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppSettings small_run() {
  LlamaCppSettings settings;
  settings.n_ctx = 512;
  settings.n_batch = settings.n_ubatch = 64;
  settings.devices = {emulated_device(0)};
  settings.n_outputs_max = 1;
  return settings;
}

/// "blk.3.attn_q.weight" -> "attn_q.weight"
std::string part_of(const Tensor& tensor) {
  if (tensor.layer < 0) return tensor.name;
  const std::string block = "blk." + std::to_string(tensor.layer) + ".";
  const std::size_t at = tensor.name.find(block);
  return tensor.name.substr(at + block.size());
}

std::set<std::string> parts_of(const Model& model) {
  std::set<std::string> parts;
  for (const Tensor& tensor : model.tensors) parts.insert(part_of(tensor));
  return parts;
}

// One file of every family whose blocks have weights of their own.
constexpr auto kKinds = std::to_array<const char*>(
    {"ARWKV-7B",           "BLOOM-7B1",          "Bitnet-2B-4T",      "Chameleon-7B",
     "Command-A-MoE-30B",  "DeepSeek-V3.2",      "DeepSeek-V4-Flash", "Falcon-H1-1.5B",
     "Gemma-3n-E2B",       "Gemma-4-E2B",        "Gemma-4-26B-A4B",   "Granite-4.0-H-Tiny",
     "GroveMoE-33B",       "LFM2-8B-A1B",        "Llama-4-Scout",     "Kimi-Linear-48B-A3B",
     "Mamba-2.8B",         "MiniMax-M3",         "ModernBERT-base",   "Nanbeige4.2-3B",
     "Nemotron-Super-49B", "PLaMo-2-8B",         "QRWKV6-32B",        "Qwen1.5-MoE-A2.7B",
     "Qwen3-Next-80B-A3B", "Qwen3.5-9B",         "RWKV-6-World-1.6B", "RWKV-7-World-0.4B",
     "Talkie-13B",         "bge-reranker-v2-m3", "flan-t5-base",      "nomic-embed-text-v2-moe"});

void check_estimate(const Model& model) {
  const auto estimate = llama_cpp_compute_buffers(model, small_run());
  if (!estimate.ok()) return;  // refused is an answer, too
  REQUIRE(estimate.value().buffers.size() == 2);
  for (const ComputeBuffer& buffer : estimate.value().buffers) CHECK(buffer.bytes >= 0);
}

}  // namespace

TEST_CASE("whatever weight a file lacks, it has a graph or a range") {
  for (const char* name : kKinds) {
    const Model complete = truth_model(name);
    for (const std::string& part : parts_of(complete)) {
      INFO(name << " without " << part);
      Model model = complete;
      std::erase_if(model.tensors, [&](const Tensor& tensor) { return part_of(tensor) == part; });
      check_estimate(model);
    }
  }
}

TEST_CASE("a weight that belongs to another architecture does no harm") {
  std::map<std::string, Tensor> strangers;
  for (const char* name : kKinds) {
    for (const Tensor& tensor : truth_model(name).tensors) {
      strangers.emplace(part_of(tensor), tensor);
    }
  }
  Tensor norm = strangers.at("ffn_norm.weight");
  norm.name = "blk.0.ffn_norm_exps.weight";  // Arctic's, of which no file is at hand
  strangers.emplace("ffn_norm_exps.weight", norm);
  for (const char* name : {"Llama-3.2-1B", "Qwen1.5-MoE-A2.7B", "Nemotron-Super-49B"}) {
    const Model plain = truth_model(name);
    const std::set<std::string> own = parts_of(plain);
    for (const auto& [part, tensor] : strangers) {
      if (own.contains(part)) continue;
      INFO(name << " with " << part);
      Model model = plain;
      model.tensors.push_back(tensor);
      if (tensor.layer >= 0) {
        model.tensors.back().layer = 0;
        model.tensors.back().name = "blk.0." + part;
      }
      check_estimate(model);
    }
  }
}

TEST_CASE("of a pruned block one matrix of the attention can be left, or nothing") {
  const Model model = truth_model("Nemotron-Super-49B");
  std::size_t il = 0;
  while (model.layers[il].kind != LayerKind::feed_forward_only) ++il;
  const std::string block = "blk." + std::to_string(il) + ".";
  const ComputeBuffers usual = llama_cpp_compute_buffers(model, small_run()).value();
  CHECK(usual.graph_known);

  Model linear = model;  // Nemotron 51B
  for (const char* name : {"attn_norm.weight", "attn_output.weight"}) {
    linear.tensors.push_back(*model.find_tensor("blk.0." + std::string(name)));
    linear.tensors.back().name = block + name;
    linear.tensors.back().layer = static_cast<int>(il);
  }
  const ComputeBuffers projected = llama_cpp_compute_buffers(linear, small_run()).value();
  CHECK(projected.graph_known);
  CHECK(projected.n_nodes == usual.n_nodes + 4);  // norm, its weight, product, sum

  Model empty = model;  // Nemotron Ultra 253B
  std::erase_if(empty.tensors, [&](const Tensor& it) { return it.name.starts_with(block); });
  const ComputeBuffers shorter = llama_cpp_compute_buffers(empty, small_run()).value();
  CHECK(shorter.graph_known);
  CHECK(shorter.n_nodes == usual.n_nodes - 7);  // norm, its weight, four of the network, sum
}
