// Transformers and ExLlama in a study: the same question that the other runtimes are asked, with
// the formats that these load, and the solvers over the same estimate.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fit/fit.hpp"
#include "core/hardware/machine.hpp"
#include "core/quantization/format.hpp"
#include "core/quantization/ftype.hpp"
#include "core/quantization/ggml_type.hpp"
#include "core/serving/exllama.hpp"
#include "core/serving/transformers.hpp"
#include "core/study/study.hpp"

namespace meyasu {

enum class LibraryRuntime { transformers, exllamav2, exllamav3 };

/// What each of them loads. Transformers: bitsandbytes quantizes while loading, the others are
/// checkpoints. ExLlama also loads 16-bit checkpoints.
inline constexpr std::array kTransformersFormats = {
    plain_format(FormatMethod::bf16),
    plain_format(FormatMethod::fp32),
    plain_format(FormatMethod::int8_bnb),
    bnb_4bit(FormatMethod::bnb_nf4, false),
    bnb_4bit(FormatMethod::bnb_nf4, true),
    plain_format(FormatMethod::fp8_block),
    gptq(4, 128),
    awq(128),
    hqq(4, 64),
    plain_format(FormatMethod::mxfp4_experts),
};
inline constexpr std::array kExllamaV2Formats = {
    plain_format(FormatMethod::bf16),
    exl(FormatMethod::exl2, 8.0),
    exl(FormatMethod::exl2, 6.5),
    exl(FormatMethod::exl2, 6.0),
    exl(FormatMethod::exl2, 5.0),
    exl(FormatMethod::exl2, 4.5),
    exl(FormatMethod::exl2, 4.0),
    exl(FormatMethod::exl2, 3.5),
    exl(FormatMethod::exl2, 3.0),
    exl(FormatMethod::exl2, 2.5),
    gptq(4, 128),
};
inline constexpr std::array kExllamaV3Formats = {
    plain_format(FormatMethod::bf16), exl(FormatMethod::exl3, 8.0), exl(FormatMethod::exl3, 6.0),
    exl(FormatMethod::exl3, 5.0),     exl(FormatMethod::exl3, 4.5), exl(FormatMethod::exl3, 4.0),
    exl(FormatMethod::exl3, 3.5),     exl(FormatMethod::exl3, 3.0), exl(FormatMethod::exl3, 2.5),
    exl(FormatMethod::exl3, 2.0),
};
[[nodiscard]] std::span<const WeightFormat> library_formats(LibraryRuntime runtime);

/// What it would load where llama.cpp loads `ftype`: 16 bit alike, else the nearest bits.
[[nodiscard]] WeightFormat library_format_like(LibraryRuntime runtime, Ftype ftype);
/// The same for the cache: 16 bits, or whole bits (V2: 4, 6 or 8).
[[nodiscard]] int exllama_bits_like(LibraryRuntime runtime, GgmlType type);

struct LibraryQuestion {
  LibraryRuntime runtime = LibraryRuntime::transformers;
  std::string format;        // id of one of library_formats()
  std::int64_t context = 0;  // tokens of one conversation
  std::int64_t users = 1;    // sequences at once
  /// Transformers: tokens of one conversation read at once; 0: all of it, as a chat does that sends
  /// the whole conversation again.
  std::int64_t prompt = 0;
  TransformersAttention attention = TransformersAttention::fused;
  TransformersCache cache = TransformersCache::dynamic;
  int k_bits = 16;  // ExLlama
  int v_bits = 16;
  std::vector<ExllamaGpu> gpus;  // of the machine; empty: CPU only
  Bytes host_usable = 0;         // 0: unknown, not judged beside GPUs
};

/// The cards of a machine as these libraries see them, for LibraryQuestion::gpus.
/// Errors: needs_gpu (field "machine", detail: the makers) where ExLlama has no card to run on;
/// those of device_capacity, field "devices.N.reserve_gib".
[[nodiscard]] Result<std::vector<ExllamaGpu>> library_gpus(LibraryRuntime runtime,
                                                           const Machine& machine);

struct LibraryEstimate {
  std::vector<Term> terms;
  MachineFit fit;            // places: the GPUs, then the host where its memory is known
  std::int64_t context = 0;  // tokens of one conversation, as allocated
  LayerCosts layers;
  std::vector<Error> warnings;  // "ctx_over"
};

/// Errors: format_unknown format; needs_gpu machine; those of estimate_transformers and
/// estimate_exllama.
[[nodiscard]] Result<LibraryEstimate> estimate_library(InferenceStudy& study,
                                                       const LibraryQuestion& question);

/// The same, reduced to what a chart or a map shows.
[[nodiscard]] SweepPoint library_point(InferenceStudy& study, const LibraryQuestion& question);

/// `value` fits and the next step does not, unless the search ended at its limit.
struct LibrarySolution {
  std::int64_t value = 0;
  LibraryEstimate best;
  bool at_limit = false;
  int n_estimates = 0;
};
/// The longest conversation, in the runtime's steps (ExLlama: pages of 256 tokens; Transformers:
/// tokens), up to the training length; the most sequences at once (Transformers: the batch).
/// Errors: none_fits; those of estimate_library.
[[nodiscard]] Result<LibrarySolution> longest_library_context(InferenceStudy& study,
                                                              const LibraryQuestion& question);
[[nodiscard]] Result<LibrarySolution> most_library_users(InferenceStudy& study,
                                                         const LibraryQuestion& question);
/// The format with the most bits that fits, as an index into library_formats().
[[nodiscard]] Result<LibrarySolution> best_library_format(InferenceStudy& study,
                                                          const LibraryQuestion& question);

}  // namespace meyasu
