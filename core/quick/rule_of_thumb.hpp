// The rule of thumb M = (P x 4 B / (32 / Q)) x 1.2, and how many common GPUs that makes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/quick/parameter_count.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// 20 % for everything besides the weights (Substratus, "Calculating GPU memory for serving
/// LLMs", 2023). It stands for a short context and the runtime's buffers; it does not grow with
/// context, users or batch, so a long KV cache is not in it.
inline constexpr double kDefaultOverheadFactor = 1.2;
inline constexpr double kMinOverheadFactor = 1;
inline constexpr double kMaxOverheadFactor = 10;
inline constexpr double kMinQuantizationBits = 1;
inline constexpr double kMaxQuantizationBits = 32;

/// A GPU by its sales name and size. `memory` is the total that nvidia-smi reports.
struct CommonGpu {
  std::string_view name;
  int nominal_gb = 0;
  Bytes memory = 0;
};

/// Ascending by nominal size.
[[nodiscard]] std::span<const CommonGpu> common_gpus();

/// How many of one GPU. `_least`: ceil(amount / reported memory), all of it taken as usable.
/// Without suffix: the count that machines come with and that splits a model evenly, which is 1, 2,
/// 4, 8 and then whole machines of eight (an assumption: tensor parallelism divides heads).
/// Cards are counted with the memory they report and not with their sales GB as 10^9 bytes: the
/// published example, 168 GB on 2 x A100 80GB, only holds because those are 171.8 x 10^9 bytes.
struct GpuNeed {
  CommonGpu gpu;
  std::int64_t by_rule = 0;
  std::int64_t by_rule_least = 0;
  std::int64_t for_weights = 0;  // the bare weights, nothing else
  std::int64_t for_weights_least = 0;
};

struct RuleOfThumb {
  double gb = 0;              // M in 10^9 bytes
  double weights_gb = 0;      // the same with factor 1
  Term term;                  // id "rule_of_thumb", M in whole bytes
  std::vector<GpuNeed> gpus;  // in the order of common_gpus()
};

/// `bits` is Q, from 1 to 32 (fractions allowed: 4.5); `factor` from 1 to 10.
/// 70B at 16 bits: 168 GB, 2 x A100 80GB. 70B at 4 bits: 42 GB, 2 x L4 24GB. BLOOM, 176B at 16
/// bits: 352 GB of weights, 8 x 48 GB (7 would hold them with nothing to spare). Errors: those of
/// the count; bits_range (field "bits"), factor_range (field "factor"), `detail` being the range
/// "1-32".
[[nodiscard]] Result<RuleOfThumb> rule_of_thumb(const ParameterCount& count, double bits,
                                                double factor = kDefaultOverheadFactor);

}  // namespace meyasu
