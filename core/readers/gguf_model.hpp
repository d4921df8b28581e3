// From a GGUF header to a Model, with the meaning that llama.cpp v0.5.0 gives to the keys
// (src/llama-model.cpp, src/llama-hparams.cpp and src/models/ARCH.cpp, load_arch_hparams).
#pragma once

#include "core/model/model.hpp"
#include "core/readers/gguf_header.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Largest sizes that a header may state. llama.cpp's own limits are marked; the others keep every
/// product of sizes far below 2^63 while lying an order of magnitude above all known models.
struct GgufModelLimits {
  static constexpr std::int64_t kLayers = 512;       // runtime: LLAMA_MAX_LAYERS
  static constexpr std::int64_t kExperts = 1024;     // runtime: LLAMA_MAX_EXPERTS
  static constexpr std::int64_t kHeads = 8192;       // heads, groups, ranks, state size
  static constexpr std::int64_t kConvolution = 256;  // kernel length
  // n_embd, n_ff, d_inner, a head, and all heads of a layer together
  static constexpr std::int64_t kWidth = std::int64_t{1} << 20;
  static constexpr std::int64_t kVocabulary = std::int64_t{1} << 28;
  static constexpr std::int64_t kContext = std::int64_t{1} << 30;  // also windows
};

/// The model that the header describes; provenance `header`, tensors in file order.
///
/// What the keys of an architecture mean is known for those in the list of the source file. Of any
/// other, the tensors and the common keys are taken and `unknowns` gets "arch_unknown:NAME". Other
/// unknowns: "missing:KEY" (a key without which the layers cannot be described), "encoder:NAME"
/// (turns texts into vectors), "diffusion:NAME" (writes text, without a cache), "adapter" and
/// "projector" (files without layers of their own). Errors: "damaged", field "gguf", detail = byte
/// position of the key whose value is out of range.
[[nodiscard]] Result<Model> model_from_gguf(const GgufHeader& header);

}  // namespace meyasu
