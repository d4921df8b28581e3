// Programs that bring the same weights past the GPU for every token: Hugging Face Accelerate and
// DeepSpeed ZeRO-Inference. One model for a block of many sequences and for a single one.
#pragma once

#include "core/offload/constants.hpp"
#include "core/offload/policy.hpp"
#include "core/offload/shape.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class StreamingRuntime { accelerate, zero_inference };

/// Where the weights lie while they are not used.
enum class WeightHome { gpu, cpu, disk };

/// Bytes that each token brings to the GPU, by where they lie; the rest stays on the GPU.
struct StreamedWeights {
  double cpu = 0;
  double disk = 0;
};
/// All weights of the model in one place, in 16 bit.
[[nodiscard]] StreamedWeights streamed_from(const OffloadShape& shape, WeightHome home);

/// Rates at which weights reach the GPU, 10^9 bytes a second on PCIe 3 x16 and the paper's SSD:
/// Accelerate copies unpinned memory without reading ahead (4.6 from RAM, 1.5 from disk),
/// ZeRO-Inference reads ahead from pinned memory (9.2 and 2.2). Derived from figure 1 and table 2
/// of arXiv 2303.06865; the table of Accelerate's own guide (big model inference, two Titan RTX)
/// agrees.
struct StreamingRates {
  double from_cpu = 0;
  double from_disk = 0;
};
[[nodiscard]] StreamingRates streaming_rates(StreamingRuntime runtime,
                                             const OffloadConstants& rates);

struct StreamingTimes {
  double prefill = 0;
  double token = 0;  // seconds of one decoded token, all sequences
  double tokens_per_second = 0;
  Formula formula;  // of `token`
};

/// One block of `batch` sequences, cache and activations on the GPU. Where transfers and compute
/// overlap (ZeRO-Inference reads ahead) the longer counts, else their sum.
[[nodiscard]] StreamingTimes streaming_times(const OffloadShape& shape,
                                             const OffloadConstants& rates,
                                             const OffloadWorkload& work, StreamingRuntime runtime,
                                             const StreamedWeights& weights, std::int64_t batch);

}  // namespace meyasu
