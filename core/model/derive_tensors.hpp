// From an architecture to the layers and the tensor list that llama.cpp's converter would write:
// names, shapes (row length first) and the unquantized types (F16 matrices, F32 for the rest).
#pragma once

#include <cstdint>

#include "core/model/architecture.hpp"
#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

enum class MtpTensors { as_gguf, all };

/// The model. Unknown families give layers and cache sizes only (no tensors) and say so in
/// `unknowns`.
/// Errors: code "damaged", field "architecture", detail = the size that is out of range.
[[nodiscard]] Result<Model> derive_model(const Architecture& architecture,
                                         MtpTensors mtp = MtpTensors::as_gguf);

/// Parameters as publishers count them.
struct ModelParameters {
  std::int64_t total = 0;      // with MTP blocks and towers where the published total has them
  std::int64_t language = 0;   // without MTP blocks and towers
  std::int64_t active = 0;     // language parameters that one token passes through
  std::int64_t embedding = 0;  // token table, and the head unless tied
};

/// Counts the derived tensors. Left out are tensors that carry no published parameters: rotary
/// factors, the second copy of a tied head, biases and scales that the total does not count.
/// Errors as derive_model.
[[nodiscard]] Result<ModelParameters> count_parameters(const Architecture& architecture);

}  // namespace meyasu
