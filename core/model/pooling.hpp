// What becomes of the vectors of a text's tokens in an encoder.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/model/model.hpp"

namespace meyasu {

/// Numbers as headers store them in pooling_type: llama_pooling_type in include/llama.h.
enum class Pooling : std::uint8_t { none = 0, mean = 1, first_token = 2, last_token = 3, rank = 4 };

[[nodiscard]] inline Pooling pooling_of(const Model& model) {
  const long long type = std::llround(model.hparam("pooling_type", 0));
  return type > 0 && type <= 4 ? static_cast<Pooling>(type) : Pooling::none;
}

}  // namespace meyasu
