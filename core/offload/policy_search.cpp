#include "core/offload/policy_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/offload/simplex.hpp"

namespace meyasu {
namespace {

// The free shares: what is not on GPU or CPU is on disk; activations are never on disk, which the
// runtime cannot do.
enum Share : std::size_t { kWeightsGpu, kWeightsCpu, kCacheGpu, kCacheCpu, kActivationsGpu };
constexpr std::size_t kShares = 5;
constexpr std::size_t kPrefillTime = kShares;
constexpr std::size_t kDecodeTime = kShares + 1;
constexpr std::size_t kVariables = kShares + 2;

using Shares = std::array<double, kShares>;

OffloadPolicy policy_with(OffloadPolicy policy, const Shares& shares) {
  const auto rest = [](double a, double b) { return std::max(0.0, 1 - a - b); };
  policy.weights = {shares[kWeightsGpu], shares[kWeightsCpu],
                    rest(shares[kWeightsGpu], shares[kWeightsCpu])};
  policy.cache = {shares[kCacheGpu], shares[kCacheCpu], rest(shares[kCacheGpu], shares[kCacheCpu])};
  policy.activations = {shares[kActivationsGpu], rest(shares[kActivationsGpu], 0), 0};
  return policy;
}

constexpr std::size_t kPrefillPaths = 3;
constexpr std::size_t kDecodePaths = 6;
constexpr std::size_t kMemories = 5;

/// Everything that the program bounds, at one placement. Each is linear in the shares.
struct Bounded {
  std::array<double, kPrefillPaths> prefill{};
  std::array<double, kDecodePaths> decode{};
  std::array<double, kMemories> used{};  // of what may be used, 1 = full
};

class Placement {
 public:
  Placement(const OffloadShape& shape, const OffloadMachine& machine, const OffloadWorkload& work,
            const SearchSettings& settings)
      : shape_(shape), machine_(machine), work_(work), settings_(settings) {}

  [[nodiscard]] Bounded at(const OffloadPolicy& policy) const {
    const PrefillTimes p = prefill_times(shape_, machine_.rates, work_, policy);
    const DecodeTimes d = decode_times(shape_, machine_.rates, work_, policy);
    const OffloadPeaks peaks = offload_peaks(shape_, work_, policy);
    const auto share_of = [&](double bytes, Bytes capacity) {
      // A tier that does not exist may hold nothing: any byte there is too much.
      const double usable = std::max(1.0, settings_.usable_share * static_cast<double>(capacity));
      return bytes / usable;
    };
    return {
        {p.up + p.read, p.down + p.write, p.compute},
        {d.up + d.down, d.up + d.read, d.up + d.write, d.up + d.compute, d.up + d.up_cache,
         d.up + d.gpu_memory},
        {share_of(peaks.gpu_prefill_code, machine_.gpu),
         share_of(peaks.gpu_decode_code, machine_.gpu), share_of(peaks.cpu_prefill, machine_.cpu),
         share_of(peaks.cpu_decode, machine_.cpu), share_of(peaks.disk, machine_.disk)}};
  }

  [[nodiscard]] std::optional<PlannedPolicy> best(const OffloadPolicy& sizes) const {
    const Bounded base = at(policy_with(sizes, {}));
    std::array<Bounded, kShares> ends;
    for (std::size_t j = 0; j < kShares; ++j) {
      Shares one{};
      one[j] = 1;
      ends[j] = at(policy_with(sizes, one));
    }
    // Times are scaled so that the entries are about 1.
    const double unit = std::max(base.prefill[0] + base.prefill[1] + base.prefill[2], 1e-12);
    const double decode_unit =
        std::max(*std::max_element(base.decode.begin(), base.decode.end()), 1e-12);

    LinearProgram program;
    program.objective.assign(kVariables, 0);
    program.objective[kPrefillTime] = unit;
    program.objective[kDecodeTime] = (work_.generated - 1) * decode_unit;
    const double largest =
        std::max(program.objective[kPrefillTime], program.objective[kDecodeTime]);
    for (double& cost : program.objective) cost /= largest;
    // Among equals the one that spares the disk, then the RAM: too little to be seen in the time.
    constexpr double kTie = 1e-8;
    for (const Share share : {kWeightsCpu, kCacheCpu}) program.objective[share] = -kTie;
    for (const Share share : {kWeightsGpu, kCacheGpu}) program.objective[share] = -2 * kTie;

    const auto row = [&](auto part, double scale, double bound, std::size_t time) {
      LinearProgram::Row made;
      made.coefficients.assign(kVariables, 0);
      const double constant = part(base) / scale;
      for (std::size_t j = 0; j < kShares; ++j) {
        made.coefficients[j] = part(ends[j]) / scale - constant;
      }
      if (time < kVariables) made.coefficients[time] = -1;
      made.bound = bound - constant;
      // A tier of no size gives huge entries; the row means the same at any scale.
      double size = std::max(1.0, std::abs(made.bound));
      for (const double entry : made.coefficients) size = std::max(size, std::abs(entry));
      if (time == kVariables && size > 1e3) {
        for (double& entry : made.coefficients) entry /= size;
        made.bound /= size;
      }
      program.rows.push_back(std::move(made));
    };
    for (std::size_t i = 0; i < kPrefillPaths; ++i) {
      row([i](const Bounded& b) { return b.prefill[i]; }, unit, 0, kPrefillTime);
    }
    for (std::size_t i = 0; i < kDecodePaths; ++i) {
      row([i](const Bounded& b) { return b.decode[i]; }, decode_unit, 0, kDecodeTime);
    }
    for (std::size_t i = 0; i < kMemories; ++i) {
      row([i](const Bounded& b) { return b.used[i]; }, 1, 1, kVariables);
    }
    const auto at_most_one = [&](std::size_t a, std::size_t b) {
      LinearProgram::Row made;
      made.coefficients.assign(kVariables, 0);
      made.coefficients[a] = 1;
      made.coefficients[b] = 1;
      made.bound = 1;
      program.rows.push_back(std::move(made));
    };
    at_most_one(kWeightsGpu, kWeightsCpu);
    at_most_one(kCacheGpu, kCacheCpu);
    at_most_one(kActivationsGpu, kActivationsGpu);
    program.rows.back().coefficients[kActivationsGpu] = 1;

    const LpSolution solution = solve(program);
    if (solution.status != LpStatus::optimal) return std::nullopt;
    Shares shares{};
    for (std::size_t j = 0; j < kShares; ++j) shares[j] = std::clamp(solution.x[j], 0.0, 1.0);
    PlannedPolicy plan;
    plan.policy = policy_with(sizes, shares);
    plan.times = pass_times(shape_, machine_.rates, work_, plan.policy);
    plan.peaks = offload_peaks(shape_, work_, plan.policy);
    return plan;
  }

 private:
  const OffloadShape& shape_;
  const OffloadMachine& machine_;
  const OffloadWorkload& work_;
  const SearchSettings& settings_;
};

}  // namespace

std::optional<PlannedPolicy> best_placement(const OffloadShape& shape,
                                            const OffloadMachine& machine,
                                            const OffloadWorkload& work,
                                            const SearchSettings& settings, std::int64_t gpu_batch,
                                            std::int64_t n_batches) {
  OffloadPolicy sizes;
  sizes.gpu_batch = gpu_batch;
  sizes.n_batches = n_batches;
  sizes.compress_weights = settings.compress_weights;
  sizes.compress_cache = settings.compress_cache;
  // The runtime attends on the CPU only with a cache in FP16.
  sizes.cpu_attention = settings.cpu_attention && !settings.compress_cache;
  return Placement(shape, machine, work, settings).best(sizes);
}

std::vector<std::int64_t> gpu_batch_steps(const SearchSettings& settings) {
  std::vector<std::int64_t> steps;
  for (std::int64_t g = 1; g <= settings.largest_gpu_batch; g = g < 4 ? g + 1 : 2 * g) {
    steps.push_back(g);
  }
  return steps;
}

PolicySearch::PolicySearch(OffloadShape shape, OffloadMachine machine, const OffloadWorkload& work,
                           const SearchSettings& settings)
    : shape_(std::move(shape)),
      machine_(std::move(machine)),
      work_(work),
      settings_(settings),
      gpu_batches_(gpu_batch_steps(settings)) {}

bool PolicySearch::step() {
  if (next_ == gpu_batches_.size()) return false;
  const std::int64_t gpu_batch = gpu_batches_[next_++];
  for (std::int64_t n = 1; n <= settings_.most_batches; ++n) {
    auto plan = best_placement(shape_, machine_, work_, settings_, gpu_batch, n);
    // Larger blocks need more of every tier.
    if (!plan) break;
    // Ties go to the smaller block; the last digits of a solution are noise.
    constexpr double kBetter = 1 + 1e-9;
    if (!best_ || plan->times.tokens_per_second > kBetter * best_->times.tokens_per_second) {
      best_ = plan;
    }
  }
  return next_ < gpu_batches_.size();
}

std::optional<PlannedPolicy> best_policy(const OffloadShape& shape, const OffloadMachine& machine,
                                         const OffloadWorkload& work,
                                         const SearchSettings& settings) {
  PolicySearch search(shape, machine, work, settings);
  while (search.step()) {
  }
  return search.best();
}

}  // namespace meyasu
