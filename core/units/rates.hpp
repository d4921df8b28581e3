// Prefixes of rates: hardware is sold in GB/s and TFLOPS, both decimal.
#pragma once

namespace meyasu {

inline constexpr double kGiga = 1e9;
inline constexpr double kTera = 1e12;

}  // namespace meyasu
