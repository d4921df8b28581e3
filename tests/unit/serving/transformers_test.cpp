#include "core/serving/transformers.hpp"

#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "core/quantization/format.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;
using Catch::Matchers::WithinRel;

namespace {

TransformersEstimate estimate(const Model& model, const TransformersSettings& settings) {
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  const auto result = estimate_transformers(model, bytes, settings);
  REQUIRE(result.ok());
  return result.value();
}

const Term* find(const TransformersEstimate& estimate, const std::string& id,
                 const std::string& device = "gpu0") {
  for (const Term& term : estimate.terms) {
    if (term.id == id && term.device == device) return &term;
  }
  return nullptr;
}

Bytes bytes_of(const TransformersEstimate& e, const std::string& id,
               const std::string& device = "gpu0") {
  const Term* term = find(e, id, device);
  return term == nullptr ? 0 : term->bytes;
}

}  // namespace

TEST_CASE("logits of a whole prompt of Llama 3 at 8k are 6.3 GB in old versions",
          "[transformers]") {
  const Model model = truth_model("Llama-3.1-8B");
  TransformersSettings settings{.prompt = 8192, .all_logits = true};
  CHECK(bytes_of(estimate(model, settings), "logits") == Bytes{8192} * 128256 * 6);
  CHECK_THAT(static_cast<double>(bytes_of(estimate(model, settings), "logits")) / 1e9,
             WithinRel(6.3, 0.005));
  settings.all_logits = false;
  CHECK(bytes_of(estimate(model, settings), "logits") == Bytes{128256} * 6);
}

TEST_CASE("the dynamic cache grows with the tokens and copies one layer", "[transformers]") {
  const Model model = truth_model("Llama-3.1-8B");
  // 2 (K, V) * 32 layers * 8 heads * 128 * 2 B = 128 KiB a token.
  const auto e = estimate(model, {.prompt = 16, .context = 8192});
  CHECK(e.stages.front() == TransformersStage::decode);
  CHECK(bytes_of(e, "kv_cache") == kGiB);
  CHECK(bytes_of(e, "kv_copy") == kGiB / 32);
  const auto fixed =
      estimate(model, {.prompt = 16, .context = 8192, .cache = TransformersCache::static_full});
  CHECK(bytes_of(fixed, "kv_cache") == kGiB);
  CHECK(bytes_of(fixed, "kv_copy") == 0);
  const auto two = estimate(model, {.batch = 2, .prompt = 16, .context = 8192});
  CHECK(bytes_of(two, "kv_cache") == 2 * kGiB);
}

TEST_CASE("eager attention holds the scores of one layer", "[transformers]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto e = estimate(model, {.prompt = 4096, .attention = TransformersAttention::eager});
  CHECK(e.stages.front() == TransformersStage::prefill);
  CHECK(bytes_of(e, "attention_scores") == Bytes{32} * 4096 * 4096 * 8);
  CHECK(find(estimate(model, {.prompt = 4096}), "attention_scores") == nullptr);
}

TEST_CASE("window layers keep their window in versions since 4.56", "[transformers]") {
  const Model model = truth_model("Gemma-2-9B");  // 42 layers, every other with a window of 4096
  TransformersSettings settings{.prompt = 16, .context = 8192};
  const Bytes per_token = Bytes{2} * 8 * 256 * 2;
  CHECK(bytes_of(estimate(model, settings), "kv_cache") ==
        per_token * 21 * 8192 + per_token * 21 * 4096);
  settings.window_cache = false;
  CHECK(bytes_of(estimate(model, settings), "kv_cache") == per_token * 42 * 8192);
}

TEST_CASE("MLA models store expanded heads", "[transformers]") {
  const Model model = truth_model("DeepSeek-V2-Lite");
  // 27 layers of 16 heads: K 128 + 64, V 128, 2 B.
  CHECK(bytes_of(estimate(model, {.prompt = 16, .context = 1024}), "kv_cache") ==
        Bytes{27} * 16 * (192 + 128) * 2 * 1024);
}

TEST_CASE("device_map puts every tensor on exactly one GPU, the head on the last",
          "[transformers]") {
  for (const char* name : {"Llama-3.1-8B", "Qwen3-0.6B", "Qwen3-30B-A3B"}) {
    INFO(name);
    const Model model = truth_model(name);
    const auto one = estimate(model, {.prompt = 512});
    const auto three = estimate(model, {.prompt = 512, .n_gpu = 3});
    Bytes weights = 0;
    Bytes cache = 0;
    for (const char* gpu : {"gpu0", "gpu1", "gpu2"}) {
      weights += bytes_of(three, "weights", gpu);
      cache += bytes_of(three, "kv_cache", gpu);
    }
    CHECK(weights == bytes_of(one, "weights"));
    CHECK(cache == bytes_of(one, "kv_cache"));
    CHECK(find(three, "logits", "gpu1") == nullptr);
    CHECK(find(three, "logits", "gpu2") != nullptr);
    CHECK(three.stages.size() == 3);
  }
}

TEST_CASE("every term keeps low, likely and high in order", "[transformers]") {
  const Model model = truth_model("Llama-3.1-8B");
  for (const std::int64_t prompt : {1, 100, 8192}) {
    const auto result = estimate(model, {.prompt = prompt, .context = 8192, .all_logits = true});
    for (const Term& term : result.terms) {
      INFO(term.id);
      CHECK(term.low <= term.bytes);
      CHECK(term.bytes <= term.high);
      CHECK_FALSE(term.formula.expression.empty());
      CHECK_FALSE(term.source.empty());
    }
  }
}

TEST_CASE("absurd Transformers settings get an error", "[transformers]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  const auto code = [&](const TransformersSettings& s) {
    const auto result = estimate_transformers(model, bytes, s);
    return result.ok() ? std::string() : result.error().code;
  };
  CHECK(code({.batch = 0}) == "batch_zero");
  CHECK(code({.prompt = 0}) == "ctx_range");
  CHECK(code({.prompt = 1'000'000'000'000}) == "ctx_range");
  CHECK(code({.prompt = 100, .context = 50}) == "ctx_range");
  CHECK(code({.prompt = 100'000'000, .attention = TransformersAttention::eager}) == "ctx_range");
  CHECK(code({.n_gpu = 0}) == "gpu_count");
  CHECK(code({.n_gpu = 33}) == "gpu_count");
  CHECK(estimate_transformers(Model{}, {}, {}).error().code == "arch_unknown");
  const auto far = estimate(model, {.prompt = 200'000});
  REQUIRE(far.warnings.size() == 1);
  CHECK(far.warnings.front().code == "ctx_over");
}
