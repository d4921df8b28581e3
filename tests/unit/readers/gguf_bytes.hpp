// Builds GGUF files in memory, byte by byte after the specification, so that tests can also write
// what no writer would.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/readers/gguf_header.hpp"

namespace meyasu::testing {

using ByteVector = std::vector<std::uint8_t>;

class GgufBytes {
 public:
  template <class Integer>
  GgufBytes& put(Integer value) {
    auto rest = std::uint64_t{static_cast<std::make_unsigned_t<Integer>>(value)};
    for (std::size_t i = 0; i < sizeof(Integer); ++i, rest >>= 8) {
      bytes.push_back(static_cast<std::uint8_t>(rest & 0xFF));
    }
    return *this;
  }
  GgufBytes& u32(std::uint32_t value) { return put(value); }
  GgufBytes& u64(std::uint64_t value) { return put(value); }
  GgufBytes& raw(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
  GgufBytes& string(std::string_view text) { return u64(text.size()).raw(text); }

  GgufBytes& start(std::uint64_t n_tensors, std::uint64_t n_kv, std::uint32_t version = 3) {
    return raw("GGUF").u32(version).u64(n_tensors).u64(n_kv);
  }
  GgufBytes& key(std::string_view name, GgufValueType type) {
    return string(name).u32(static_cast<std::uint32_t>(type));
  }
  GgufBytes& kv_u32(std::string_view name, std::uint32_t value) {
    return key(name, GgufValueType::u32).u32(value);
  }
  GgufBytes& kv_string(std::string_view name, std::string_view value) {
    return key(name, GgufValueType::string).string(value);
  }
  GgufBytes& kv_array(std::string_view name, GgufValueType element, std::uint64_t count) {
    return key(name, GgufValueType::array).u32(static_cast<std::uint32_t>(element)).u64(count);
  }
  GgufBytes& tensor(std::string_view name, const std::vector<std::uint64_t>& ne, std::uint32_t type,
                    std::uint64_t offset) {
    string(name).u32(static_cast<std::uint32_t>(ne.size()));
    for (const std::uint64_t n : ne) u64(n);
    return u32(type).u64(offset);
  }
  GgufBytes& pad(std::size_t alignment = 32) {
    return zeros((alignment - bytes.size() % alignment) % alignment);
  }
  GgufBytes& zeros(std::size_t count) {
    bytes.insert(bytes.end(), count, 0);
    return *this;
  }

  ByteVector bytes;
};

/// Reads `file` through the pull interface in pieces of at most `piece` bytes. `file_size` may
/// claim more than there is.
inline Result<GgufHeader> read_gguf(const ByteVector& file, std::int64_t piece = 1 << 20,
                                    std::int64_t file_size = -1) {
  GgufReader reader(file_size < 0 ? static_cast<std::int64_t>(file.size()) : file_size);
  while (!reader.finished()) {
    const ByteRange range = reader.need();
    const auto size = static_cast<std::int64_t>(file.size());
    const std::int64_t begin = std::min(range.offset, size);
    const std::int64_t length = std::min({range.length, piece, size - begin});
    reader.feed({file.data() + begin, static_cast<std::size_t>(length)});
  }
  return reader.take();
}

inline ByteVector read_test_file(const std::string& path_below_tests) {
  std::ifstream file(MEYASU_TESTS_DIR "/" + path_below_tests, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace meyasu::testing
