#include "core/quick/rule_of_thumb.hpp"

#include <array>
#include <cmath>

#include "core/quick/weight_size.hpp"

namespace meyasu {
namespace {

// Reported memory: the total column of nvidia-smi.
constexpr std::array kCommonGpus{
    CommonGpu{"RTX 5070", 12, 12227 * kMiB},     CommonGpu{"T4", 16, 15360 * kMiB},
    CommonGpu{"RTX 4080", 16, 16376 * kMiB},     CommonGpu{"L4", 24, 23034 * kMiB},
    CommonGpu{"RTX 3090", 24, 24576 * kMiB},     CommonGpu{"RTX 4090", 24, 24564 * kMiB},
    CommonGpu{"RTX 5090", 32, 32607 * kMiB},     CommonGpu{"A100 40GB", 40, 40960 * kMiB},
    CommonGpu{"RTX A6000", 48, 49140 * kMiB},    CommonGpu{"L40S", 48, 46068 * kMiB},
    CommonGpu{"A100 80GB", 80, 81920 * kMiB},    CommonGpu{"H100 80GB", 80, 81559 * kMiB},
    CommonGpu{"RTX PRO 6000", 96, 97887 * kMiB}, CommonGpu{"H200", 141, 143771 * kMiB},
    CommonGpu{"B200", 180, 183359 * kMiB},
};

std::int64_t ceil_div(std::int64_t amount, std::int64_t unit) {
  return (amount + unit - 1) / unit;
}

/// 1, 2, 4, 8, 16, 24, ...
std::int64_t usual_count(std::int64_t least) {
  for (const std::int64_t count : {1, 2, 4}) {
    if (least <= count) return count;
  }
  return round_up(least, std::int64_t{8});
}

GpuNeed need_of(const CommonGpu& gpu, Bytes by_rule, Bytes weights) {
  GpuNeed need{.gpu = gpu};
  need.by_rule_least = ceil_div(by_rule, gpu.memory);
  need.by_rule = usual_count(need.by_rule_least);
  need.for_weights_least = ceil_div(weights, gpu.memory);
  need.for_weights = usual_count(need.for_weights_least);
  return need;
}

bool within(double value, double low, double high) {
  return value >= low && value <= high;
}

}  // namespace

std::span<const CommonGpu> common_gpus() {
  return kCommonGpus;
}

Result<RuleOfThumb> rule_of_thumb(const ParameterCount& count, double bits, double factor) {
  if (const auto checked = parameter_count_from_billions(count.billions); !checked) {
    return checked.error();
  }
  if (!within(bits, kMinQuantizationBits, kMaxQuantizationBits)) {
    return Error{"bits_range", "bits", "1-32"};
  }
  if (!within(factor, kMinOverheadFactor, kMaxOverheadFactor)) {
    return Error{"factor_range", "factor", "1-10"};
  }
  RuleOfThumb rule;
  rule.weights_gb = count.billions * 4 / (32 / bits);
  rule.gb = rule.weights_gb * factor;
  // Whole bytes, so that an amount that fills a card to the byte is one card in any arithmetic.
  const Bytes memory = std::llround(rule.gb * 1e9);
  const Bytes weights = weight_bytes(count, bits);
  rule.term =
      exact_term("rule_of_thumb", "gpu0", memory,
                 {"M = (P × 4 B / (32 / Q)) × f",
                  {{"P", count.billions, "10^9"}, {"Q", bits, "bit"}, {"f", factor, ""}}},
                 Evidence::assumed, "Substratus, Calculating GPU memory for serving LLMs (2023)");
  for (const CommonGpu& gpu : kCommonGpus) {
    rule.gpus.push_back(need_of(gpu, memory, weights));
  }
  return rule;
}

}  // namespace meyasu
