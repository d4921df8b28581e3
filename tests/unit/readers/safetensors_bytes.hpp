// Builds safetensors headers from JSON text and reads them through the pull interface.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/readers/safetensors_header.hpp"

namespace meyasu::testing {

/// Length field and JSON, nothing of the data.
inline std::string safetensors_bytes(std::string_view json) {
  std::string bytes;
  auto length = static_cast<std::uint64_t>(json.size());
  for (int i = 0; i < 8; ++i, length >>= 8) bytes.push_back(static_cast<char>(length & 0xFF));
  return bytes.append(json);
}

inline Result<SafetensorsHeader> read_safetensors(std::string_view file, std::int64_t file_size,
                                                  std::int64_t piece = 1 << 20) {
  SafetensorsReader reader(file_size);
  while (!reader.finished()) {
    const ByteRange range = reader.need();
    const auto size = static_cast<std::int64_t>(file.size());
    const std::int64_t begin = std::min(range.offset, size);
    const std::int64_t length = std::min({range.length, piece, size - begin});
    reader.feed({reinterpret_cast<const std::uint8_t*>(file.data()) + begin,
                 static_cast<std::size_t>(length)});
  }
  return reader.take();
}

/// The header `json` in a file with `data` bytes behind it.
inline Result<SafetensorsHeader> read_json(std::string_view json, std::int64_t data,
                                           std::int64_t piece = 1 << 20) {
  const std::string file = safetensors_bytes(json);
  return read_safetensors(file, static_cast<std::int64_t>(file.size()) + data, piece);
}

}  // namespace meyasu::testing
