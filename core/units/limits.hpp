// Sanity bounds on what people type.
#pragma once

#include <cstdint>

namespace meyasu {

/// Tokens; far above any model (10 M), and products of it stay inside 64 bits.
inline constexpr std::int64_t kMaxContext = std::int64_t{1} << 28;

}  // namespace meyasu
