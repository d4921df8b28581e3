#include "core/offload/cost_model.hpp"

#include <algorithm>
#include <cmath>

namespace meyasu {
namespace {

constexpr double kHalf = 2;  // bytes of an FP16 value

/// Bytes and operations of one layer for one block, as both stages use them.
struct Sizes {
  double weights = 0;            // stored, compressed where the policy says so
  double cache_token = 0;        // stored cache of one token of every sequence
  double activations_token = 0;  // hidden state of one token of every sequence
  double matmul_token = 0;       // FLOP for one token of every sequence
  double attention_pair = 0;     // FLOP for one token of every sequence against one key
};

Sizes sizes_of(const OffloadShape& shape, const OffloadPolicy& policy) {
  const double b = policy.block();
  Sizes sizes;
  sizes.weights =
      kHalf * shape.matrix_elements * (policy.compress_weights ? kGroupwise4BitRatio : 1);
  sizes.cache_token =
      kHalf * shape.kv_elements * b * (policy.compress_cache ? kGroupwise4BitRatio : 1);
  sizes.activations_token = kHalf * shape.n_embd * b;
  sizes.matmul_token = 2 * shape.active_matrix_elements * b;
  sizes.attention_pair = 4 * shape.attention_width * b;
  return sizes;
}

/// Part of its rate that CPU attention reaches at this batch and width.
double cpu_attention_efficiency(const OffloadShape& shape, const OffloadConstants& rates,
                                const OffloadPolicy& policy) {
  const double x = std::max(0.0, std::log2(64 / static_cast<double>(policy.gpu_batch)));
  const double y = std::max(0.0, std::log2(4096 / shape.n_embd));
  return std::max(0.1, 1 + rates.c1 * x * y - rates.c2 * x - rates.c3 * y);
}

/// Compressed weights are expanded before every use, once per GPU batch.
double expand_weights(const OffloadShape& shape, const OffloadConstants& rates,
                      const OffloadPolicy& policy) {
  if (!policy.compress_weights) return 0;
  return static_cast<double>(policy.n_batches) * shape.matrix_elements / rates.expand;
}

double mean_length(const OffloadWorkload& work) {
  return work.prompt + work.generated / 2;
}

}  // namespace

PrefillTimes prefill_times(const OffloadShape& shape, const OffloadConstants& rates,
                           const OffloadWorkload& work, const OffloadPolicy& policy) {
  const Sizes sizes = sizes_of(shape, policy);
  const TierShares& w = policy.weights;
  const TierShares& k = policy.cache;
  const TierShares& a = policy.activations;
  const double activations = sizes.activations_token * work.prompt;
  const double new_cache = sizes.cache_token * (work.prompt + 1);
  PrefillTimes t;
  t.up = (sizes.weights * (w.cpu + w.disk) + activations * (a.cpu + a.disk)) / rates.up;
  t.down = new_cache * (k.cpu + k.disk) / rates.down_kv +
           activations * (a.cpu + a.disk) / rates.down_act;
  t.read = (sizes.weights * w.disk + activations * a.disk) / rates.read;
  t.write =
      new_cache * k.disk / rates.write_kv_prefill + activations * a.disk / rates.write_act_prefill;
  // Causal masking saves nothing here: the products are computed whole.
  t.compute = sizes.matmul_token * work.prompt / rates.matmul_prefill +
              sizes.attention_pair * work.prompt * work.prompt / rates.attention_prefill +
              expand_weights(shape, rates, policy);
  if (policy.compress_cache) {
    t.compute += shape.kv_elements * policy.block() * (work.prompt + 1) / rates.compress;
  }
  return t;
}

DecodeTimes decode_times(const OffloadShape& shape, const OffloadConstants& rates,
                         const OffloadWorkload& work, const OffloadPolicy& policy) {
  const Sizes sizes = sizes_of(shape, policy);
  const TierShares& w = policy.weights;
  const TierShares& k = policy.cache;
  const TierShares& a = policy.activations;
  const double length = mean_length(work);
  const double cache = sizes.cache_token * length;
  const double activations = sizes.activations_token;
  const double read_cache_rate = rates.read_kv > 0 ? rates.read_kv : rates.read;
  const double write_cache_rate =
      rates.write_kv_decode > 0 ? rates.write_kv_decode : rates.write_decode;
  const double off_gpu = k.cpu + k.disk;
  DecodeTimes t;
  t.up = (sizes.weights * (w.cpu + w.disk) + activations * (a.cpu + a.disk)) / rates.up;
  t.down = activations * (a.cpu + a.disk) / rates.down_act;
  t.read = cache * k.disk / read_cache_rate + activations * a.disk / rates.read +
           sizes.weights * w.disk / (rates.read_weights_efficiency * rates.read);
  t.write =
      sizes.cache_token * k.disk / write_cache_rate + activations * a.disk / rates.write_decode;
  const double pairs = sizes.attention_pair * length;
  t.compute = sizes.matmul_token / rates.matmul_decode + expand_weights(shape, rates, policy);
  if (policy.cpu_attention) {
    t.compute +=
        pairs * k.gpu / rates.attention_decode +
        pairs * off_gpu / (rates.cpu_attention * cpu_attention_efficiency(shape, rates, policy));
  } else {
    t.compute += pairs / rates.attention_decode;
    t.up_cache = cache * off_gpu / rates.up_kv;
    t.down += sizes.cache_token * off_gpu / rates.down_kv;
  }
  if (policy.compress_cache) {
    const double values = shape.kv_elements * policy.block();
    t.compute += values * length / rates.expand + values / rates.compress;
  }
  if (rates.gpu_memory > 0) {
    t.gpu_memory =
        (static_cast<double>(policy.n_batches) * sizes.weights + cache * k.gpu) / rates.gpu_memory;
  }
  return t;
}

PassTimes pass_times(const OffloadShape& shape, const OffloadConstants& rates,
                     const OffloadWorkload& work, const OffloadPolicy& policy, StageRule rule) {
  const PrefillTimes p = prefill_times(shape, rates, work, policy);
  const DecodeTimes d = decode_times(shape, rates, work, policy);
  const double layers = shape.n_layer;
  const double rest = std::max({d.down, d.read, d.write, d.compute, d.up_cache, d.gpu_memory});
  PassTimes times;
  if (rule == StageRule::code) {
    times.prefill_layer = std::max({p.up + p.read, p.down + p.write, p.compute});
    times.decode_layer = d.up + rest;
  } else {
    times.prefill_layer = std::max({p.up, p.down, p.read, p.write, p.compute});
    times.decode_layer = std::max(d.up, rest);
  }
  times.prefill = layers * times.prefill_layer;
  times.decode = layers * (work.generated - 1) * times.decode_layer;
  times.tokens_per_second = policy.block() * work.generated / times.total();
  return times;
}

}  // namespace meyasu
