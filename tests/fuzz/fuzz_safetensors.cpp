// safetensors headers and index files: no input may crash, and what is accepted has tensors that
// fill the data without gaps.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/readers/safetensors_header.hpp"
#include "core/readers/safetensors_model.hpp"

namespace {

using namespace meyasu;

Result<SafetensorsHeader> read(const std::uint8_t* data, std::int64_t size, std::int64_t piece,
                               std::int64_t claimed_size) {
  SafetensorsReader reader(claimed_size);
  while (!reader.finished()) {
    const ByteRange range = reader.need();
    if (range.length <= 0 || range.offset + range.length > claimed_size) std::abort();
    const std::int64_t begin = std::min(range.offset, size);
    const std::int64_t length = std::min({range.length, piece, size - begin});
    reader.feed({data + begin, static_cast<std::size_t>(length)});
  }
  return reader.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t data_size) {
  const auto size = static_cast<std::int64_t>(data_size);
  const auto header = read(data, size, size, size);
  if (size > 0 && data[size - 1] % 4 == 0) {
    const auto pieces = read(data, size, 1 + size % 23, size);
    if (header.ok() != pieces.ok()) std::abort();
    if (!header.ok() && !(header.error() == pieces.error())) std::abort();
  }
  const std::string_view text(reinterpret_cast<const char*>(data), data_size);
  const auto index = parse_safetensors_index(text);
  if (!header.ok()) return 0;

  Bytes end = 0;
  for (const SafetensorsTensor& tensor : header.value().tensors) {
    if (tensor.begin != end || tensor.bytes < 0 || tensor.elements < 0) std::abort();
    end += tensor.bytes;
  }
  if (end != header.value().data_needed) std::abort();
  const auto checkpoint = checkpoint_from_safetensors(header.value());
  if (checkpoint.bytes() != end || checkpoint.model.n_params() < 0) std::abort();
  (void)merge_safetensors({{"m-00002-of-00002.safetensors", header.value()},
                           {"m-00001-of-00002.safetensors", header.value()}},
                          index.ok() ? &index.value() : nullptr);
  return 0;
}
