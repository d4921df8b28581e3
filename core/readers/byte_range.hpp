// What a pull reader asks for.
#pragma once

#include <cstdint>

namespace meyasu {

/// `length` bytes of a file from byte `offset` on.
struct ByteRange {
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

}  // namespace meyasu
