// Expected figures: start-up logs of vLLM, SGLang and TensorRT-LLM (tests/truth/serving.csv).
#include <catch_amalgamated.hpp>
#include <cmath>
#include <numeric>

#include "core/quantization/format.hpp"
#include "core/serving/activation.hpp"
#include "core/serving/estimate.hpp"
#include "core/serving/sharding.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;
using Catch::Matchers::WithinRel;

namespace {

constexpr WeightFormat kBf16 = plain_format(FormatMethod::bf16);

Bytes gib(double value) {
  return static_cast<Bytes>(value * static_cast<double>(kGiB));
}

ServingSettings settings_for(std::int64_t tp, double card_gib) {
  ServingSettings s;
  s.parallel.tp = tp;
  s.device_total = gib(card_gib);
  return s;
}

double weights_gib(const Model& model, const WeightFormat& format, std::int64_t tp) {
  const auto bytes = tensor_bytes_in(model, format);
  return to_gib(stage_weight_bytes(model, bytes, {.tp = tp}, 0) + rope_cache_bytes(model));
}

const Term& term(const ServingEstimate& estimate, const std::string& id) {
  for (const Term& t : estimate.terms) {
    if (t.id == id) return t;
  }
  FAIL("no term " << id);
  return estimate.terms.front();
}

}  // namespace

TEST_CASE("vLLM's weight log is met with the rope table that it keeps") {
  CHECK_THAT(weights_gib(truth_model("Llama-3.1-8B"), kBf16, 1), WithinRel(14.9888, 0.0005));
  CHECK_THAT(weights_gib(truth_model("Qwen2.5-7B"), awq(128), 1), WithinRel(5.2032, 0.005));
}

TEST_CASE("tensor parallel halves the linears and keeps norms on every rank") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, kBf16);
  const Bytes whole = std::accumulate(bytes.begin(), bytes.end(), Bytes{0});
  const Bytes norms = (2 * 32 + 1) * 4096 * 2 + 64 * 2;  // and rope_freqs, 64 elements
  CHECK(stage_weight_bytes(model, bytes, {.tp = 2}, 0) == (whole - norms) / 2 + norms);
}

TEST_CASE("KV heads repeat when there are more ranks than heads") {
  const Model model = truth_model("Qwen2.5-7B");  // 4 KV heads of 128
  const Layer& layer = model.layers.front();
  CHECK(kv_bytes_per_token(layer, KvCacheType::bf16, 1) == 4 * 256 * 2);
  CHECK(kv_bytes_per_token(layer, KvCacheType::bf16, 4) == 256 * 2);
  CHECK(kv_bytes_per_token(layer, KvCacheType::bf16, 28) == 256 * 2);
}

TEST_CASE("MLA keeps one latent per token whatever the ranks") {
  const Model model = truth_model("DeepSeek-V2-Lite");
  CHECK(kv_bytes_per_token(model.layers[3], KvCacheType::bf16, 1) == 576 * 2);
  CHECK(kv_bytes_per_token(model.layers[3], KvCacheType::bf16, 8) == 576 * 2);
}

TEST_CASE("a pool holds the blocks that vLLM logs for it") {
  const Model model = truth_model("Llama-3.1-8B");
  const ServingSettings s = with_defaults(settings_for(1, 23.58), model).value();
  // Logs print the pool rounded to 0.01 GiB: five blocks either way.
  CHECK(std::abs(kv_pool(model, s, gib(3.81), 0).n_pages - 1952) <= 5);
  CHECK(std::abs(kv_pool(model, s, gib(2.89), 0).n_pages - 1478) <= 5);
  CHECK(std::abs(kv_pool(model, s, gib(4.60), 0).n_pages - 2356) <= 5);
}

TEST_CASE("TensorRT-LLM fills a fraction of what is free with blocks of 64 tokens") {
  const Model model = truth_model("Llama-2-7B");  // the cache shape of the logged model
  ServingSettings s = settings_for(1, 39.39);
  s.runtime = ServingRuntime::tensorrt_llm;
  s.block_size = 64;
  const auto filled = with_defaults(s, model).value();
  CHECK(std::abs(kv_pool(model, filled, gib(0.9 * 21.89), 0).n_pages - 631) <= 1);
}

TEST_CASE("activation peaks meet vLLM's profile runs") {
  const Model llama = truth_model("Llama-3.1-8B");
  CHECK_THAT(to_gib(body_activation_bytes(llama, 20000, 1)), WithinRel(17.06 - 14.9888, 0.01));
  CHECK_THAT(to_gib(body_activation_bytes(llama, 29000, 1)), WithinRel(17.98 - 14.9888, 0.01));
  CHECK_THAT(to_gib(sampler_bytes(llama, 256)), WithinRel(1.26, 0.05));
  CHECK_THAT(to_gib(sampler_bytes(truth_model("Qwen2.5-7B"), 256)), WithinRel(1.42, 0.05));
}

TEST_CASE("window layers share pages with full layers in groups of equal size") {
  const Model model = truth_model("Gemma-3-27B");  // 52 window layers, 10 full
  ServingSettings s = settings_for(1, 80);
  s.max_model_len = 131072;
  const auto filled = with_defaults(s, model).value();
  const KvPool pool = kv_pool(model, filled, 20 * kGiB, 0);
  CHECK(pool.groups.size() == 1 + 6);
  for (const KvGroup& group : pool.groups) CHECK(group.n_layer == 10);
  // 52 layers in six groups: four of nine and two of eight.
  std::int64_t padding = 0;
  for (const KvGroup& group : pool.groups) padding += group.n_padding;
  CHECK(padding == 6 * 10 - 52);
  // full: 131072 / 16; each window group: ceil((1023 + 2 * 8192) / 16) + 1, two batches in flight
  CHECK(pool.pages_per_request == 8192 + 6 * (1088 + 1));
}

TEST_CASE("a page of a hybrid model holds a whole recurrent state") {
  const Model model = truth_model("Qwen3-Next-80B-A3B");
  const auto filled = with_defaults(settings_for(1, 80), model).value();
  const KvPool pool = kv_pool(model, filled, 8 * kGiB, 0);
  const Bytes state = state_bytes_per_request(
      model.layers[0], 1, state_element_bytes(model, model.layers[0], filled.runtime));
  CHECK(pool.block_tokens % filled.block_size == 0);
  CHECK(pool.block_tokens * kv_bytes_per_token(model.layers[3], KvCacheType::bf16, 1) >= state);
}

TEST_CASE("uneven pipeline stages give the remainder to the stages before the last") {
  CHECK(stage_layers(62, 4, 0).end == 15);
  CHECK(stage_layers(62, 4, 1).end == 31);
  CHECK(stage_layers(62, 4, 2).end == 47);
  CHECK(stage_layers(62, 4, 3).end == 62);
}

TEST_CASE("the budget is the sum of what lies inside it") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, kBf16);
  const auto estimate = estimate_serving(model, bytes, settings_for(1, 23.58)).value();
  const Bytes inside = term(estimate, "weights").bytes + term(estimate, "activations").bytes +
                       term(estimate, "non_torch").bytes + term(estimate, "cuda_graphs").bytes +
                       term(estimate, "kv_pool").bytes;
  CHECK(inside == estimate.budget);
  CHECK_FALSE(estimate.starts);  // 131072 tokens need 16 GiB of cache
  ServingSettings shorter = settings_for(1, 23.58);
  shorter.max_model_len = 8192;
  CHECK(estimate_serving(model, bytes, shorter).value().starts);
}

TEST_CASE("more memory, fewer users' tokens or smaller caches never lower concurrency") {
  const Model model = truth_model("Gemma-3-27B");
  const auto bytes = tensor_bytes_in(model, awq(128));
  double last = -1;
  for (const double card : {12.0, 24.0, 40.0, 80.0, 141.0}) {
    ServingSettings s = settings_for(1, card);
    s.max_model_len = 32768;
    s.max_num_batched_tokens = 2048;
    s.max_num_seqs = 256;
    const double now = estimate_serving(model, bytes, s).value().pool.max_concurrency;
    CHECK(now >= last);
    last = now;
    s.kv_type = KvCacheType::fp8;
    CHECK(estimate_serving(model, bytes, s).value().pool.max_concurrency >= now);
  }
}

TEST_CASE("settings that cannot run are refused at the field that causes it") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, kBf16);
  const auto code = [&](const ServingSettings& s) {
    const auto result = estimate_serving(model, bytes, s);
    return result.ok() ? std::string("ok") : result.error().code + ":" + result.error().field;
  };
  CHECK(code(settings_for(3, 80)) == "tp_heads:tp");
  CHECK(code(settings_for(0, 80)) == "gpu_count:tp");
  CHECK(code(settings_for(1, 0)) == "device_zero:device");
  ServingSettings s = settings_for(1, 80);
  s.parallel.pp = 33;
  CHECK(code(s) == "pp_layers:pp");
  s = settings_for(1, 80);
  s.memory_fraction = 1.2;
  CHECK(code(s) == "fraction_range:memory_fraction");
  s = settings_for(1, 80);
  s.max_model_len = -1;
  CHECK(code(s) == "ctx_range:max_model_len");
  s.max_model_len = 1'000'000'000'000;
  CHECK(code(s) == "ctx_range:max_model_len");
}

TEST_CASE("a server keeps no pool for an encoder: its batch is the limit") {
  const Model model = truth_model("bge-m3");
  const auto bytes = tensor_bytes_in(model, kBf16);
  const auto estimate = estimate_serving(model, bytes, settings_for(1, 24));
  REQUIRE(estimate.ok());
  CHECK(estimate.value().starts);
  CHECK(estimate.value().pool.max_concurrency ==
        static_cast<double>(estimate.value().settings.max_num_seqs));
  for (const Term& t : estimate.value().terms) CHECK(t.id != "kv_pool");
  const auto small = estimate_serving(model, bytes, settings_for(1, 0.5));
  CHECK_FALSE(small.value().starts);
}

TEST_CASE("defaults of vLLM and SGLang follow the card and the model", "[serving]") {
  const Model model = truth_model("Llama-3.2-1B");
  ServingSettings s = settings_for(1, 80);
  s.max_model_len = 8192;
  CHECK(with_defaults(s, model).value().max_num_seqs == 1024);
  CHECK(with_defaults(s, model).value().max_num_batched_tokens == 8192);
  s.is_a100 = names_a100("NVIDIA A100-SXM4-80GB");
  CHECK(with_defaults(s, model).value().max_num_seqs == 256);
  CHECK(with_defaults(s, model).value().max_num_batched_tokens == 2048);
  CHECK_FALSE(names_a100("NVIDIA H100 80GB HBM3"));
  // A text is read at once: vLLM refuses batches that are shorter.
  s.is_a100 = false;
  s.device_total = 24 * kGiB;
  CHECK(with_defaults(s, truth_model("bge-m3")).value().max_num_batched_tokens == 8192);

  s.runtime = ServingRuntime::sglang;
  const auto sglang = [&](std::int64_t card_gib) {
    s.device_total = card_gib * kGiB;
    return with_defaults(s, model).value();
  };
  CHECK(sglang(24).max_num_batched_tokens == 2048);
  CHECK(sglang(40).max_num_batched_tokens == 4096);
  CHECK(sglang(80).max_num_batched_tokens == 8192);
  CHECK(sglang(192).max_num_batched_tokens == 16384);
  // (24576 - 512 - 1.5 x 2048 - 2 x 24 - 128) / 24576
  CHECK(std::abs(sglang(24).memory_fraction - 0.84701) < 1e-5);
}

TEST_CASE("places follow the users where the runtime has fewer of its own", "[serving]") {
  const Model model = truth_model("Llama-3.2-1B");
  ServingSettings s = settings_for(1, 24);
  s.max_model_len = 8192;
  s.users = 256;
  CHECK(with_defaults(s, model).value().max_num_seqs == 256);
  s.users = 300;
  CHECK(with_defaults(s, model).value().max_num_seqs == 300);
  CHECK(with_defaults(s, model).value().max_num_batched_tokens == 2048);
  // vLLM refuses a batch that has no token for each of its sequences.
  s.users = 3000;
  CHECK(with_defaults(s, model).value().max_num_batched_tokens == 3000);
  s.parallel.dp = 2;
  CHECK(with_defaults(s, model).value().max_num_seqs == 1500);
  // What somebody asked for is left alone.
  s.max_num_seqs = 5;
  CHECK(with_defaults(s, model).value().max_num_seqs == 5);
  s.users = 0;
  CHECK(with_defaults(s, model).error().field == "users");

  ServingSettings other = settings_for(1, 24);
  other.runtime = ServingRuntime::tensorrt_llm;
  CHECK(with_defaults(other, model).value().max_num_seqs == 2048);
  CHECK(with_defaults(other, model).value().max_num_batched_tokens == 8192);
  other.runtime = ServingRuntime::sglang;
  CHECK(with_defaults(other, model).value().max_num_seqs == 2048);
}

TEST_CASE("the sampler's rows are those that each runtime reserves for", "[serving]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, kBf16);
  const auto activations = [&](ServingRuntime runtime, std::int64_t users) {
    ServingSettings s = settings_for(1, 40);
    s.runtime = runtime;
    s.max_model_len = 4096;
    s.users = users;
    return term(estimate_serving(model, bytes, s).value(), "activations").bytes;
  };
  const Bytes row = Bytes{40} * model.n_vocab;
  CHECK(activations(ServingRuntime::vllm, 1) == 256 * row);
  CHECK(activations(ServingRuntime::vllm, 400) == 400 * row);
  // 32 is the largest graph on 40 GB, less than a chunk of 4096 tokens takes.
  CHECK(activations(ServingRuntime::sglang, 1) == body_activation_bytes(model, 4096, 1));
  CHECK(activations(ServingRuntime::sglang, 400) == 400 * row);
  CHECK(activations(ServingRuntime::tensorrt_llm, 400) == body_activation_bytes(model, 8192, 1));
}
