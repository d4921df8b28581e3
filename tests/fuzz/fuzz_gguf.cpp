// GGUF headers: no input may crash, overflow or read out of bounds, and the size of the pieces
// that it is fed in may not change the answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/inference/llama_cpp/estimate.hpp"
#include "core/readers/gguf_header.hpp"
#include "core/readers/gguf_model.hpp"

namespace {

using namespace meyasu;

Result<GgufHeader> read(const std::uint8_t* data, std::int64_t size, std::int64_t piece,
                        std::int64_t claimed_size) {
  GgufReader reader(claimed_size);
  double progress = 0;
  while (!reader.finished()) {
    const ByteRange range = reader.need();
    if (range.length <= 0 || range.offset + range.length > claimed_size) std::abort();
    const std::int64_t begin = std::min(range.offset, size);
    const std::int64_t length = std::min({range.length, piece, size - begin});
    reader.feed({data + begin, static_cast<std::size_t>(length)});
    if (reader.progress() < progress) std::abort();
    progress = reader.progress();
  }
  return reader.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t data_size) {
  const auto size = static_cast<std::int64_t>(data_size);
  const auto whole = read(data, size, size, size);
  // The last byte chooses a second reading to compare with, so that most inputs run fast.
  switch (size > 0 ? data[size - 1] % 8 : 0) {
    case 1: {
      const auto pieces = read(data, size, 1 + size % 23, size);
      if (whole.ok() != pieces.ok()) std::abort();
      if (!whole.ok() && !(whole.error() == pieces.error())) std::abort();
      if (whole.ok() && whole.value().tensors.size() != pieces.value().tensors.size()) std::abort();
      break;
    }
    case 2: {  // a file that is far larger than what the source delivers
      const auto cut = read(data, size, size, std::int64_t{1} << 40);
      if (!whole.ok() && whole.error().code == "damaged" && cut.ok()) std::abort();
      break;
    }
    case 3:  // the same file twice in a split model
      if (!whole.ok()) break;
      (void)merge_gguf_splits(
          {{"m-00002-of-00002.gguf", whole.value()}, {"m-00001-of-00002.gguf", whole.value()}});
      (void)merge_gguf_splits({{"m.gguf", whole.value()}});
      break;
    default:
      break;
  }
  if (!whole.ok()) return 0;

  const GgufHeader& header = whole.value();
  if (header.data_present > header.data_needed) std::abort();
  const auto model = model_from_gguf(header);
  if (!model.ok()) return 0;
  if (model.value().n_params() < 0 || model.value().weight_bytes() < 0) std::abort();
  // Graphs of deep models take long; shallow ones reach all the code that builds them.
  constexpr std::size_t kShallow = 4;
  if (model.value().layers.size() > kShallow) return 0;
  LlamaCppSettings settings;
  settings.n_ctx = 512;
  settings.n_batch = settings.n_ubatch = 64;
  const auto estimate = estimate_llama_cpp(model.value(), settings);
  if (!estimate.ok()) return 0;
  for (const Term& term : estimate.value().terms) {
    if (term.low < 0 || term.bytes < term.low || term.high < term.bytes) std::abort();
  }
  return 0;
}
