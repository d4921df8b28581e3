#include "core/inference/llama_cpp/compute_buffer.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <map>
#include <memory>

#include "core/quantization/mix.hpp"
#include "tests/unit/inference/compute_truth.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

// Sanitizers make an estimate some twenty times slower: every seventh run of the table then. g++
// defines a macro, clang has a question.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif !defined(__clang__)
constexpr bool kSanitized = false;
#elif __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr std::size_t kEvery = kSanitized ? 7 : 1;

class Estimators {
 public:
  ComputeBufferEstimator& of(const std::string& model) {
    auto& entry = entries_[model];
    if (!entry) {
      entry = std::make_unique<Entry>(truth_model(model));
    }
    return entry->estimator;
  }

 private:
  struct Entry {
    explicit Entry(Model read) : model(std::move(read)), estimator(model) {}
    Model model;
    ComputeBufferEstimator estimator;
  };
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

struct Comparison {
  std::size_t rows = 0;
  std::size_t exact = 0;
  std::size_t within_1_percent = 0;
  std::size_t counts = 0;
  std::size_t counts_equal = 0;
  std::string first_wrong;
};

Comparison compare(const std::vector<ComputeRow>& rows) {
  Estimators estimators;
  Comparison result;
  std::string context;
  std::size_t runs = 0;
  ComputeBuffers buffers;
  for (const ComputeRow& row : rows) {
    if (row.context != context) {
      context = row.context;
      if (++runs % kEvery == 0) {
        const auto estimate = estimators.of(row.model).estimate(row.settings);
        REQUIRE(estimate.ok());
        buffers = estimate.value();
      }
    }
    if (runs % kEvery != 0) continue;
    bool right = false;
    if (row.is_node_count()) {
      ++result.counts;
      right =
          buffers.n_nodes == row.n_nodes && (row.n_splits < 0 || buffers.n_splits == row.n_splits);
      result.counts_equal += right ? 1 : 0;
    } else {
      ++result.rows;
      for (const ComputeBuffer& buffer : buffers.buffers) {
        if (buffer.device != row.device()) continue;
        const Bytes difference = std::abs(buffer.bytes - row.bytes);
        right = difference <= row.tolerance;
        result.exact += right ? 1 : 0;
        result.within_1_percent += right || difference * 100 <= row.bytes ? 1 : 0;
      }
    }
    if (!right && result.first_wrong.empty()) result.first_wrong = row.id + " " + row.context;
  }
  return result;
}

Bytes mib(double value) {
  return std::llround(value * static_cast<double>(kMiB));
}

/// The reference gives two decimals, some cut off instead of rounded.
bool shows(Bytes bytes, double value) {
  return std::abs(bytes - mib(value)) <= mib(0.01);
}

LlamaCppSettings one_emulated_gpu() {
  LlamaCppSettings settings;
  settings.n_ctx = 8192;
  settings.flash_attention = FlashAttention::on;
  settings.devices = {emulated_device(0)};
  settings.n_outputs_max = 1;
  return settings;
}

}  // namespace

TEST_CASE("compute buffers, nodes and splits of the release equal every measured row") {
  const auto rows = compute_rows("v0.5.0");
  CHECK(rows.size() == 2481 + 492);
  const Comparison result = compare(rows);
  INFO("first wrong: " << result.first_wrong);
  CHECK(result.rows >= 2481 / kEvery / 2);
  CHECK(result.exact == result.rows);
  CHECK(result.counts_equal == result.counts);
}

TEST_CASE("compute buffers of further architectures equal the runtime's own figures") {
  auto rows = compute_rows("v0.5.0", "llamacpp_more.csv");
  const auto earlier = compute_rows("2026-08-17", "llamacpp_more.csv");
  CHECK(earlier.size() > 700);
  rows.insert(rows.end(), earlier.begin(), earlier.end());
  const Comparison result = compare(rows);
  INFO("first wrong: " << result.first_wrong);
  CHECK(result.rows > 2500 / kEvery);
  CHECK(result.counts > 1000 / kEvery / 2);
  CHECK(result.exact == result.rows);
  CHECK(result.counts_equal == result.counts);
}

TEST_CASE("compute buffers of the 2025-11 build are within 1 % for 98 % of the measured rows") {
  const auto rows = compute_rows("2025-11-18");
  CHECK(rows.size() == 303 + 38);
  const Comparison result = compare(rows);
  INFO("first wrong: " << result.first_wrong);
  CHECK(result.rows >= 303 / kEvery / 2);
  CHECK(static_cast<double>(result.within_1_percent) >= 0.98 * static_cast<double>(result.rows));
  CHECK(result.counts_equal == result.counts);
}

TEST_CASE("the peak of a dense model is explained by the tensors alive at it") {
  // llama-cpp-graph.md section 9: three feed-forward tensors of 28 MiB, two residuals of 8, the
  // query of 8, the mask of 8, and small inputs.
  const Model model = truth_model("Llama-3.1-8B");
  const auto estimate = llama_cpp_compute_buffers(model, one_emulated_gpu());
  REQUIRE(estimate.ok());
  CHECK(estimate.value().n_nodes == 998);
  CHECK(estimate.value().n_splits == 2);
  const ComputeBuffer& gpu = estimate.value().buffers.front();
  CHECK(gpu.bytes == 121'645'088);
  CHECK(estimate.value().buffers.back().bytes == 25'178'144);
  Bytes sum = gpu.gaps;
  for (const PeakTensor& tensor : gpu.at_peak) sum += tensor.bytes;
  CHECK(sum == gpu.bytes);
  REQUIRE(gpu.at_peak.size() >= 5);
  CHECK(gpu.at_peak[0].bytes == 28 * kMiB);
  CHECK(gpu.at_peak[2].bytes == 28 * kMiB);
  CHECK(gpu.at_peak[3].bytes == 8 * kMiB);
  CHECK(gpu.at_peak[0].layer == 0);
}

TEST_CASE("a real load pins norms, so the last of two GPUs needs less than in measuring mode") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppSettings settings = one_emulated_gpu();
  settings.devices.push_back(emulated_device(1));
  settings.n_outputs_max = 0;
  settings.real_load = false;
  const auto measured = llama_cpp_compute_buffers(model, settings);
  settings.real_load = true;
  const auto real = llama_cpp_compute_buffers(model, settings);
  REQUIRE((measured.ok() && real.ok()));
  CHECK(real.value().pipeline_copies);
  CHECK(shows(measured.value().buffers[1].bytes, 354.5469));
  CHECK(shows(real.value().buffers[1].bytes, 322.5469));
  CHECK(shows(real.value().buffers[0].bytes, 172.0391));
}

TEST_CASE("CUDA keeps tensors of fused mixture-of-experts kernels alive") {
  struct Case {
    const char* model;
    double all_rows;
    double one_row;  // 0: the same as without fusion
  };
  // Checked against CUDA's own matcher: llama-cpp-graph.md section 8.
  const Case expected[] = {{"GLM-4.5-Air", 451.04, 220.01},
                           {"Qwen3-30B-A3B", 341.53, 0},
                           {"Qwen3-Next-80B-A3B", 312.76, 133.05},
                           {"DeepSeek-V2-Lite", 260.39, 0}};
  for (const Case& entry : expected) {
    INFO(entry.model);
    const Model model = truth_model(entry.model);
    ComputeBufferEstimator estimator(model);
    LlamaCppSettings settings = one_emulated_gpu();
    settings.devices[0].backend = LlamaCppBackend::cuda;
    settings.n_outputs_max = 0;
    const auto all = estimator.estimate(settings);
    settings.n_outputs_max = 1;
    const auto one = estimator.estimate(settings);
    settings.cuda_keeps_moe_tensors = false;
    const auto unfused = estimator.estimate(settings);
    REQUIRE((all.ok() && one.ok() && unfused.ok()));
    CHECK(shows(all.value().buffers[0].bytes, entry.all_rows));
    if (entry.one_row > 0) {
      CHECK(shows(one.value().buffers[0].bytes, entry.one_row));
      CHECK(one.value().buffers[0].bytes > unfused.value().buffers[0].bytes);
    } else {
      CHECK(one.value().buffers[0].bytes == unfused.value().buffers[0].bytes);
    }
  }
}

TEST_CASE("large batches stream host weights through a GPU that takes them") {
  // Llama-3.1-8B Q4_K_M, no layer offloaded: llama-cpp-graph.md section 8.
  Model model = truth_model("Llama-3.1-8B");
  const auto mix = quantize_mix(model, Ftype::Q4_K_M, {});
  REQUIRE(mix.ok());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    model.tensors[i].type = mix.value().types[i];
  }
  LlamaCppSettings settings = one_emulated_gpu();
  settings.devices[0].op_offload = true;
  settings.n_gpu_layers = 0;
  settings.n_outputs_max = 0;
  const auto all = llama_cpp_compute_buffers(model, settings);
  settings.n_outputs_max = 1;
  const auto one = llama_cpp_compute_buffers(model, settings);
  settings.op_offload = false;
  const auto none = llama_cpp_compute_buffers(model, settings);
  REQUIRE((all.ok() && one.ok() && none.ok()));
  CHECK(shows(all.value().buffers[0].bytes, 669.48));
  CHECK(shows(one.value().buffers[0].bytes, 135.50));
  CHECK(none.value().buffers[0].bytes == 0);
}

TEST_CASE("quantized keys and values need F16 copies in CUDA's compute buffer") {
  const Model model = truth_model("Llama-3.1-8B");
  LlamaCppSettings settings = one_emulated_gpu();
  settings.n_ctx = 131072;
  settings.type_k = GgmlType::Q8_0;
  settings.type_v = GgmlType::Q8_0;
  const auto without = llama_cpp_compute_buffers(model, settings);
  settings.devices[0].backend = LlamaCppBackend::cuda;
  const auto with = llama_cpp_compute_buffers(model, settings);
  REQUIRE((without.ok() && with.ok()));
  // 131072 cells of 8 heads of 128 elements, K and V, 2 bytes each: 512 MiB at the flash attention
  // node, where less else is alive than at the feed-forward's peak.
  const Bytes copies = Bytes{131072} * 8 * 128 * 2 * 2;
  CHECK(copies == 512 * kMiB);
  const Bytes growth = with.value().buffers[0].bytes - without.value().buffers[0].bytes;
  CHECK(growth > copies - 100 * kMiB);
  CHECK(growth < copies);
}

TEST_CASE("an estimator answers the same whatever it was asked before") {
  const Model model = truth_model("Gemma-3-4B");
  ComputeBufferEstimator estimator(model);
  LlamaCppSettings settings = one_emulated_gpu();
  const auto first = estimator.estimate(settings);
  settings.n_ctx = 65536;
  settings.flash_attention = FlashAttention::off;
  settings.devices.clear();
  REQUIRE(estimator.estimate(settings).ok());
  const auto again = estimator.estimate(one_emulated_gpu());
  REQUIRE((first.ok() && again.ok()));
  CHECK(first.value().buffers[0].bytes == again.value().buffers[0].bytes);
  CHECK(first.value().buffers[1].bytes == again.value().buffers[1].bytes);
}

TEST_CASE("an unknown architecture gets a range that is marked as a guess") {
  Model model = truth_model("Llama-3.1-8B");
  const auto known = llama_cpp_compute_buffers(model, one_emulated_gpu());
  model.architecture = "never-heard-of";
  const auto guessed = llama_cpp_compute_buffers(model, one_emulated_gpu());
  REQUIRE((known.ok() && guessed.ok()));
  CHECK(known.value().graph_known);
  CHECK_FALSE(guessed.value().graph_known);
  REQUIRE(guessed.value().buffers.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const ComputeBuffer& range = guessed.value().buffers[i];
    CHECK(range.low < range.bytes);
    CHECK(range.high > range.bytes);
    CHECK(range.low <= known.value().buffers[i].bytes);
    CHECK(range.high >= known.value().buffers[i].bytes);
  }
}

TEST_CASE(
    "the guess for unknown architectures contains nearly all measured buffers of known ones") {
  // Leave-one-out in spirit: none of the closed form's constants comes from these rows' models.
  std::size_t inside = 0;
  std::size_t all = 0;
  std::map<std::string, std::unique_ptr<Model>> models;
  for (const ComputeRow& row : compute_rows("v0.5.0")) {
    if (row.is_node_count() || row.settings.devices.size() > 1 || row.bytes == 0) continue;
    auto& model = models[row.model];
    if (!model) {
      model = std::make_unique<Model>(truth_model(row.model));
      model->architecture = "never-heard-of";
    }
    ComputeBufferEstimator estimator(*model);
    const auto estimate = estimator.estimate(row.settings);
    REQUIRE(estimate.ok());
    for (const ComputeBuffer& buffer : estimate.value().buffers) {
      if (buffer.device != row.device()) continue;
      ++all;
      inside += buffer.low <= row.bytes && row.bytes <= buffer.high ? 1 : 0;
    }
  }
  CHECK(all > 2000);
  CHECK(static_cast<double>(inside) >= 0.9 * static_cast<double>(all));
}

TEST_CASE("an indexer where the architecture has none, or of absurd size, does no harm") {
  Model latent = truth_model("DeepSeek-V2-Lite");
  for (Layer& layer : latent.layers) layer.attention.indexer_head_dim = 128;
  CHECK(llama_cpp_compute_buffers(latent, one_emulated_gpu()).ok());

  Model blocks = truth_model("MiniMax-M3");
  CHECK(llama_cpp_compute_buffers(blocks, one_emulated_gpu()).value().graph_known);
  for (auto& [key, value] : blocks.hparams) {
    if (key == "attention.indexer.block_size") value = 4e18;
  }
  CHECK_FALSE(llama_cpp_compute_buffers(blocks, one_emulated_gpu()).value().graph_known);
}

TEST_CASE("a model that lacks weights of its architecture is unknown, whatever it claims to be") {
  const Model complete = truth_model("Llama-3.1-8B");
  for (const char* architecture :
       {"mamba", "mamba2", "granitehybrid", "lfm2", "qwen3next", "qwen35", "rwkv6", "rwkv7",
        "arwkv7", "kimi-linear", "deepseek2", "deepseek32", "glm-dsa", "talkie"}) {
    INFO(architecture);
    Model model = complete;
    model.architecture = architecture;
    for (Layer& layer : model.layers) {
      if (model.architecture == "kimi-linear") layer.kind = LayerKind::linear_attention;
      if (model.architecture.find("rwkv") != std::string::npos) layer.kind = LayerKind::rwkv;
      layer.recurrent.head_dim = 64;
      layer.recurrent.token_shift = 2;
      if (model.architecture.find("mamba") == 0 || model.architecture.find("qwen3") == 0 ||
          model.architecture == "granitehybrid" || model.architecture == "lfm2") {
        layer.kind = LayerKind::mamba2;
      }
      if (model.architecture != "talkie") layer.attention.mla = Mla{};
    }
    const auto estimate = llama_cpp_compute_buffers(model, one_emulated_gpu());
    REQUIRE(estimate.ok());
    CHECK_FALSE(estimate.value().graph_known);
  }
  Model model = complete;
  model.tensors.erase(model.tensors.begin() +
                      static_cast<std::ptrdiff_t>(model.tensors.size() / 2));
  const auto estimate = llama_cpp_compute_buffers(model, one_emulated_gpu());
  REQUIRE(estimate.ok());
  // One weight less: either an optional one (still a graph) or a needed one (a range).
  CHECK(estimate.value().buffers.size() == 2);
}
