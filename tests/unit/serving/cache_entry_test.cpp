// What layers of unusual kinds keep in servers. Expected figures: sources of the runtimes, and
// start-up logs, named beside each.
#include <catch_amalgamated.hpp>

#include "core/model/derive_tensors.hpp"
#include "core/quantization/format.hpp"
#include "core/readers/config_json.hpp"
#include "core/serving/estimate.hpp"
#include "core/serving/page_groups.hpp"
#include "core/serving/sharding.hpp"
#include "core/serving/transformers.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;
using Catch::Matchers::WithinRel;

namespace {

ServingSettings settings_of(const Model& model, ServingSettings s = {}) {
  if (s.device_total == 0) s.device_total = 80 * kGiB;
  return with_defaults(s, model).value();
}

KvPool pool_of(const Model& model, const ServingSettings& s, double gib) {
  return kv_pool(model, settings_of(model, s), static_cast<Bytes>(gib * static_cast<double>(kGiB)),
                 0);
}

ServingSettings in(ServingRuntime runtime, std::int64_t tp = 1, KvCacheType type = {}) {
  ServingSettings s;
  s.runtime = runtime;
  s.parallel.tp = tp;
  s.kv_type = type;
  return s;
}

/// "Setting attention block size to N tokens".
std::int64_t block_of(const char* name, std::int64_t tp = 1, KvCacheType type = {}) {
  return pool_of(truth_model(name), in(ServingRuntime::vllm, tp, type), 20).block_tokens;
}

Model model_of_config(const char* name) {
  const auto bytes = read_test_file("truth/config/" + std::string(name) + ".json");
  const auto architecture =
      architecture_from_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  REQUIRE(architecture.ok());
  auto model = derive_model(architecture.value());
  REQUIRE(model.ok());
  return std::move(model.value());
}

Layer attention_layer(std::int64_t n_head_kv, std::int64_t head_dim, AttentionSpan span) {
  Layer layer;
  layer.attention.n_head = 16;
  layer.attention.n_head_kv = n_head_kv;
  layer.attention.head_dim_k = layer.attention.head_dim_v = head_dim;
  layer.attention.span = span;
  return layer;
}

Bytes latent_row(const Model& model, ServingRuntime runtime, KvCacheType type) {
  Bytes bytes = 0;
  ServingSettings s = settings_of(model, in(runtime, 8, type));
  for (const CacheEntry& entry : cache_entries(model, s)) {
    if (entry.layer == 0) bytes += entry.page_bytes / entry.block_tokens;
  }
  return bytes;
}

}  // namespace

TEST_CASE("tokens of a page are those that vLLM logs for models with states", "[servers]") {
  CHECK(block_of("Qwen3-Next-80B-A3B") == 544);  // 16 bit states
  CHECK(block_of("Qwen3.5-9B") == 528);          // fp32, as the checkpoint asks
  CHECK(block_of("Qwen3.5-9B", 1, KvCacheType::fp8) == 1056);
  CHECK(block_of("Qwen3.5-35B-A3B") == 1056);
  CHECK(block_of("Qwen3.5-35B-A3B", 1, KvCacheType::fp8) == 2096);
  CHECK(block_of("Kimi-Linear-48B-A3B", 2) == 960);  // vllm-project/vllm#28228
}

TEST_CASE("attention beside a mixer keeps its cells and a state", "[servers]") {
  const Model model = truth_model("Falcon-H1-1.5B");
  const Layer& layer = model.layers.front();
  CHECK(kv_bytes_per_token(layer, KvCacheType::bf16, 1) == 2 * 256 * 2);
  // 48 heads of 64 by 256, and three columns of 3072 + 2 * 256.
  CHECK(state_bytes_per_request(layer, 1, 2) == (3072 * 256 + 3 * 3584) * 2);
  // One group of B and C is on both ranks.
  CHECK(state_bytes_per_request(layer, 2, 2) == (3072 * 128 + 3 * (1536 + 512)) * 2);
  const KvPool pool = pool_of(model, {}, 20);
  REQUIRE(pool.groups.size() == 2);
  CHECK(pool.groups[0].n_layer == 24);
  CHECK(pool.groups[1].n_layer == 24);
  for (const LayerPages& it : pool.request) CHECK((it.cells > 0 && it.state > 0));

  const std::vector<Bytes> weights(model.tensors.size());
  const auto alone = estimate_transformers(model, weights, {.prompt = 16, .context = 1024}).value();
  const auto& kept = alone.layers.blocks.front();
  CHECK((kept.kv_cache > 0 && kept.recurrent_state > 0));
}

TEST_CASE("sparse attention keeps its indexer's keys on every rank", "[servers]") {
  using enum ServingRuntime;
  const Model deepseek = truth_model("DeepSeek-V3.2");
  CHECK(latent_row(deepseek, vllm, KvCacheType::bf16) == 576 * 2 + 132);
  // fp8_ds_mla: 512 of fp8, four scales, 64 of 16 bit.
  CHECK(latent_row(deepseek, vllm, KvCacheType::fp8) == 656 + 132);
  CHECK(latent_row(deepseek, sglang, KvCacheType::fp8) == 656 + 132);
  CHECK(latent_row(deepseek, tensorrt_llm, KvCacheType::fp8) == 576 + 132);
  CHECK(latent_row(truth_model("DeepSeek-V2-Lite"), vllm, KvCacheType::fp8) == 576);

  // GLM-5.2: blocks without an indexer use an earlier one's choice, yet keep the sparse rows.
  const Model glm = truth_model("GLM-5.2");
  Bytes rows = 0;
  std::int64_t indexers = 0;
  const ServingSettings s = settings_of(glm, in(vllm, 8, KvCacheType::fp8));
  for (const CacheEntry& entry : cache_entries(glm, s)) {
    const Bytes row = entry.page_bytes / entry.block_tokens;
    (row == 132 ? indexers : rows) += row == 132 ? 1 : row;
  }
  CHECK(rows == 78 * 656);
  CHECK((indexers > 0 && indexers < 78));

  // The same model from its config.json.
  CHECK(latent_row(model_of_config("deepseek-v3.2"), vllm, KvCacheType::bf16) == 576 * 2 + 132);

  // MiniMax M3: 16 bit keys, no values, in one group with K and V.
  const Model minimax = truth_model("MiniMax-M3");
  const KvPool pool = pool_of(minimax, {}, 20);
  CHECK(pool.groups.size() == 1);
  CHECK(pool.page_bytes == (60 * 4 * 256 * 2 + 57 * 128 * 2) * pool.block_tokens);
}

TEST_CASE("windows of other widths share pages: a log of Gemma 4", "[servers]") {
  // Gemma 4 12B on two RTX 3090 (tests/truth/serving.csv): 40 windows of 8 heads of 256, 8 full
  // layers of one head of 512; 8.16 GiB hold 384019 tokens, 2.93 requests of 131072.
  Model model;
  model.sliding_window = 1024;
  for (int i = 0; i < 48; ++i) {
    model.layers.push_back(i % 6 == 5 ? attention_layer(1, 512, AttentionSpan::full)
                                      : attention_layer(8, 256, AttentionSpan::sliding));
  }
  ServingSettings s = in(ServingRuntime::vllm, 2);
  s.device_total = 24 * kGiB;
  s.max_model_len = 131072;
  const KvPool pool = pool_of(model, s, 8.16);
  CHECK(pool.groups.size() == 6);
  CHECK_THAT(pool.max_concurrency, WithinRel(2.93, 0.001));
  CHECK_THAT(static_cast<double>(pool.n_tokens), WithinRel(384019.0, 0.001));
}

TEST_CASE("counts that differ by less than half are padded to the larger", "[servers]") {
  Model model;
  model.sliding_window = 128;
  for (int i = 0; i < 25; ++i) {
    model.layers.push_back(
        attention_layer(8, 64, i % 2 == 0 ? AttentionSpan::full : AttentionSpan::sliding));
  }
  const ServingSettings s = settings_of(model, {.device_total = 80 * kGiB, .max_model_len = 4096});
  const PagePlan plan = page_plan(cache_entries(model, s), s);
  REQUIRE(plan.groups.size() == 2);  // 13 and 12, not 12, 1 and 12
  // Without the manager all layers keep the whole length, in one group.
  ServingSettings off = s;
  off.hybrid_kv_manager = false;
  CHECK(page_plan(cache_entries(model, off), off).groups.size() == 1);
}

TEST_CASE("DeepSeek V4: compressed rows, a window and the compressor's states", "[servers]") {
  const Model model = model_of_config("deepseek-v4-flash");
  ServingSettings s = in(ServingRuntime::vllm, 1, KvCacheType::fp8);
  s.max_model_len = 1 << 20;
  s.max_num_batched_tokens = 8192;
  s = settings_of(model, s);
  const PagePlan plan = page_plan(cache_entries(model, s), s);
  // 43 blocks: 21 compressed 4 to 1 with an indexer, 20 compressed 128 to 1, all with a window.
  // Pages (get_kv_cache_groups): 64 rows of 584 B aligned to 576, 64 keys of 132, 2 rows of 584;
  // 22 places of the largest hold the windows in two groups.
  REQUIRE(plan.groups.size() == 5);
  CHECK(plan.block_bytes(0, 43) == 22 * 37440 + 21 * 8640 + 20 * 1728);
  std::int64_t pages = 0;
  for (const PageGroup& group : plan.groups) pages += plan.pages_per_request(group, s);
  const std::int64_t flight = 2 * 8192;
  CHECK(pages == (1 << 20) / 256 + 2 * ((127 + flight + 63) / 64 + 1) + (7 + flight + 3) / 4 + 1 +
                     (127 + flight + 7) / 8 + 1);
  // SGLang (DSV4PoolConfigurator): a tenth of the tokens have windows, with eight rows of each
  // compressor of ratio 4; 256 requests have rings of 128 rows set aside.
  const KvPool sglang = pool_of(model, in(ServingRuntime::sglang), 20);
  const double full = 21 * (37440 + 8640) + 20 * 1728;
  const double windows = 43 * 4 * 37440 + 21 * 2 * (32832 + 8640);
  const double rings = 256.0 * 20 * 16 * 32832;
  CHECK_THAT(
      static_cast<double>(sglang.n_tokens),
      WithinRel((20.0 * static_cast<double>(kGiB) - rings) / (full + windows / 10) * 256, 1e-3));
}

TEST_CASE("SGLang gives windows and states pools of their own", "[servers]") {
  const Model oss = truth_model("gpt-oss-20b");  // 12 full, 12 windows of 8 heads of 64
  ServingSettings s = in(ServingRuntime::sglang);
  s.max_model_len = 32768;
  const KvPool windows = pool_of(oss, s, 20);
  CHECK_THAT(static_cast<double>(windows.n_tokens),
             WithinRel(20.0 * static_cast<double>(kGiB) / (2048 * (12 + 0.8 * 12)), 1e-5));
  CHECK_THAT(windows.max_concurrency,
             WithinRel(static_cast<double>(windows.n_tokens) / 32768, 1e-9));

  // Gemma 3 keeps the whole length in all layers there.
  const Model gemma = truth_model("Gemma-3-27B");
  CHECK(pool_of(gemma, s, 20).page_bytes == 62 * 16 * 256 * 2);

  const Model qwen = truth_model("Qwen3.5-35B-A3B");
  const KvPool states = pool_of(qwen, s, 20);
  // 10 layers of 2 heads of 256; the states have 0.9 of the tokens' room, whatever they need.
  CHECK(std::abs(states.n_pages - 20 * kGiB * 10 / (20480 * 19)) <= 1);
  // A short request still holds three states.
  s.max_model_len = 128;
  CHECK(pool_of(qwen, s, 20).pages_per_request > 3 * 128);
}

TEST_CASE("servers load no prediction block unless they speculate", "[servers]") {
  const Model model = truth_model("GLM-4.5-Air");
  const auto bytes = tensor_bytes_in(model, plain_format(FormatMethod::bf16));
  Bytes ordinary = 0;
  Bytes predicting = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    (model.tensors[i].role == TensorRole::mtp ? predicting : ordinary) += bytes[i];
  }
  REQUIRE(predicting > 0);
  CHECK(stage_weight_bytes(model, bytes, {}, 0) == ordinary);
  // 46 blocks on two stages, the prediction block listed with the last.
  CHECK(stage_layers(model, 2, 0).end == 23);
  CHECK(stage_layers(model, 2, 1).end == 47);
  const auto alone = estimate_transformers(model, bytes, {.prompt = 16}).value();
  CHECK(alone.terms.front().bytes == ordinary);
}
