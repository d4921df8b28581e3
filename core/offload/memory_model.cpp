#include "core/offload/memory_model.hpp"

namespace meyasu {

OffloadPeaks offload_peaks(const OffloadShape& shape, const OffloadWorkload& work,
                           const OffloadPolicy& policy) {
  const TierShares& w = policy.weights;
  const TierShares& k = policy.cache;
  const TierShares& a = policy.activations;
  const double g = static_cast<double>(policy.gpu_batch);
  const double h = shape.n_embd;
  const double heads = shape.n_head;
  const double s = work.prompt;
  const double length = work.prompt + work.generated;
  const double layers = shape.n_layer;
  const double layer_weights =
      2 * shape.matrix_elements * (policy.compress_weights ? kGroupwise4BitRatio : 1);
  const double all_weights = layer_weights * layers;
  const double cache_ratio = policy.compress_cache ? kGroupwise4BitRatio : 1;
  // Cache of one token: of all layers and the whole block, and of one layer and one GPU batch.
  const double cache_token = 2 * shape.kv_elements * cache_ratio * policy.block() * layers;
  const double cache_token_batch = 2 * shape.kv_elements * cache_ratio * g;
  const double prompt_activations = 2 * s * h * policy.block();
  const double token_activations = 2 * h * policy.block();

  OffloadPeaks peaks;
  // Off the GPU, the weights of this layer and the next are there for the time of their use.
  const double gpu_base =
      all_weights * w.gpu + cache_token * length * k.gpu + 2 * layer_weights * (1 - w.gpu);
  const double gpu_prefill = gpu_base + prompt_activations * a.gpu + 2 * s * h * g * (1 - a.gpu);
  peaks.gpu_prefill_code = gpu_prefill + g * (18 * s * h + 2 * s * shape.n_ff + 2 * heads * s * s);
  peaks.gpu_prefill_paper =
      gpu_prefill +
      g * std::max({8 * s * h, k.gpu * (4 * s * h + 2 * heads * s * s), 2 * s * (h + shape.n_ff)});
  const double gpu_decode = gpu_base + token_activations * a.gpu;
  peaks.gpu_decode_code = gpu_decode + 2 * h * g * (1 - a.gpu) + g * (14 * h + 2 * shape.n_ff) +
                          k.gpu * g * (4 * h + 8 * length * h + 2 * heads * length);
  peaks.gpu_decode_paper =
      gpu_decode + 2 * s * h * g * (1 - a.gpu) +
      g * std::max(
              {8 * h, k.gpu * (2 * h + 2 * length * h + 2 * heads * length), 2 * (h + shape.n_ff)});

  peaks.cpu_prefill = all_weights * w.cpu + prompt_activations * a.cpu + cache_token * s * k.cpu +
                      layer_weights * (1 - w.gpu) + 2 * s * h * g * (1 - a.gpu);
  peaks.cpu_decode = all_weights * w.cpu + token_activations * a.cpu +
                     cache_token * length * k.cpu + layer_weights * w.disk + 4 * h * g * a.disk +
                     2 * cache_token_batch * length * k.disk + 2 * heads * length * g + 2 * h * g;
  peaks.disk = all_weights * w.disk + prompt_activations * a.disk + cache_token * length * k.disk;
  return peaks;
}

}  // namespace meyasu
