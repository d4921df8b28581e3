// Expected figures: notes of the measured rows ("cells=13568;streams=3") and the runtime's own
// refusals (llama-context.cpp of release v0.5.0).
#include "core/inference/llama_cpp/settings.hpp"

#include <catch_amalgamated.hpp>

#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

LlamaCppSettings with_context(std::int64_t n_ctx, std::int64_t n_seq, bool unified = false) {
  LlamaCppSettings settings;
  settings.n_ctx = n_ctx;
  settings.n_seq = n_seq;
  settings.kv_unified = unified;
  return settings;
}

std::string refusal(const LlamaCppSettings& settings, const Model& model) {
  const auto context = normalize(settings, model);
  return context.ok() ? "accepted" : context.error().code + " " + context.error().field;
}

}  // namespace

TEST_CASE("contexts are padded to 256 cells in every stream") {
  const Model model = truth_model("Llama-3.1-8B");
  CHECK(normalize(with_context(1000, 1), model).value().n_cells == 1024);
  const auto three = normalize(with_context(40000, 3), model).value();
  CHECK(three.n_cells == 13568);
  CHECK(three.n_stream == 3);
  CHECK(three.n_ctx == 3 * 13568);
  const auto pool = normalize(with_context(32768, 4, true), model).value();
  CHECK(pool.n_cells == 32768);
  CHECK(pool.n_stream == 1);
  CHECK(normalize(with_context(0, 1), model).value().n_ctx == 131072);
}

TEST_CASE("window layers keep the window and one batch, for every sequence of a shared pool") {
  const Model model = truth_model("Gemma-3-4B");  // window 1024
  CHECK(normalize(with_context(32768, 1), model).value().n_cells_swa == 1536);
  CHECK(normalize(with_context(32768, 4, true), model).value().n_cells_swa == 4608);
  CHECK(normalize(with_context(32768, 4), model).value().n_cells_swa == 1536);
  CHECK(normalize(with_context(512, 1), model).value().n_cells_swa == 512);
  LlamaCppSettings full = with_context(32768, 1);
  full.swa_full = true;
  CHECK(normalize(full, model).value().n_cells_swa == 32768);
}

TEST_CASE("batches shrink to the context and grow to a multiple of the sequences") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto small = normalize(with_context(256, 1), model).value();
  CHECK(small.n_batch == 256);
  CHECK(small.n_tokens == 256);
  const auto three = normalize(with_context(40000, 3), model).value();
  CHECK(three.n_tokens == 513);
  CHECK(three.n_outputs == 512);
  LlamaCppSettings server = with_context(8192, 4, true);
  server.n_outputs_max = 4;
  CHECK(normalize(server, model).value().n_outputs == 4);
}

TEST_CASE("what the runtime refuses is refused at the field that causes it") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppSettings settings = with_context(8192, 1);
  settings.type_v = GgmlType::Q8_0;
  settings.flash_attention = FlashAttention::off;
  CHECK(refusal(settings, model) == "v_needs_fa type_v");
  settings.flash_attention = FlashAttention::automatic;
  CHECK(refusal(settings, model) == "accepted");

  settings.type_k = GgmlType::F16;
  CHECK(refusal(settings, truth_model("DeepSeek-V2-Lite")) == "mla_kv type_k");
  CHECK(refusal(settings, truth_model("DeepSeek-V2-Lite-noabsorb")) == "accepted");

  settings = with_context(8192, 1);
  settings.n_ubatch = 4096;
  CHECK(refusal(settings, model) == "ubatch_over n_ubatch");
  CHECK(refusal(with_context(-1, 1), model) == "ctx_range n_ctx");
  CHECK(refusal(with_context(1'000'000'000'000, 1), model) == "ctx_range n_ctx");
  CHECK(refusal(with_context(8192, 0), model) == "batch_zero n_seq");
  settings = with_context(8192, 1);
  settings.n_batch = 0;
  CHECK(refusal(settings, model) == "batch_zero n_batch");

  settings = with_context(8192, 1);
  settings.devices.resize(2);
  settings.tensor_split = {0, 0, 1};
  CHECK(refusal(settings, model) == "split_empty tensor_split");
  settings.tensor_split = {1, -1};
  CHECK(refusal(settings, model) == "not_positive tensor_split");

  settings = with_context(8192, 1);
  settings.type_k = GgmlType::Q4_K;  // blocks of 256, heads of 128
  CHECK(refusal(settings, model) == "kv_block type_k");

  Model empty;
  CHECK(refusal(with_context(0, 1), empty) == "ctx_range n_ctx");
}

TEST_CASE("what the runtime only warns about is a warning") {
  const Model model = truth_model("Llama-2-7B");  // trained on 4096
  CHECK(normalize(with_context(4096, 1), model).value().warnings.empty());
  const auto longer = normalize(with_context(8192, 1), model).value();
  REQUIRE(longer.warnings.size() == 1);
  CHECK(longer.warnings[0] == Error{"ctx_over", "n_ctx", "4096"});

  LlamaCppSettings settings = with_context(4096, 1);
  settings.devices.resize(1);
  settings.n_gpu_layers = 33;
  CHECK(normalize(settings, model).value().warnings.empty());
  settings.n_gpu_layers = 34;
  const auto more = normalize(settings, model).value();
  REQUIRE(more.warnings.size() == 1);
  CHECK(more.warnings[0] == Error{"ngl_over", "n_gpu_layers", "33"});
  CHECK(more.n_gpu_layers == 33);
}
