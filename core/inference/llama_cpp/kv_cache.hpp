// The KV cache of llama.cpp, exact: which layers own cells, how many, and the bytes of a cell.
// Source: llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-kv-cache-dsv4.cpp of release v0.5.0;
// equal to every measured cache of our tables.
#pragma once

#include <vector>

#include "core/inference/llama_cpp/placement.hpp"

namespace meyasu {

/// The cells of one layer, for all streams together.
struct KvLayer {
  int layer = 0;  // index into Model::layers
  int device = kHost;
  bool window = false;       // in the cache of the window layers
  std::int64_t n_cells = 0;  // per stream
  std::int64_t width_k = 0;  // elements of one cell
  std::int64_t width_v = 0;  // 0: V is part of K (absorbed MLA)
  Bytes bytes_k = 0;
  Bytes bytes_v = 0;

  [[nodiscard]] Bytes bytes() const { return bytes_k + bytes_v; }
};

/// Cells per stream of keys that stand for `ratio` tokens each, in a context of `n_cells` tokens.
[[nodiscard]] std::int64_t compressed_cells(std::int64_t n_cells, std::int64_t ratio);

/// Layers without cells (recurrent, sharing an earlier layer's, multi-token prediction blocks) are
/// not listed; layers with compressed keys twice if they have a window beside them.
[[nodiscard]] std::vector<KvLayer> kv_cache_layers(const Model& model,
                                                   const LlamaCppSettings& settings,
                                                   const LlamaCppContext& context,
                                                   const LlamaCppPlacement& placement);

/// Which layers to sum.
enum class KvPart { all, full, window };
inline constexpr int kEveryDevice = -3;
[[nodiscard]] Bytes kv_cache_bytes(const std::vector<KvLayer>& layers, KvPart part = KvPart::all,
                                   int device = kEveryDevice);

}  // namespace meyasu
