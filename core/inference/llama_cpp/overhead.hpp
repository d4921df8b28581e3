// What a device holds for llama.cpp besides the buffers that its log prints: the driver's context
// of the process, kernels, pools, graphs, and on Windows the share of the display driver.
// Source: overhead.md of our references, from 193 readings (overhead.csv).
#pragma once

#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

struct ByteRange3 {
  Bytes low = 0;
  Bytes likely = 0;
  Bytes high = 0;
};

/// C, what CUDA takes per process and device before any buffer:
///   40 MiB + 2.9 MiB * n_sm * threads_per_sm / 1536
/// Fit to 25 readings of 13 cards from Pascal to Blackwell, median error 5 %, worst 19 %; it grows
/// with the threads a card can hold, so probably with their local storage.
[[nodiscard]] Bytes cuda_context_bytes(int n_sm, int threads_per_sm);

/// Model and settings that matter for some backends.
struct OverheadInputs {
  Bytes output_weight = 0;  // of the tensor that makes the logits; SYCL reorders a copy of it
  std::int64_t n_ctx = 0;
  Bytes kv_scratch_per_layer = 0;  // F16 K and V of one layer, if builds convert them outside
                                   // the compute buffer (before mid-2026 with quantized KV)
};

/// `context` is C (zero where a backend's readings do not separate it), `rest` everything else.
struct DeviceOverhead {
  ByteRange3 context;
  ByteRange3 rest;
  bool context_is_measured = false;  // n_sm is known: the formula above; else a range over cards
  bool rest_is_measured = false;     // LlamaCppDevice::measured_overhead: holds the context too
};
/// Whether any of `inputs` matters to this device. Without it the share follows from the machine
/// alone.
[[nodiscard]] bool overhead_depends_on(const LlamaCppDevice& device, const OverheadInputs& inputs);
[[nodiscard]] DeviceOverhead llama_cpp_overhead(const LlamaCppDevice& device, OperatingSystem os,
                                                const OverheadInputs& inputs);

}  // namespace meyasu
