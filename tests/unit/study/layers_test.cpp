// The per-layer view: blocks and what lies outside them are the terms of the same estimate.
#include <catch_amalgamated.hpp>
#include <string_view>

#include "core/inference/machine.hpp"
#include "core/study/library.hpp"
#include "tests/unit/support/catalogs.hpp"

namespace meyasu {
namespace {

struct Sum {
  Bytes weights = 0;
  Bytes kv_cache = 0;
  Bytes recurrent_state = 0;
};

Sum sum_of(const LayerCosts& costs) {
  Sum sum;
  for (const LayerCost& block : costs.blocks) {
    sum.weights += block.weights;
    sum.kv_cache += block.kv_cache;
    sum.recurrent_state += block.recurrent_state;
  }
  return sum;
}

/// Of every term whose id begins so, on every device.
Bytes terms_of(const std::vector<Term>& terms, std::string_view id) {
  Bytes bytes = 0;
  for (const Term& term : terms) {
    if (term.id.starts_with(id)) bytes += term.bytes;
  }
  return bytes;
}

/// Full, sliding, latent, recurrent beside full, window with experts, chunked.
constexpr const char* kModels[] = {"meta-llama/Llama-3.1-8B",
                                   "google/gemma-3-27b-it",
                                   "deepseek-ai/DeepSeek-V2-Lite",
                                   "Qwen/Qwen3-Next-80B-A3B-Instruct",
                                   "ibm-granite/granite-4.0-h-small",
                                   "openai/gpt-oss-20b",
                                   "meta-llama/Llama-4-Scout-17B-16E-Instruct"};

TEST_CASE("llama.cpp: layers and what is outside them are its weights and its cache", "[layers]") {
  for (const char* id : kModels) {
    CAPTURE(id);
    InferenceStudy study(catalog_model_of(id));
    LlamaCppSettings settings =
        settings_for(LlamaCppProgram::server, {.context = 8192, .users = 2}).value();
    settings.devices.resize(1);
    const auto estimate = study.llama_cpp("F16", settings).value();
    const Sum sum = sum_of(estimate.layers);
    CHECK(sum.kv_cache == terms_of(estimate.terms, "kv_cache"));
    CHECK(sum.recurrent_state == terms_of(estimate.terms, "recurrent_state"));
    // Buffers pad each tensor to 128 bytes.
    const Bytes weights = terms_of(estimate.terms, "weights");
    CHECK(sum.weights + estimate.layers.outside_weights <= weights);
    CHECK(weights - sum.weights - estimate.layers.outside_weights <=
          static_cast<Bytes>(study.model().tensors.size()) * 128);
  }
}

TEST_CASE("a server: layers of a rank are its weights, and its users' pages of the pool",
          "[layers]") {
  for (const char* id : kModels) {
    for (const std::int64_t tp : {1, 2}) {
      for (const std::int64_t users : {1, 3}) {
        CAPTURE(id, tp, users);
        InferenceStudy study(catalog_model_of(id));
        ServingSettings settings;
        settings.device_total = 141 * kGiB;
        settings.max_model_len = 8192;
        settings.parallel.tp = tp;
        const auto estimate = study.serving("bf16", settings).value();
        const LayerCosts layers = layers_for_users(estimate, users);
        CHECK(layers.blocks.size() == study.model().layers.size());
        const Sum sum = sum_of(layers);
        CHECK(sum.weights + layers.outside_weights == terms_of(estimate.terms, "weights"));
        CHECK(layers.outside_cache >= 0);
        CHECK(sum.kv_cache + sum.recurrent_state + layers.outside_cache ==
              bytes_for_users(estimate, users) - terms_of(estimate.terms, "") +
                  terms_of(estimate.terms, "kv_pool"));
      }
    }
  }
}

TEST_CASE("a pipeline stage lists its own layers", "[layers]") {
  InferenceStudy study(catalog_model_of("meta-llama/Llama-3.1-8B"));
  ServingSettings settings;
  settings.device_total = 80 * kGiB;
  settings.max_model_len = 8192;
  settings.parallel.pp = 2;
  const auto estimate = study.serving("bf16", settings).value();
  REQUIRE(estimate.layers.blocks.size() == 16);
  CHECK(estimate.layers.blocks.front().layer == 16 * estimate.stage);
  CHECK(sum_of(estimate.layers).weights + estimate.layers.outside_weights ==
        terms_of(estimate.terms, "weights"));
}

TEST_CASE("a server without room for a page still says what a user's layers need", "[layers]") {
  InferenceStudy study(catalog_model_of("meta-llama/Llama-3.1-8B"));
  ServingSettings settings;
  settings.device_total = 8 * kGiB;
  settings.max_model_len = 8192;
  const auto estimate = study.serving("bf16", settings).value();
  CHECK_FALSE(estimate.starts);
  // K and V, 8 heads of 128 values, 2 bytes each.
  const Bytes kept = 8192 * 2 * 8 * 128 * 2;
  CHECK(layers_for_users(estimate, 2).blocks.front().kept() == 2 * kept);
  CHECK(pool_margin(estimate, 1) == -32 * kept);
}

TEST_CASE("Transformers: layers are its weights and its cache at the peak", "[layers]") {
  for (const char* id : kModels) {
    for (const std::size_t n_gpu : {0U, 1U, 2U}) {
      for (const std::int64_t prompt : {0, 64}) {
        CAPTURE(id, n_gpu, prompt);
        InferenceStudy study(catalog_model_of(id));
        LibraryQuestion question{.format = "bf16", .context = 8192, .users = 2, .prompt = prompt};
        question.gpus.resize(n_gpu);
        const auto estimate = estimate_library(study, question).value();
        const Sum sum = sum_of(estimate.layers);
        CHECK(sum.weights + estimate.layers.outside_weights == terms_of(estimate.terms, "weights"));
        CHECK(sum.kv_cache == terms_of(estimate.terms, "kv_cache"));
        CHECK(sum.recurrent_state == terms_of(estimate.terms, "recurrent_state"));
        const int last = n_gpu == 0 ? -1 : static_cast<int>(n_gpu) - 1;
        CHECK(estimate.layers.blocks.back().device == last);
      }
    }
  }
}

TEST_CASE("ExLlama: layers are its weights and its cache, on the card that holds them",
          "[layers]") {
  for (const char* id : kModels) {
    CAPTURE(id);
    InferenceStudy study(catalog_model_of(id));
    LibraryQuestion question{
        .runtime = LibraryRuntime::exllamav3, .format = "exl3-4bpw", .context = 8192, .users = 2};
    question.k_bits = 6;
    question.v_bits = 5;
    question.gpus.resize(2);
    for (ExllamaGpu& gpu : question.gpus) gpu.usable = 6 * kGiB;
    const auto estimate = estimate_library(study, question);
    if (!estimate) {
      CHECK(estimate.error().code == "runtime_arch");  // latent attention
      continue;
    }
    const Sum sum = sum_of(estimate.value().layers);
    const auto& terms = estimate.value().terms;
    CHECK(sum.weights + estimate.value().layers.outside_weights == terms_of(terms, "weights"));
    CHECK(sum.kv_cache == terms_of(terms, "kv_cache"));
    CHECK(sum.recurrent_state == terms_of(terms, "recurrent_state"));
    for (const int device : {0, 1}) {
      Bytes kv = 0;
      for (const LayerCost& block : estimate.value().layers.blocks) {
        if (block.device == device) kv += block.kv_cache;
      }
      Bytes term = 0;
      for (const Term& each : terms) {
        if (each.id == "kv_cache" && each.device == "gpu" + std::to_string(device)) {
          term += each.bytes;
        }
      }
      CHECK(kv == term);
    }
  }
}

TEST_CASE("runtimes store the same layer differently", "[layers]") {
  const auto costs = [](const char* id, auto kept) {
    InferenceStudy study(catalog_model_of(id));
    ServingSettings settings;
    settings.device_total = 141 * kGiB;
    settings.max_model_len = 32768;
    const auto server = layers_for_users(study.serving("bf16", settings).value(), 1);
    LibraryQuestion question{.format = "bf16", .context = 32768};
    question.gpus.resize(1);
    const auto library = estimate_library(study, question).value().layers;
    kept(study.model(), server.blocks, library.blocks);
  };
  // DeepSeek-V2-Lite: the server keeps the latent of 512 + 64 values, Transformers 16 heads of
  // 128 + 64 + 128.
  costs("deepseek-ai/DeepSeek-V2-Lite", [](const Model& model, auto server, auto library) {
    CHECK(layer_class(model.layers[3]) == LayerClass::mla);
    CHECK(server[3].kept() == 32768 * (512 + 64) * 2);
    CHECK(library[3].kept() == 32768 * 16 * (128 + 64 + 128) * 2);
  });
  // gemma-3-27b: a window of 1024, pages for a batch more with the server; 16 heads of 128.
  costs("google/gemma-3-27b-it", [](const Model& model, auto server, auto library) {
    constexpr Bytes kToken = 16 * (128 + 128) * 2;
    CHECK(layer_class(model.layers[0]) == LayerClass::sliding);
    CHECK(library[0].kept() == 1024 * kToken);
    CHECK(server[0].kept() > library[0].kept());
    CHECK(server[0].kept() < server[5].kept());
    CHECK(layer_class(model.layers[5]) == LayerClass::full);
    CHECK(server[5].kept() == 32768 * kToken);
    CHECK(library[5].kept() == 32768 * kToken);
    const auto classes = cost_by_class(model, library);
    REQUIRE(classes.size() == 2);
    CHECK(classes[0].kind == LayerClass::sliding);
    CHECK(classes[0].n_layer == 52);
    CHECK(classes[0].kept.least == classes[0].kept.most);
    CHECK(classes[1].n_layer == 10);
  });
}

}  // namespace
}  // namespace meyasu
