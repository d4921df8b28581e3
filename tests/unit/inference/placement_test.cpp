// Expected bytes: model_buffer, kv_cache and recurrent_state rows of
// tests/truth/llamacpp_truth.csv.
#include "core/inference/llama_cpp/placement.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>

#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/overhead.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"
#include "core/quantization/mix.hpp"
#include "tests/unit/inference/compute_truth.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

Model quantized(const std::string& name, Ftype ftype) {
  Model model = truth_model(name);
  const auto mix = quantize_mix(model, ftype, {});
  REQUIRE(mix.ok());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    model.tensors[i].type = mix.value().types[i];
  }
  return model;
}

/// As the table's runs: n_gpu devices of alignment 32, nothing repacked, measuring mode.
LlamaCppSettings table_settings(int n_gpu, std::int64_t n_gpu_layers) {
  LlamaCppSettings settings;
  settings.n_ctx = 8192;
  settings.n_gpu_layers = n_gpu_layers;
  settings.repack = false;
  settings.real_load = false;
  for (int i = 0; i < n_gpu; ++i) settings.devices.push_back(emulated_device(i));
  return settings;
}

LlamaCppPlacement place(const Model& model, const LlamaCppSettings& settings) {
  const auto context = normalize(settings, model);
  REQUIRE(context.ok());
  auto placement = place_weights(model, settings, context.value());
  REQUIRE(placement.ok());
  return std::move(placement.value());
}

Bytes buffer(const LlamaCppPlacement& placement, int device,
             WeightBufferKind kind = WeightBufferKind::device) {
  if (device == kHost && kind == WeightBufferKind::device) kind = WeightBufferKind::host;
  for (const WeightBuffer& it : placement.buffers) {
    if (it.device == device && it.kind == kind) return it.bytes;
  }
  return 0;
}

std::vector<KvLayer> cache(const Model& model, const LlamaCppSettings& settings) {
  return kv_cache_layers(model, settings, normalize(settings, model).value(),
                         place(model, settings));
}

}  // namespace

TEST_CASE("the GPU gets the last layers, the token table stays on the host") {
  const Model model = quantized("Llama-3.1-8B", Ftype::Q4_K_M);
  const auto on_gpu = [&](std::int64_t ngl) {
    const auto placement = place(model, table_settings(1, ngl));
    return std::pair(buffer(placement, 0), buffer(placement, kHost));
  };
  CHECK(on_gpu(0) == std::pair<Bytes, Bytes>(0, 4912898304));
  CHECK(on_gpu(1) == std::pair<Bytes, Bytes>(430956544, 4481941760));
  CHECK(on_gpu(16) == std::pair<Bytes, Bytes>(2401460480, 2511438080));
  CHECK(on_gpu(32) == std::pair<Bytes, Bytes>(4478460160, 434438400));
  CHECK(on_gpu(999) == std::pair<Bytes, Bytes>(4617396480, 295501824));
  CHECK(on_gpu(-1) == on_gpu(999));
}

TEST_CASE("a tied output layer is a second copy on the GPU, not on the host") {
  const Model model = quantized("Llama-3.2-1B", Ftype::Q4_K_M);
  CHECK(buffer(place(model, table_settings(0, 0)), kHost) == 799862912);
  const auto placement = place(model, table_settings(1, 999));
  CHECK(buffer(placement, 0) == 799862912);
  CHECK(buffer(placement, kHost) == 215470080);
}

TEST_CASE("layers are cut where the cumulative share of a device ends") {
  const Model model = quantized("Llama-3.1-8B", Ftype::Q4_K_M);
  LlamaCppSettings settings = table_settings(2, 999);
  CHECK(buffer(place(model, settings), 0) == 2215936256);
  CHECK(buffer(place(model, settings), 1) == 2401460480);
  settings.tensor_split = {3, 1};
  CHECK(buffer(place(model, settings), 0) == 3246326016);
  CHECK(buffer(place(model, settings), 1) == 1371070720);
  settings.tensor_split.clear();
  settings.devices[0].free = 30 * kGiB;  // unequal cards: by free memory
  settings.devices[1].free = 10 * kGiB;
  CHECK(buffer(place(model, settings), 0) == 3246326016);
}

TEST_CASE("experts move to the host by --cpu-moe, --n-cpu-moe and -ot") {
  const Model model = quantized("gpt-oss-20b", Ftype::MXFP4_MOE);
  LlamaCppSettings settings = table_settings(1, 999);
  CHECK(buffer(place(model, settings), 0) == 11481229056);
  settings.cpu_moe = true;
  const auto all = place(model, settings);
  CHECK(all.has_overrides);
  CHECK(buffer(all, 0) == 1302341376);
  CHECK(buffer(all, kHost) == 10794216960);

  settings.cpu_moe = false;
  settings.n_cpu_moe = 24;  // every block
  CHECK(buffer(place(model, settings), 0) == 1302341376);
  settings.n_cpu_moe = 12;  // half of the experts, whose blocks are all alike
  CHECK(buffer(place(model, settings), 0) == 1302341376 + (11481229056 - 1302341376) / 2);

  settings.n_cpu_moe = 0;
  settings.overrides = {{R"(blk\.([0-9]|1[01])\.ffn_.*_exps)", "CPU"}};
  CHECK(buffer(place(model, settings), 0) == 1302341376 + (11481229056 - 1302341376) / 2);
  settings.overrides = {{"exps", "gpu0"}};  // first match wins over --cpu-moe
  settings.cpu_moe = true;
  CHECK(buffer(place(model, settings), 0) == 11481229056);

  const auto context = normalize(settings, model).value();
  settings.overrides = {{"(", "CPU"}};
  CHECK(place_weights(model, settings, context).error().code == "override_pattern");
  settings.overrides = {{"exps", "gpu7"}};
  CHECK(place_weights(model, settings, context).error() ==
        Error{"override_device", "overrides", "gpu7"});
}

TEST_CASE("CPU builds repack the weights that have kernels for it") {
  const auto repacked = [](const char* name, Ftype ftype) {
    LlamaCppSettings settings = table_settings(0, 0);
    settings.repack = true;
    const auto placement = place(quantized(name, ftype), settings);
    return std::pair(buffer(placement, kHost, WeightBufferKind::repacked),
                     buffer(placement, kHost));
  };
  CHECK(repacked("Llama-3.1-8B", Ftype::Q4_K_M) == std::pair<Bytes, Bytes>(3359637504, 1553260800));
  CHECK(repacked("gpt-oss-20b", Ftype::MXFP4_MOE) ==
        std::pair<Bytes, Bytes>(10152345600, 1944212736));
  CHECK(repacked("SmolLM2-135M", Ftype::Q4_K_M).first == 7962624);
}

TEST_CASE("a mapped host buffer spans the file from its first to its last host weight") {
  Model model = quantized("Llama-3.1-8B", Ftype::Q4_K_M);
  std::stable_sort(model.tensors.begin(), model.tensors.end(),
                   [](const Tensor& a, const Tensor& b) { return a.layer < b.layer; });
  LlamaCppSettings settings = table_settings(1, 999);
  settings.real_load = true;
  settings.overrides = {{R"(blk\.31\.ffn_down)", "CPU"}};
  const Bytes mapped = buffer(place(model, settings), kHost, WeightBufferKind::mapped);
  settings.mmap = false;
  const Bytes pinned = buffer(place(model, settings), kHost);
  // Without mapping: the token table and one Q6_K matrix.
  CHECK(pinned == 295501824 + 4096 * 14336 / 256 * 210);
  CHECK(mapped > 4'000'000'000);
}

TEST_CASE("CUDA pads quantized rows to whole pieces of 512 elements") {
  Tensor tensor;
  tensor.ne = {896, 10, 1, 1};
  tensor.n_dims = 2;
  tensor.type = GgmlType::Q8_0;
  LlamaCppDevice device;
  CHECK(bytes_in_buffer(tensor, device) == (896 * 10 + 128) / 32 * 34);
  device.backend = LlamaCppBackend::vulkan;
  CHECK(bytes_in_buffer(tensor, device) == 896 * 10 / 32 * 34);
  tensor.type = GgmlType::F16;
  device.backend = LlamaCppBackend::cuda;
  CHECK(bytes_in_buffer(tensor, device) == 896 * 10 * 2);
}

TEST_CASE("caches hold K and V of the layers that own one, in the types asked for") {
  LlamaCppSettings settings = table_settings(1, 999);
  CHECK(kv_cache_bytes(cache(truth_model("Llama-3.1-8B"), settings)) == 1024 * kMiB);
  settings.type_k = GgmlType::Q8_0;
  settings.type_v = GgmlType::Q8_0;
  CHECK(kv_cache_bytes(cache(truth_model("Llama-3.1-8B"), settings)) == 544 * kMiB);
  settings = table_settings(1, 999);
  CHECK(kv_cache_bytes(cache(truth_model("Qwen3-Next-80B-A3B"), settings)) == 192 * kMiB);
  CHECK(kv_cache_bytes(cache(truth_model("GLM-4.5-Air"), settings)) == 1472 * kMiB);
  CHECK(cache(truth_model("Mamba-2.8B"), settings).empty());
}

TEST_CASE("the keys of a sparse-attention indexer are cached beside the latent") {
  // GLM 5 by llama.cpp v0.5.0: 78 layers, 8192 cells, 899 678 208 bytes = (576 + 128) * 2 each.
  Model model = truth_model("GLM-4.7-Flash");
  LlamaCppSettings settings;
  settings.n_ctx = 8192;
  const Bytes latent = kv_cache_bytes(cache(model, settings));
  for (Layer& layer : model.layers) layer.attention.indexer_head_dim = 128;
  CHECK(kv_cache_bytes(cache(model, settings)) * 576 == latent * (576 + 128));
}

TEST_CASE("DeepSeek V4 keeps a window, compressed keys and tokens not yet compressed") {
  // 106 315 776 bytes for 8192 tokens were measured: 21 layers with a key of 1024 bytes and the
  // indexer's of 256 for 4 tokens each, 20 layers with a key for 128, in at least 256 cells.
  const Model model = truth_model("DeepSeek-V4-Flash");
  LlamaCppSettings settings = table_settings(1, 999);
  const auto states = [&] {
    Bytes total = 0;
    const LlamaCppContext context = normalize(settings, model).value();
    for (const StateLayer& layer : recurrent_state_layers(model, context, place(model, settings))) {
      total += layer.bytes();
    }
    return total;
  };
  const auto keys = cache(model, settings);
  CHECK(kv_cache_bytes(keys, KvPart::window) == 43 * 768 * 1024);
  CHECK(kv_cache_bytes(keys, KvPart::full) == 21 * 2048 * 1280 + 20 * 256 * 1024);
  CHECK(kv_cache_bytes(keys) + states() == 106315776);

  // Each sequence has its own even in a unified cache, as long as the whole context.
  settings.n_ctx = 32768;
  settings.n_seq = 4;
  settings.kv_unified = true;
  CHECK(kv_cache_bytes(cache(model, settings)) + states() == 1085865984);

  settings.type_k = GgmlType::Q8_0;
  REQUIRE(!normalize(settings, model).ok());
  CHECK(normalize(settings, model).error().code == "mla_kv");
}

TEST_CASE("blocks that loop have a cache per loop, and their weights once") {
  const Model model = quantized("Nanbeige4.2-3B", Ftype::F16);
  CHECK(model.layers.size() == 2 * 22);
  LlamaCppSettings settings = table_settings(1, 23);  // the second loop and the output layer
  CHECK(kv_cache_bytes(cache(model, settings), KvPart::all, 0) == 22 * 8192 * 8 * 128 * 2 * 2);
  CHECK(kv_cache_bytes(cache(model, settings), KvPart::all, kHost) == 22 * 8192 * 8 * 128 * 2 * 2);
  // The weights belong to the first loop, so they stay on the host.
  CHECK(buffer(place(model, settings), 0) == Bytes{166144} * 3072 * 2 + 3072 * 4);
}

TEST_CASE("latent attention stores one row per token, older builds its value part again") {
  LlamaCppSettings settings = table_settings(1, 999);
  const Model absorbed = truth_model("DeepSeek-V2-Lite");
  CHECK(kv_cache_bytes(cache(absorbed, settings)) == 243 * kMiB);
  CHECK(kv_cache_bytes(cache(truth_model("DeepSeek-V2-Lite-noabsorb"), settings)) == 2160 * kMiB);
  settings.release = LlamaCppRelease::build_2025_11;
  CHECK(kv_cache_bytes(cache(absorbed, settings)) == (243 + 216) * kMiB);
}

TEST_CASE("window layers have a cache of their own") {
  LlamaCppSettings settings = table_settings(1, 999);
  const auto layers = cache(truth_model("Gemma-3-4B"), settings);
  CHECK(kv_cache_bytes(layers, KvPart::full) == 160 * kMiB);
  CHECK(kv_cache_bytes(layers, KvPart::window) == 174 * kMiB);
  settings.release = LlamaCppRelease::build_2025_05;  // before window caches
  CHECK(kv_cache_bytes(cache(truth_model("Gemma-3-4B"), settings)) == 34 * 32 * kMiB);
}

TEST_CASE("caches lie with their layers, or on the host with -nkvo") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppSettings settings = table_settings(1, 17);  // 16 blocks and the output layer
  CHECK(kv_cache_bytes(cache(model, settings), KvPart::all, 0) == 512 * kMiB);
  CHECK(kv_cache_bytes(cache(model, settings), KvPart::all, kHost) == 512 * kMiB);
  settings.offload_kv = false;
  CHECK(kv_cache_bytes(cache(model, settings), KvPart::all, kHost) == 1024 * kMiB);
}

TEST_CASE("recurrent states are per sequence, whatever the context") {
  const auto states = [](const char* name, std::int64_t n_seq, std::int64_t n_ctx) {
    const Model model = truth_model(name);
    LlamaCppSettings settings = table_settings(1, 999);
    settings.n_seq = n_seq;
    settings.n_ctx = n_ctx;
    const auto context = normalize(settings, model).value();
    Bytes conv = 0;
    Bytes ssm = 0;
    for (const StateLayer& layer : recurrent_state_layers(model, context, place(model, settings))) {
      conv += layer.bytes_conv;
      ssm += layer.bytes_ssm;
    }
    return std::pair(conv, ssm);
  };
  // R_MiB and S_MiB of the rows' notes.
  const Bytes qwen_conv = 36 * 3 * (4096 + 2 * 16 * 128) * 4;
  CHECK(states("Qwen3-Next-80B-A3B", 1, 8192) == std::pair<Bytes, Bytes>(qwen_conv, 72 * kMiB));
  CHECK(states("Qwen3-Next-80B-A3B", 4, 32768) ==
        std::pair<Bytes, Bytes>(4 * qwen_conv, 4 * 72 * kMiB));
  CHECK(states("Mamba-2.8B", 1, 512) == std::pair<Bytes, Bytes>(15 * kMiB / 4, 20 * kMiB));
  CHECK(states("Granite-4.0-H-Tiny", 1, 8192).second == 54 * kMiB);
  CHECK(states("Llama-2-7B", 1, 4096) == std::pair<Bytes, Bytes>(0, 0));
}

TEST_CASE("a header that does not state the length of the convolution makes no negative state") {
  Model model = truth_model("LFM2-1.2B");
  for (Layer& layer : model.layers) layer.recurrent = {};
  const LlamaCppSettings settings = table_settings(1, 999);
  const auto context = normalize(settings, model).value();
  CHECK(recurrent_state_layers(model, context, place(model, settings)).empty());
}

TEST_CASE("the CUDA context follows the threads a card can hold") {
  // Readings of overhead.csv, MiB; the formula's worst error over all readings is 19 %.
  struct Reading {
    int n_sm;
    int threads;
    double mib;
  };
  for (const Reading& reading : {Reading{28, 1536, 113}, Reading{46, 1536, 169},
                                 Reading{82, 1536, 279}, Reading{188, 1536, 561}}) {
    const double mib = static_cast<double>(cuda_context_bytes(reading.n_sm, reading.threads)) /
                       static_cast<double>(kMiB);
    CHECK(std::abs(mib - reading.mib) < 0.1 * reading.mib);
  }
}

TEST_CASE("memory outside the buffers is a range that holds the readings at exit") {
  LlamaCppDevice device;
  device.n_sm = 188;
  const auto linux_range = llama_cpp_overhead(device, OperatingSystem::gnu_linux, {});
  CHECK(linux_range.context_is_measured);
  for (const Bytes seen : {704 * kMiB, 713 * kMiB}) {  // RTX PRO 6000, headless
    CHECK(linux_range.context.low + linux_range.rest.low <= seen);
    CHECK(seen <= linux_range.context.high + linux_range.rest.high);
  }
  device.n_sm = 0;
  CHECK_FALSE(llama_cpp_overhead(device, OperatingSystem::gnu_linux, {}).context_is_measured);
  device.backend = LlamaCppBackend::metal;
  CHECK(llama_cpp_overhead(device, OperatingSystem::macos, {}).rest.high == 100 * kMiB);
}
