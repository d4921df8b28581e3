#include "core/offload/streaming.hpp"

#include <algorithm>

#include "core/offload/cost_model.hpp"
#include "core/units/rates.hpp"

namespace meyasu {

StreamedWeights streamed_from(const OffloadShape& shape, WeightHome home) {
  const double bytes = 2 * (shape.matrix_elements * shape.n_layer + shape.outer_elements);
  if (home == WeightHome::cpu) return {bytes, 0};
  if (home == WeightHome::disk) return {0, bytes};
  return {};
}

StreamingRates streaming_rates(StreamingRuntime runtime, const OffloadConstants& rates) {
  // Shares of what the link and the disk give to pinned, prefetched copies (13.84 and 2.38 GB/s on
  // the machine they were derived from).
  const OffloadConstants t4 = t4_measured();
  const bool prefetches = runtime == StreamingRuntime::zero_inference;
  return {(prefetches ? 9.2e9 : 4.6e9) / t4.up * rates.up,
          (prefetches ? 2.2e9 : 1.5e9) / t4.read * rates.read};
}

StreamingTimes streaming_times(const OffloadShape& shape, const OffloadConstants& rates,
                               const OffloadWorkload& work, StreamingRuntime runtime,
                               const StreamedWeights& weights, std::int64_t batch) {
  OffloadPolicy on_gpu;
  on_gpu.gpu_batch = batch;
  const PassTimes gpu = pass_times(shape, rates, work, on_gpu);
  const StreamingRates stream = streaming_rates(runtime, rates);
  const double transfer = weights.cpu / stream.from_cpu + weights.disk / stream.from_disk;
  const bool overlaps = runtime == StreamingRuntime::zero_inference;
  const auto step = [&](double compute) {
    return overlaps ? std::max(transfer, compute) : transfer + compute;
  };
  const double compute = gpu.decode_layer * shape.n_layer;
  StreamingTimes times;
  times.prefill = step(gpu.prefill);
  times.token = step(compute);
  const double all = times.prefill + (work.generated - 1) * times.token;
  times.tokens_per_second = static_cast<double>(batch) * work.generated / all;
  times.formula = {overlaps ? "max(Q_cpu / B_cpu + Q_disk / B_disk, t_gpu)"
                            : "Q_cpu / B_cpu + Q_disk / B_disk + t_gpu",
                   {{"Q_cpu", weights.cpu / kGiga, "GB"},
                    {"B_cpu", stream.from_cpu / kGiga, "GB/s"},
                    {"Q_disk", weights.disk / kGiga, "GB"},
                    {"B_disk", stream.from_disk / kGiga, "GB/s"},
                    {"t_gpu", compute * 1e3, "ms"}}};
  return times;
}

}  // namespace meyasu
