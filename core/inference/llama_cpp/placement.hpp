// Which device holds each weight and each layer's cache, and how large the weight buffers become.
// Source: load_tensors in src/llama-model.cpp of release v0.5.0; llama-cpp.md section 4.
#pragma once

#include <cstddef>
#include <vector>

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// Device numbers: 0 .. devices.size()-1 are LlamaCppSettings::devices.
inline constexpr int kHost = -1;
inline constexpr int kNotLoaded = -2;  // weights of unused multi-token prediction blocks

/// How a weight buffer came to be; decides whether it is reclaimable file cache or taken memory.
enum class WeightBufferKind {
  device,    // memory of a GPU
  mapped,    // CPU_Mapped: a span of the file, reclaimable page cache
  host,      // plain or pinned host memory (mmap off)
  repacked,  // CPU_REPACK: a copy in the layout of the CPU kernels
};

struct WeightBuffer {
  int device = kHost;
  WeightBufferKind kind = WeightBufferKind::device;
  Bytes bytes = 0;
};

/// One more allocation of a weight than its first, on another device.
struct WeightCopy {
  std::size_t tensor = 0;  // index into Model::tensors
  int device = kHost;
  bool repacked = false;
};

struct LlamaCppPlacement {
  std::vector<int> layer_device;   // one per Model::layers: where its weights go by rule
  int output_device = kHost;       // output_norm, output.weight, logits
  std::vector<int> tensor_device;  // one per Model::tensors, after overrides
  std::vector<bool> repacked;      // one per Model::tensors: lives in the CPU_REPACK buffer
  std::vector<int> kv_device;      // one per Model::layers: where its cache or state lies
  /// Second copies: the token table of a model without output.weight, multiplied by again on
  /// output_device; rope factors, which every device with blocks has its own copy of.
  std::vector<WeightCopy> copies;
  bool has_overrides = false;         // any -ot, --cpu-moe or --n-cpu-moe: no pipeline copies
  bool all_layers_offloaded = false;  // n_gpu_layers covers every block and the output layer
  std::vector<WeightBuffer> buffers;  // devices in order, then host kinds; none of zero bytes
};

/// Errors (code, field): override_pattern, overrides (a pattern outside the understood subset);
/// override_device, overrides (no such device).
[[nodiscard]] Result<LlamaCppPlacement> place_weights(const Model& model,
                                                      const LlamaCppSettings& settings,
                                                      const LlamaCppContext& context);

/// Of ggml-cpu's buffers, and of tensors in a file that states no alignment of its own.
inline constexpr Bytes kHostAlignment = 32;

/// Bytes that `tensor` takes in a buffer of `device` before padding to its alignment. CUDA and
/// ROCm read quantized rows in pieces of 512 elements, so rows that do not divide get the rest of
/// one piece behind the tensor (ggml-cuda.cu, get_alloc_size).
[[nodiscard]] Bytes bytes_in_buffer(const Tensor& tensor, const LlamaCppDevice& device);

/// Whether an x86 CPU build repacks this weight: types with AVX2 (Q2_K: AVX-512) kernels for
/// eight rows at a time, used in a matrix product. ARM builds repack more types (Q8_0).
[[nodiscard]] bool is_repackable(const Tensor& tensor);

}  // namespace meyasu
