#include "core/inference/llama_cpp/overhead.hpp"

#include <algorithm>

namespace meyasu {
namespace {

Bytes mib(double value) {
  return static_cast<Bytes>(value * static_cast<double>(kMiB));
}

ByteRange3 range_mib(double low, double likely, double high) {
  return {mib(low), mib(likely), mib(high)};
}

void add(ByteRange3& range, const ByteRange3& more) {
  range.low += more.low;
  range.likely += more.likely;
  range.high += more.high;
}

DeviceOverhead cuda(const LlamaCppDevice& device, OperatingSystem os) {
  DeviceOverhead overhead;
  if (device.n_sm > 0) {
    const Bytes context = cuda_context_bytes(device.n_sm, device.threads_per_sm);
    overhead.context = {context / 10 * 9, context, context};
    overhead.context_is_measured = true;
  } else {
    overhead.context = range_mib(110, 300, 585);  // the smallest, a middle and the largest card
  }
  if (os == OperatingSystem::windows) {
    overhead.rest = range_mib(800, 1130, 1600);
    // The display driver's budget is larger on the largest cards (readings of 96 GB).
    if (device.total >= 64 * kGiB) add(overhead.rest, range_mib(0, 900, 900));
  } else {
    overhead.rest = range_mib(10, 100, 260);
    if (device.drives_a_desktop) add(overhead.rest, range_mib(60, 500, 1500));
  }
  return overhead;
}

ByteRange3 sycl(const OverheadInputs& inputs) {
  ByteRange3 range = range_mib(330, 500, 560);
  // From 64k on the largest tensor is reordered into scratch, and attention stages the cache:
  // 3.56 KiB a token at F16, 7.64 at q8_0 at full depth (one card, one 27B model).
  constexpr std::int64_t kLongContext = 32768;
  constexpr double kStagingPerToken = 7.64 * 1024;
  if (inputs.n_ctx > kLongContext) {
    range.likely += inputs.output_weight;
    range.high += inputs.output_weight +
                  static_cast<Bytes>(kStagingPerToken * static_cast<double>(inputs.n_ctx));
  }
  return range;
}

}  // namespace

Bytes cuda_context_bytes(int n_sm, int threads_per_sm) {
  constexpr double kBase = 40;
  constexpr double kPerSm = 2.9;
  return mib(kBase + kPerSm * n_sm * threads_per_sm / 1536.0);
}

bool overhead_depends_on(const LlamaCppDevice& device, const OverheadInputs& inputs) {
  switch (device.backend) {
    case LlamaCppBackend::cuda:
    case LlamaCppBackend::rocm:
      return inputs.kv_scratch_per_layer > 0;
    case LlamaCppBackend::sycl:
      return true;
    default:
      return false;
  }
}

DeviceOverhead llama_cpp_overhead(const LlamaCppDevice& device, OperatingSystem os,
                                  const OverheadInputs& inputs) {
  DeviceOverhead overhead;
  if (device.measured_overhead > 0) {
    const Bytes measured = device.measured_overhead;
    overhead.rest = {measured, measured, measured};
    overhead.rest_is_measured = true;
    return overhead;
  }
  const bool windows = os == OperatingSystem::windows;
  switch (device.backend) {
    case LlamaCppBackend::cuda:
      overhead = cuda(device, os);
      overhead.rest.high += inputs.kv_scratch_per_layer;
      break;
    case LlamaCppBackend::rocm:
      overhead.rest = windows ? range_mib(250, 380, 550) : range_mib(200, 270, 400);
      overhead.rest.high += inputs.kv_scratch_per_layer;
      break;
    case LlamaCppBackend::vulkan:
      overhead.rest = windows ? range_mib(770, 850, 1300) : range_mib(5, 50, 350);
      break;
    case LlamaCppBackend::sycl:
      overhead.rest = sycl(inputs);
      break;
    case LlamaCppBackend::metal:
      overhead.rest = range_mib(0, 10, 100);
      break;
    case LlamaCppBackend::rpc:
      break;  // a CUDA, Vulkan... device of another machine: describe it as that
  }
  if (device.drives_a_desktop && !windows && device.backend != LlamaCppBackend::cuda &&
      device.backend != LlamaCppBackend::metal && device.backend != LlamaCppBackend::rpc) {
    add(overhead.rest, range_mib(60, 500, 1500));
  }
  return overhead;
}

}  // namespace meyasu
