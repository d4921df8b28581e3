// What a PyTorch process takes on a GPU besides its tensors: CUDA's context, kernels, cuBLAS.
// Source: overhead.csv of the tests.
#pragma once

#include <string>
#include <vector>

#include "core/units/term.hpp"

namespace meyasu {

/// The card, for the size of CUDA's context. n_sm 0: unknown, a range over cards.
struct PyTorchDevice {
  std::string name = "gpu0";
  int n_sm = 0;
  int threads_per_sm = 1536;
};

/// Terms "runtime_context" and "runtime_overhead" (50 to 550 MiB, likely 250).
[[nodiscard]] std::vector<Term> pytorch_context_terms(const PyTorchDevice& device);

}  // namespace meyasu
