#include "core/serving/pytorch_context.hpp"

#include "core/inference/llama_cpp/overhead.hpp"

namespace meyasu {

std::vector<Term> pytorch_context_terms(const PyTorchDevice& device) {
  Term context;
  context.id = "runtime_context";
  context.device = device.name;
  context.source = "overhead.csv";
  if (device.n_sm > 0) {
    context.bytes = cuda_context_bytes(device.n_sm, device.threads_per_sm);
    context.low = context.bytes / 10 * 9;
    context.high = context.bytes;
    context.formula = {"40 MiB + 2.9 MiB * n_sm * threads_per_sm / 1536",
                       {{"n_sm", static_cast<double>(device.n_sm), ""},
                        {"threads_per_sm", static_cast<double>(device.threads_per_sm), ""}}};
    context.evidence = Evidence::measured;
  } else {
    // The smallest, a middle and the largest card that was read.
    context.low = 110 * kMiB;
    context.bytes = 300 * kMiB;
    context.high = 585 * kMiB;
    context.formula = {"readings of 13 cards", {}};
    context.evidence = Evidence::assumed;
  }
  Term growth;
  growth.id = "runtime_overhead";
  growth.device = device.name;
  growth.low = 50 * kMiB;
  growth.bytes = 250 * kMiB;
  growth.high = 550 * kMiB;
  growth.formula = {"readings", {}};
  growth.evidence = Evidence::assumed;
  growth.source = "overhead.csv";
  return {context, growth};
}

}  // namespace meyasu
