// Expected figures: measured rows of Llama-3.1-8B Q4_K_M with 8k context, and the worked example of
// the graph (n_outputs 1: 121 645 088 bytes on the device, 25 178 144 on the host).
#include "core/inference/llama_cpp/estimate.hpp"

#include <catch_amalgamated.hpp>

#include "core/quantization/mix.hpp"
#include "tests/unit/inference/compute_truth.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

Model llama_q4() {
  Model model = truth_model("Llama-3.1-8B");
  const auto mix = quantize_mix(model, Ftype::Q4_K_M, {});
  REQUIRE(mix.ok());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    model.tensors[i].type = mix.value().types[i];
  }
  return model;
}

LlamaCppSettings one_gpu() {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::cli);
  settings.n_ctx = 8192;
  settings.flash_attention = FlashAttention::on;
  settings.devices.push_back(emulated_device(0));
  return settings;
}

const Term* find(const LlamaCppEstimate& estimate, std::string_view id, std::string_view device) {
  for (const Term& term : estimate.terms) {
    if (term.id == id && term.device == device) return &term;
  }
  return nullptr;
}

Bytes bytes_of(const LlamaCppEstimate& estimate, std::string_view id, std::string_view device) {
  const Term* term = find(estimate, id, device);
  return term == nullptr ? 0 : term->bytes;
}

}  // namespace

TEST_CASE("Llama-3.1-8B at 8k takes what the runtime allocates, term by term") {
  const Model model = llama_q4();
  const auto estimate = estimate_llama_cpp(model, one_gpu());
  REQUIRE(estimate.ok());
  CHECK(bytes_of(estimate.value(), "weights", "gpu0") == 4617396480);
  CHECK(bytes_of(estimate.value(), "kv_cache", "gpu0") == 1024 * kMiB);
  CHECK(bytes_of(estimate.value(), "compute_buffer", "gpu0") == 121645088);
  CHECK(bytes_of(estimate.value(), "compute_buffer", "host") == 25178144);
  CHECK(bytes_of(estimate.value(), "output_buffer", "host") == 128256 * 4);
  CHECK(bytes_of(estimate.value(), "weights_mapped", "host") == 295501824);
  CHECK(total_on(estimate.value(), "gpu0") == 4617396480 + 1024 * kMiB + 121645088);
  CHECK(total_on(estimate.value(), "host", Amount::likely, false) == 25178144 + 128256 * 4);
  CHECK(estimate.value().warnings.empty());
}

TEST_CASE("every term names its formula, device and source, and its range holds its value") {
  const Model model = llama_q4();
  LlamaCppSettings settings = one_gpu();
  settings.devices[0] = LlamaCppDevice{};
  settings.devices[0].n_sm = 82;
  const auto estimate = estimate_llama_cpp(model, settings);
  REQUIRE(estimate.ok());
  for (const Term& term : estimate.value().terms) {
    INFO(term.id);
    CHECK_FALSE(term.device.empty());
    CHECK_FALSE(term.formula.expression.empty());
    CHECK_FALSE(term.source.empty());
    CHECK(term.low <= term.bytes);
    CHECK(term.bytes <= term.high);
    CHECK(term.bytes > 0);
  }
  const Term* context = find(estimate.value(), "runtime_context", "gpu0");
  REQUIRE(context != nullptr);
  CHECK(context->evidence == Evidence::measured);
  CHECK(total_on(estimate.value(), "gpu0", Amount::low) <
        total_on(estimate.value(), "gpu0", Amount::high));
}

TEST_CASE("the cost of the layers adds up to the terms") {
  const Model model = truth_model("Gemma-3-4B");
  const auto estimate = estimate_llama_cpp(model, one_gpu()).value();
  Bytes kv = 0;
  for (const LayerCost& layer : estimate.layers.blocks) kv += layer.kv_cache;
  CHECK(estimate.layers.blocks.size() == 34);
  CHECK(kv ==
        bytes_of(estimate, "kv_cache", "gpu0") + bytes_of(estimate, "kv_cache_window", "gpu0"));
  CHECK(estimate.layers.blocks[5].kv_cache >
        estimate.layers.blocks[4].kv_cache);  // every sixth is full
}

TEST_CASE("parts beside the model are terms of their own") {
  const Model model = llama_q4();
  Model adapter;
  Tensor tensor;
  tensor.name = "blk.31.attn_q.weight.lora_a";
  tensor.ne = {4096, 16, 1, 1};
  tensor.n_dims = 2;
  adapter.tensors.push_back(tensor);
  LlamaCppParts parts;
  parts.draft = std::make_shared<const Model>(truth_model("Llama-3.2-1B"));
  parts.adapters = {std::make_shared<const Model>(adapter)};
  parts.mmproj = std::make_shared<const Model>(adapter);
  LlamaCppSettings settings = one_gpu();
  settings.parts = std::make_shared<const LlamaCppParts>(parts);
  const auto estimate = estimate_llama_cpp(model, settings);
  REQUIRE(estimate.ok());
  CHECK(bytes_of(estimate.value(), "lora_weights", "gpu0") == 4096 * 16 * 2);
  CHECK(bytes_of(estimate.value(), "mmproj_weights", "gpu0") == 4096 * 16 * 2);
  // The draft's cache follows the target's context: 16 layers of 8 heads of 64.
  CHECK(bytes_of(estimate.value(), "draft_kv_cache", "gpu0") == 16 * 8192 * 2 * 512 * 2);
  parts.mmproj_on_gpu = false;
  parts.draft_n_gpu_layers = 0;
  settings.parts = std::make_shared<const LlamaCppParts>(parts);
  const auto on_host = estimate_llama_cpp(model, settings).value();
  CHECK(bytes_of(on_host, "mmproj_weights", "host") == 4096 * 16 * 2);
  CHECK(bytes_of(on_host, "draft_kv_cache", "host") == 16 * 8192 * 2 * 512 * 2);
}

TEST_CASE("a projector of a known size and an adapter of a known rank have those bytes") {
  const Model base = truth_model("Llama-3.1-8B");
  CHECK(mmproj_of_bytes(1'139 * kMiB).weight_bytes() == 1'139 * kMiB);
  // q and o: 4096 x 4096, k and v: 4096 x 1024; up and gate: 4096 x 14336, down the other way.
  const Bytes attention = 32 * 16 * (2 * (4096 + 4096) + 2 * (4096 + 1024)) * 2;
  const Bytes forward = Bytes{32} * 16 * 3 * (4096 + 14336) * 2;
  CHECK(lora_of_rank(base, 16, LoraTargets::attention).weight_bytes() == attention);
  CHECK(lora_of_rank(base, 16, LoraTargets::linear).weight_bytes() == attention + forward);
}

TEST_CASE("drafted tokens are rows of logits more, in a server's graph") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppSettings settings = one_gpu();
  settings.n_outputs_max = 2;
  settings.n_draft = 16;
  CHECK(normalize(settings, model).value().n_outputs == 34);
  settings.n_draft = -1;
  CHECK(normalize(settings, model).error().field == "n_draft");
}

TEST_CASE("a prediction block is loaded with a cache of its own when asked for") {
  const Model model = truth_model("GLM-4.5-Air");
  LlamaCppSettings settings = one_gpu();
  const auto without = estimate_llama_cpp(model, settings).value();
  CHECK(find(without, "mtp_kv_cache", "gpu0") == nullptr);
  settings.load_mtp = true;
  const auto with = estimate_llama_cpp(model, settings).value();
  CHECK(bytes_of(with, "mtp_kv_cache", "gpu0") == 1472 * kMiB / 46);
  CHECK(bytes_of(with, "kv_cache", "gpu0") == 1472 * kMiB);
  CHECK(bytes_of(with, "weights", "gpu0") > bytes_of(without, "weights", "gpu0"));
}

TEST_CASE("an unknown architecture is said, not passed off as known") {
  Model model = llama_q4();
  model.architecture = "not-a-model";
  model.unknowns.emplace_back("arch_unknown:not-a-model");
  const auto estimate = estimate_llama_cpp(model, one_gpu());
  REQUIRE(estimate.ok());
  CHECK_FALSE(estimate.value().compute.graph_known);
  bool said = false;
  for (const Error& warning : estimate.value().warnings) said |= warning.code == "arch_unknown";
  CHECK(said);
  for (const Term& term : estimate.value().terms) {
    if (term.id == "compute_buffer") CHECK(term.evidence == Evidence::assumed);
  }
  CHECK(bytes_of(estimate.value(), "weights", "gpu0") == 4617396480);
}

TEST_CASE("programs of the family start with their own defaults") {
  const LlamaCppSettings server = default_settings(LlamaCppProgram::server);
  CHECK(server.n_seq == 4);
  CHECK(server.kv_unified);
  CHECK(server.n_outputs_max == 4);
  CHECK(default_settings(LlamaCppProgram::cli).n_seq == 1);
  CHECK(default_settings(LlamaCppProgram::library).swa_full);
  CHECK(default_settings(LlamaCppProgram::ollama).n_ctx == 4096);
}

TEST_CASE("an encoder keeps no cache; its buffers follow the batch, not the context") {
  const Model model = truth_model("bge-m3");
  REQUIRE(model.is_encoder);
  LlamaCppSettings settings = one_gpu();
  settings.n_ubatch = 512;
  const auto estimate = estimate_llama_cpp(model, settings);
  REQUIRE(estimate.ok());
  CHECK(estimate.value().compute.graph_known);
  CHECK(bytes_of(estimate.value(), "weights", "gpu0") == 605265920);
  CHECK(bytes_of(estimate.value(), "compute_buffer", "gpu0") == 13113376);
  CHECK(bytes_of(estimate.value(), "compute_buffer", "host") == 6821920);
  CHECK(find(estimate.value(), "kv_cache", "gpu0") == nullptr);
  CHECK(find(estimate.value(), "kv_cache", "host") == nullptr);

  // What it is leaves no doubt, but longer texts than a micro-batch would be refused.
  REQUIRE(estimate.value().warnings.size() == 1);
  CHECK(estimate.value().warnings.front().code == "text_over");
  CHECK(estimate.value().warnings.front().detail == "512");

  // A row of logits and a vector: one at start, one per token after the first full batch.
  const Term* output = find(estimate.value(), "output_buffer", "host");
  REQUIRE(output != nullptr);
  CHECK(output->low == (250002 + 1024) * 4);
  CHECK(output->bytes == Bytes{512} * (250002 + 1024) * 4);
  CHECK(output->high == output->bytes);

  settings.n_ctx = 131072;
  const auto longer = estimate_llama_cpp(model, settings);
  CHECK(total_on(longer.value(), "gpu0") == total_on(estimate.value(), "gpu0"));
  settings.n_ubatch = 2048;
  const auto wider = estimate_llama_cpp(model, settings);
  CHECK(total_on(wider.value(), "gpu0") > total_on(longer.value(), "gpu0"));
}

TEST_CASE("an encoder reads a batch at once, whatever the batch is said to be") {
  LlamaCppSettings settings = one_gpu();
  settings.n_ctx = 256;
  settings.n_batch = 2048;
  settings.n_ubatch = 1024;
  const Model model = truth_model("ModernBERT-base");
  const auto context = normalize(settings, model);
  REQUIRE(context.ok());
  CHECK(context.value().n_batch == 1024);
  CHECK(context.value().n_tokens == 256);
  CHECK(context.value().n_outputs == 256);
  CHECK(context.value().n_cells_swa == 0);
  CHECK(context.value().purpose == Purpose::embeddings);
  CHECK(context.value().warnings.empty());  // no text is longer than the context
  CHECK(normalize(settings, truth_model("bge-reranker-v2-m3")).value().purpose == Purpose::ranking);
}

TEST_CASE("llama-embed gets a cache that it does not read") {
  const auto estimate = estimate_llama_cpp(truth_model("Llama-Embed-1B"), one_gpu());
  REQUIRE(estimate.ok());
  CHECK(bytes_of(estimate.value(), "kv_cache", "gpu0") == 256 * kMiB);
  CHECK(estimate.value().compute.graph_known);
}

TEST_CASE("of encoders, those that the runtime gives a head load the token table twice") {
  const auto twice = [](const char* name) {
    const Model model = truth_model(name);
    const auto estimate = estimate_llama_cpp(model, one_gpu());
    // Everything but the table, and a copy of that.
    return bytes_of(estimate.value(), "weights", "gpu0") >= model.weight_bytes();
  };
  CHECK(twice("embeddinggemma-300m"));
  CHECK_FALSE(twice("EuroBERT-210m"));
}

TEST_CASE("T5 keeps the cache of its decoder, and vectors of its encoder beside the logits") {
  const Model model = truth_model("flan-t5-base");
  CHECK(model.unknowns.empty());
  LlamaCppSettings settings = one_gpu();
  settings.n_ctx = 512;
  const auto estimate = estimate_llama_cpp(model, settings);
  REQUIRE(estimate.ok());
  CHECK(estimate.value().compute.graph_known);
  CHECK(bytes_of(estimate.value(), "kv_cache", "gpu0") == Bytes{12} * 2 * 768 * 512 * 2);
  CHECK(bytes_of(estimate.value(), "output_buffer", "host") == (32128 + 768) * 4);

  // Its decoder reads the encoder's result: without those weights there is no graph.
  Model damaged = model;
  std::erase_if(damaged.tensors, [](const Tensor& tensor) {
    return tensor.name.find("cross_attn_k") != std::string::npos;
  });
  CHECK_FALSE(llama_cpp_compute_buffers(damaged, settings).value().graph_known);
}
