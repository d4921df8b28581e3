// The options of the inference page as the core's settings: one reading for estimates, sweeps and
// solvers.
#pragma once

#include <emscripten/val.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/inference/verdict.hpp"
#include "core/study/library.hpp"
#include "core/study/study.hpp"
#include "wasm/convert.hpp"
#include "wasm/machine_options.hpp"

namespace meyasu {

inline constexpr std::array<std::pair<std::string_view, FlashAttention>, 3> kFlashAttention = {{
    {"auto", FlashAttention::automatic},
    {"on", FlashAttention::on},
    {"off", FlashAttention::off},
}};
inline constexpr std::array<std::pair<std::string_view, LlamaCppBackend>, 5> kBackends = {{
    {"cuda", LlamaCppBackend::cuda},
    {"rocm", LlamaCppBackend::rocm},
    {"vulkan", LlamaCppBackend::vulkan},
    {"sycl", LlamaCppBackend::sycl},
    {"metal", LlamaCppBackend::metal},
}};
inline constexpr std::array<std::pair<std::string_view, LlamaCppProgram>, 5> kPrograms = {{
    {"llama-server", LlamaCppProgram::server},
    {"llama-cli", LlamaCppProgram::cli},
    {"ollama", LlamaCppProgram::ollama},
    {"lm-studio", LlamaCppProgram::lm_studio},
    {"koboldcpp", LlamaCppProgram::koboldcpp},
}};
inline constexpr std::array<std::pair<std::string_view, LoraTargets>, 2> kAdapterTargets = {{
    {"attention", LoraTargets::attention},
    {"linear", LoraTargets::linear},
}};
inline constexpr std::array<std::pair<std::string_view, ServingRuntime>, 3> kServers = {{
    {"vllm", ServingRuntime::vllm},
    {"sglang", ServingRuntime::sglang},
    {"tensorrt-llm", ServingRuntime::tensorrt_llm},
}};
inline constexpr std::array<std::pair<std::string_view, KvCacheType>, 4> kServerKvTypes = {{
    {"bf16", KvCacheType::bf16},
    {"fp8", KvCacheType::fp8},
    {"int8", KvCacheType::int8_per_token_head},
    {"nvfp4", KvCacheType::nvfp4},
}};

inline constexpr std::array<std::pair<std::string_view, LibraryRuntime>, 3> kLibraries = {{
    {"transformers", LibraryRuntime::transformers},
    {"exllamav2", LibraryRuntime::exllamav2},
    {"exllamav3", LibraryRuntime::exllamav3},
}};
inline constexpr std::array<std::pair<std::string_view, TransformersAttention>, 2>
    kLibraryAttention = {{
        {"fused", TransformersAttention::fused},
        {"eager", TransformersAttention::eager},
    }};
inline constexpr std::array<std::pair<std::string_view, TransformersCache>, 2> kLibraryCache = {{
    {"dynamic", TransformersCache::dynamic},
    {"static", TransformersCache::static_full},
}};

struct LlamaCppQuestion {
  LlamaCppProgram program = LlamaCppProgram::server;
  std::string mix;
  LlamaCppSettings settings;
  MachineRoom room;
  SpeedMachine speed;
  SpeedWorkload workload;
};

/// Built on first use.
const Catalog& model_catalog();

struct ServingQuestion {
  std::string format;
  ServingSettings settings;
  std::optional<Device> gpu;  // the slowest of the machine: all wait for it
  SpeedWorkload workload;
};

/// Errors: those of Options, machine_from_js, settings_for and usable_capacity.
Result<LlamaCppQuestion> llama_cpp_from_js(const emscripten::val& object);
/// The same with what is loaded beside the model of the study. Errors: those of make_parts too.
Result<LlamaCppQuestion> llama_cpp_from_js(InferenceStudy& study, const emscripten::val& object);
Result<ServingQuestion> serving_from_js(const emscripten::val& object);
Result<LibraryQuestion> library_from_js(const emscripten::val& object);

emscripten::val to_js(const Fit& fit);
emscripten::val to_js(const PlaceFit& place);

}  // namespace meyasu
