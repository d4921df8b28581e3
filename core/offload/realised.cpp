#include "core/offload/realised.hpp"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

// FlexLLMGen pytorch_backend.py: four copy threads hold a pinned buffer of 2^30 FP16 values each.
constexpr Bytes kCopyBuffers = 4 * (2 * kGiB);
// Interpreter, PyTorch and CUDA libraries; so much is left of measured processes. Assumed.
constexpr Bytes kProcess = 1'717'986'918;  // 1.6 GiB

enum class Tier { gpu, cpu, disk };

/// The tier of every tensor of a group.
std::vector<Tier> place(const std::vector<double>& sizes, const TierShares& shares) {
  const double total = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  std::vector<Tier> tiers;
  double before = 0;
  for (const double size : sizes) {
    const double middle = (before + size / 2) / total;
    before += size;
    if (middle < shares.disk) {
      tiers.push_back(Tier::disk);
    } else {
      tiers.push_back(middle < shares.disk + shares.cpu ? Tier::cpu : Tier::gpu);
    }
  }
  return tiers;
}

double power_of_two_above(double bytes) {
  return bytes <= 0 ? 0 : std::exp2(std::ceil(std::log2(bytes)));
}

template <class Visit>
void for_each_placed(const OffloadShape& shape, const TierShares& shares, Visit visit) {
  for (const auto* group : {&shape.attention_matrices, &shape.feed_forward_matrices}) {
    const std::vector<Tier> tiers = place(*group, shares);
    for (std::size_t i = 0; i < tiers.size(); ++i) visit((*group)[i], tiers[i]);
  }
}

}  // namespace

TierShares realised_weights(const OffloadShape& shape, const TierShares& requested) {
  TierShares realised = {0, 0, 0};
  double total = 0;
  for_each_placed(shape, requested, [&](double size, Tier tier) {
    total += size;
    (tier == Tier::gpu ? realised.gpu : tier == Tier::cpu ? realised.cpu : realised.disk) += size;
  });
  if (total <= 0) return requested;
  return {realised.gpu / total, realised.cpu / total, realised.disk / total};
}

RealisedRam realised_ram(const OffloadShape& shape, const OffloadWorkload& work,
                         const OffloadPolicy& policy, bool pinned) {
  const double ratio = policy.compress_weights ? kGroupwise4BitRatio : 1;
  const auto held = [&](double bytes) { return pinned ? power_of_two_above(bytes) : bytes; };
  double first_block = 0;
  double first_block_rounded = 0;
  for_each_placed(shape, policy.weights, [&](double size, Tier tier) {
    if (tier != Tier::cpu) return;
    first_block += 2 * size * ratio;
    first_block_rounded += held(2 * size * ratio);
  });
  RealisedRam ram;
  // Blocks differ in mixtures and hybrids: the average block carries the rounding of the first.
  const double on_cpu = 2 * shape.matrix_elements * ratio * shape.n_layer *
                        realised_weights(shape, policy.weights).cpu;
  if (first_block > 0) ram.block_weights = to_bytes(on_cpu * first_block_rounded / first_block);
  if (policy.weights.gpu < 1) {
    const int tables = shape.tied_embeddings ? 2 : 1;
    ram.outer_weights =
        to_bytes(tables * held(2 * shape.embedding_elements) + held(2 * shape.position_elements));
  }
  const double cache_ratio = policy.compress_cache ? kGroupwise4BitRatio : 1;
  ram.cache = to_bytes(2 * shape.kv_elements * cache_ratio * policy.block() * shape.n_layer *
                       (work.prompt + work.generated) * policy.cache.cpu);
  ram.activations =
      to_bytes(2 * shape.n_embd * work.prompt * policy.block() * policy.activations.cpu);
  ram.copy_buffers = kCopyBuffers;
  ram.process = kProcess;
  return ram;
}

}  // namespace meyasu
