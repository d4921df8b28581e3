// Speed: what a token reads, where, and what that costs in time.
#include "core/speed/speed.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <cmath>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/estimate.hpp"
#include "core/inference/machine.hpp"
#include "core/quantization/mix.hpp"
#include "tests/unit/support/truth_model.hpp"

namespace meyasu {
namespace {

Model model_in(const char* id, Ftype mix) {
  Model model = model_of(*Catalog::built_in().value().find(id)).value();
  const auto types = quantize_mix(model, mix, {}).value();
  for (std::size_t i = 0; i < model.tensors.size(); ++i) model.tensors[i].type = types.types[i];
  return model;
}

SpeedMachine machine(const char* id, std::size_t n_gpu = 1) {
  static const DeviceCatalog kDevices = DeviceCatalog::built_in().value();
  SpeedMachine made;
  made.gpus.assign(n_gpu, *kDevices.find(id));
  made.host_gb_s = 80;
  return made;
}

LlamaCppSettings on(std::size_t n_gpu) {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::cli);
  settings.n_ctx = 8192;
  for (std::size_t i = 0; i < n_gpu; ++i) {
    settings.devices.emplace_back();
    settings.devices.back().name = "gpu" + std::to_string(i);
  }
  return settings;
}

TEST_CASE("blocks that loop are read once per loop") {
  Model looped = testing::truth_model("Nanbeige4.2-3B");
  Model once = looped;
  once.n_loops = 1;
  const PlaceWork twice = step_work(looped, on(1), 1, 0).value()[0];
  const PlaceWork single = step_work(once, on(1), 1, 0).value()[0];
  CHECK(twice.flop == 2 * single.flop);
  CHECK(twice.head_flop == single.head_flop);
}

TEST_CASE("keys that stand for several tokens are read once for them") {
  // 21 layers with (512 + 128) * 2 bytes for 4 tokens, 20 with 1024 for 128, 43 windows of 128.
  const Model model = testing::truth_model("DeepSeek-V4-Flash");
  const double cache = step_work(model, on(1), 1, 8192).value()[0].cache;
  CHECK(cache == 21 * 1280 * 2048 + 20 * 1024 * 64 + 43 * 1024 * 128);
}

TEST_CASE("a token reads every weight but the token table, and the cache to its depth", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const auto work = step_work(model, on(1), 1, 1000).value();
  const Bytes table = model.find_tensor("token_embd.weight")->bytes();
  CHECK(work[0].weight_bytes() == static_cast<double>(model.weight_bytes() - table));
  CHECK(work[0].cache == 1000.0 * 32 * 2 * 1024 * 2);  // layers, K and V, n_head_kv x head_dim, F16
  CHECK(work[1].weight_bytes() == 0);
  CHECK(work[0].n_layer == 32);
}

TEST_CASE("a tied head is read although the table is only looked up", "[speed]") {
  const Model model = model_in("google/gemma-3-4b-it", Ftype::Q8_0);
  const auto work = step_work(model, on(1), 1, 0).value();
  CHECK(work[0].weight_bytes() == static_cast<double>(model.weight_bytes()));
}

TEST_CASE("an encoder reads: nothing is generated, no table is multiplied with", "[speed]") {
  const Model model = testing::truth_model("bge-m3");
  const auto work = step_work(model, on(1), 1, 512).value();
  CHECK(work[0].head_flop == 0);
  CHECK(work[0].cache == 0);
  const auto speed = estimate_speed(model, on(1), machine("rtx-3090"), {512, 512, 1, 0}).value();
  CHECK_FALSE(speed.generates);
  CHECK_FALSE(speed.slow);
  CHECK(speed.first_token_s.likely == 0);
  CHECK(speed.decode_tok_s.likely == speed.prompt_tok_s.likely);
  double seconds = 0;
  for (const SpeedPart& part : speed.decode) {
    seconds += part.seconds;
    CHECK(part.evidence == Evidence::assumed);
    CHECK(part.seconds <= speed.decode[speed.binding].seconds);
  }
  CHECK(512 / seconds == Catch::Approx(speed.prompt_tok_s.likely));

  // The start of operations is most of the time of a small one.
  const auto small = estimate_speed(testing::truth_model("bge-small-en-v1.5"), on(1),
                                    machine("rtx-3090"), {512, 512, 1, 0})
                         .value();
  CHECK(small.decode[small.binding].resource == SpeedResource::launch);
  CHECK(estimate_speed(model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M), on(1),
                       machine("rtx-3090"), {512, 512, 1, 0})
            .value()
            .generates);
}

TEST_CASE("window layers read no more than their window", "[speed]") {
  const Model model = model_in("google/gemma-3-4b-it", Ftype::Q8_0);
  const double near = step_work(model, on(1), 1, 1024).value()[0].cache;
  const double far = step_work(model, on(1), 1, 8192).value()[0].cache;
  CHECK(far > near);
  CHECK(far < 3 * near);  // 5 of 6 layers stay at 1024 tokens
}

TEST_CASE("experts: k of E for one token, fewer than chance would have it for several", "[speed]") {
  const Model model = model_in("Qwen/Qwen3-30B-A3B", Ftype::Q8_0);
  const double one = step_work(model, on(1), 1, 0).value()[0].experts;
  const double eight = step_work(model, on(1), 8, 0).value()[0].experts;
  const double all = step_work(model, on(1), 1e6, 0).value()[0].experts;
  CHECK(one / all == Catch::Approx(8.0 / 128));
  CHECK(eight / all > 0.8 * (1 - std::pow(1 - 8.0 / 128, 8)));
  CHECK(eight / all < 1 - std::pow(1 - 8.0 / 128, 8));
}

TEST_CASE("experts on the host are read there; the rest stays on the GPU", "[speed]") {
  const Model model = model_in("Qwen/Qwen3-30B-A3B", Ftype::Q4_K_M);
  LlamaCppSettings settings = on(1);
  settings.cpu_moe = true;
  const auto work = step_work(model, settings, 1, 512).value();
  CHECK(work[0].experts == 0);
  CHECK(work[1].weight_bytes() == work[1].experts);
  CHECK(work[1].n_expert_layer == 48);
  CHECK(work[1].cache == 0);
}

TEST_CASE("the answer is a range around the likely rate, and its parts make up the time",
          "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const auto speed = estimate_speed(model, on(1), machine("rtx-3090"), {512, 512, 1, 0}).value();
  CHECK(speed.decode_tok_s.low < speed.decode_tok_s.likely);
  CHECK(speed.decode_tok_s.likely < speed.decode_tok_s.high);
  double seconds = 0;
  for (const SpeedPart& part : speed.decode) {
    seconds += part.seconds;
    CHECK(part.seconds > 0);
    CHECK_FALSE(part.formula.inputs.empty());
  }
  CHECK(1 / seconds == Catch::Approx(speed.decode_tok_s.likely));
  CHECK(speed.decode[speed.binding].id == "weights");
  CHECK(speed.first_token_s.low < speed.first_token_s.high);
  CHECK_FALSE(speed.slow);
}

TEST_CASE("layers split over GPUs run one after the other: two are no faster than one", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const SpeedWorkload workload{512, 512, 1, 0};
  const auto one = estimate_speed(model, on(1), machine("rtx-3090"), workload).value();
  const auto two = estimate_speed(model, on(2), machine("rtx-3090", 2), workload).value();
  CHECK(two.decode_tok_s.likely == Catch::Approx(one.decode_tok_s.likely).epsilon(0.03));
  CHECK(two.decode_tok_s.likely < one.decode_tok_s.likely);  // a token is handed over
  CHECK(two.prompt_tok_s.likely == Catch::Approx(one.prompt_tok_s.likely).epsilon(0.03));
}

TEST_CASE("a prompt of several micro-batches passes through the GPUs like through a pipeline",
          "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const SpeedWorkload workload{4096, 512, 1, 0};
  const auto rate = [&](std::size_t n_gpu) {
    return estimate_speed(model, on(n_gpu), machine("rtx-3090", n_gpu), workload)
        .value()
        .prompt_tok_s.likely;
  };
  CHECK(rate(2) > 1.3 * rate(1));
  CHECK(rate(2) < 2 * rate(1));
  CHECK(rate(4) > rate(2));
}

TEST_CASE("prompts on NVIDIA cards are bounded by the power that the board may draw", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::F16);
  const auto rate = [&](const char* id) {
    return estimate_speed(model, on(1), machine(id), {512, 512, 1, 0}).value().prompt_tok_s.likely;
  };
  // Twice the printed rate at less power: measured 7,247 and 6,663 tokens a second.
  CHECK(rate("rtx-4080") > rate("rtx-6000-ada"));
  SpeedMachine throttled = machine("rtx-4090");
  throttled.gpus[0].power_w /= 2;
  const auto half = estimate_speed(model, on(1), throttled, {512, 512, 1, 0}).value();
  CHECK(half.prompt_tok_s.likely < 0.6 * rate("rtx-4090"));
}

TEST_CASE("without flash attention long prompts slow down by the scores that they write",
          "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::F16);
  LlamaCppSettings settings = on(1);
  const auto rate = [&](double tokens) {
    return estimate_speed(model, settings, machine("rtx-4090"), {tokens, 512, 1, 0})
        .value()
        .prompt_tok_s.likely;
  };
  const double with_short = rate(512);
  const double with_long = rate(8192);
  settings.flash_attention = FlashAttention::off;
  CHECK(rate(8192) / rate(512) < 0.7);  // measured: 4,744 of 9,382
  CHECK(with_long / with_short > 0.8);
}

TEST_CASE("experts that get few tokens each are slow at prompts", "[speed]") {
  const Model model = model_in("Qwen/Qwen3-30B-A3B", Ftype::Q4_K_M);
  LlamaCppSettings settings = on(1);
  settings.n_batch = 2048;
  const auto rate = [&](std::int64_t n_ubatch) {
    settings.n_ubatch = n_ubatch;
    return estimate_speed(model, settings, machine("rtx-5090"), {2048, 512, 1, 0})
        .value()
        .prompt_tok_s.likely;
  };
  // llama.cpp PR 26977: 2,403, 5,994 tokens a second with 64 and 256 at a time.
  CHECK(rate(256) > 2 * rate(64));
  CHECK(rate(2048) > rate(256));
}

TEST_CASE("before autumn 2024 quantized weights were unpacked for every micro-batch", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  SpeedMachine old = machine("rtx-4090");
  old.age = SoftwareAge::before_autumn_2024;
  const auto has_unpacking = [&](const SpeedMachine& it) {
    const auto speed = estimate_speed(model, on(1), it, {512, 512, 1, 0}).value();
    return std::any_of(speed.prompt.begin(), speed.prompt.end(),
                       [](const SpeedPart& part) { return part.id == "prompt_unpack"; });
  };
  CHECK(has_unpacking(old));
  CHECK_FALSE(has_unpacking(machine("rtx-4090")));
}

TEST_CASE("layers on the host bind, and a slow answer is said to be slow", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.3-70B-Instruct", Ftype::Q4_K_M);
  LlamaCppSettings settings = on(1);
  settings.n_gpu_layers = 40;
  const auto speed = estimate_speed(model, settings, machine("rtx-3090"), {}).value();
  CHECK(speed.decode[speed.binding].place == "host");
  CHECK(speed.slow);
}

TEST_CASE("weights beyond the RAM come from the disk", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.3-70B-Instruct", Ftype::Q4_K_M);
  SpeedMachine small = machine("rtx-3090", 0);
  small.host_usable = 16 * kGiB;
  const auto speed = estimate_speed(model, on(0), small, {}).value();
  CHECK(speed.decode[speed.binding].id == "disk");
  CHECK(speed.decode_tok_s.high < 0.2);
  CHECK(speed.prompt.back().id == "disk");
  CHECK(speed.first_token_s.low > 10);
}

TEST_CASE("a larger micro-batch moves weights over the link less often", "[speed]") {
  const Model model = model_in("openai/gpt-oss-120b", Ftype::MXFP4_MOE);
  LlamaCppSettings settings = on(1);
  settings.n_cpu_moe = 26;
  const SpeedWorkload workload{4096, 4096, 1, 0};
  const auto small = estimate_speed(model, settings, machine("rtx-3090"), workload).value();
  settings.n_batch = 4096;
  settings.n_ubatch = 4096;
  const auto large = estimate_speed(model, settings, machine("rtx-3090"), workload).value();
  CHECK(large.prompt_tok_s.likely > 2 * small.prompt_tok_s.likely);
}

TEST_CASE("a device without a known bandwidth has no speed, and the answer says so", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  SpeedMachine unknown = machine("rtx-3090");
  unknown.gpus.front().bandwidth_gb_s = 0;
  CHECK(estimate_speed(model, on(1), unknown, {}).error().code == "speed_unknown");
}

TEST_CASE("a slice of a device reads no faster than its processors can", "[speed]") {
  const Model model = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const auto rate = [&](const char* id) {
    return estimate_speed(model, on(1), machine(id), {}).value().decode_tok_s.likely;
  };
  const double whole = rate("h100-sxm");
  const double half = rate("h100-sxm-mig-3g.40gb");  // half of the bandwidth, 60 of 132 processors
  CHECK(half < whole);
  CHECK(half > whole / 3);
  // Half of the bandwidth, but 26 processors: less than half of that.
  CHECK(rate("h100-sxm-mig-1g.20gb") < half * 0.6);
}

TEST_CASE("operations take time of their own: as many as the graph has", "[speed]") {
  const Model plain = model_in("meta-llama/Llama-3.1-8B", Ftype::Q4_K_M);
  const Model experts = model_in("Qwen/Qwen3-30B-A3B", Ftype::Q4_K_M);
  const double of_plain = step_operations(plain, on(1)) / 32;
  CHECK(of_plain > 15);
  CHECK(of_plain < 20);
  CHECK(step_operations(experts, on(1)) / 48 > 1.5 * of_plain);
}

}  // namespace
}  // namespace meyasu
