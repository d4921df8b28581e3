#include "core/fit/plan.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"

namespace meyasu {
namespace {

using LlamaStep = Step<LlamaCppFit>;

/// Bytes of a weight that one token reads.
Bytes read_of(const Model& model, const Tensor& tensor, bool is_head) {
  if (tensor.role == TensorRole::embedding && !is_head) return 0;
  if (tensor.role != TensorRole::routed_expert || tensor.layer < 0) return tensor.bytes();
  const FeedForward& experts = model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward;
  if (experts.n_expert < 1) return tensor.bytes();
  return tensor.bytes() / experts.n_expert * experts.n_expert_used;
}

/// Layers on each device as the estimate placed them; the output layer counts on the last used.
std::vector<std::int64_t> layer_counts(const LlamaCppFit& fit) {
  std::vector<std::int64_t> counts(fit.settings.devices.size(), 0);
  for (const LayerCost& layer : fit.estimate.layers.blocks) {
    if (layer.device >= 0) ++counts[static_cast<std::size_t>(layer.device)];
  }
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  if (sum < fit.estimate.context.n_gpu_layers) {
    counts.back() += fit.estimate.context.n_gpu_layers - sum;
  }
  return counts;
}

/// The least margin of the GPUs: what a better split raises.
Bytes least_margin(const LlamaCppFit& fit) {
  Bytes least = 0;
  bool first = true;
  for (const PlaceFit& place : fit.fit.places) {
    if (place.device == "host") continue;
    if (first || place.fit.margin() < least) least = place.fit.margin();
    first = false;
  }
  return least;
}

/// How far a place is from being accepted; positive: it is.
Bytes spare(const PlaceFit& place, Comfort comfort) {
  if (comfort == Comfort::tight) return place.fit.margin();
  constexpr Bytes kReserveParts = 20;  // as Fit::verdict
  return std::min(place.fit.usable - place.fit.high,
                  place.fit.margin() - place.fit.usable / kReserveParts);
}

bool gpus_fit(const LlamaCppFit& fit, Comfort comfort) {
  return std::all_of(fit.fit.places.begin(), fit.fit.places.end(), [&](const PlaceFit& place) {
    return place.device == "host" || accepts(comfort, place.fit.verdict());
  });
}

/// The largest value in first..last whose GPUs fit with the best split of them.
template <class Change>
Result<Largest<LlamaCppFit>> search(LlamaCppEstimator& estimator, const LlamaCppSettings& settings,
                                    const FitGoal& goal, std::int64_t last, Change change) {
  const auto evaluate = [&](std::int64_t value) -> Result<LlamaStep> {
    LlamaCppSettings changed = settings;
    change(changed, value);
    auto fit = fit_with_best_split(estimator, changed, goal);
    if (!fit) return fit.error();
    const bool fits = gpus_fit(fit.value(), goal.comfort);
    return LlamaStep{value, fits, std::move(fit.value())};
  };
  return largest_step<LlamaCppFit>(0, last, "n_gpu_layers", evaluate, [](const LlamaCppFit& fit) {
    return std::to_string(fit.fit.shortage());
  });
}

/// Experts first, then layers, with the cache where `settings` says.
Result<LlamaCppFit> place(LlamaCppEstimator& estimator, const Model& model,
                          const LlamaCppSettings& settings, const FitGoal& goal) {
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  LlamaCppSettings whole = settings;
  whole.n_gpu_layers = n_layer + 1;
  if (model.has_experts()) {
    auto experts =
        search(estimator, whole, goal, n_layer,
               [n_layer](LlamaCppSettings& s, std::int64_t n) { s.n_cpu_moe = n_layer - n; });
    if (experts) return std::move(experts.value().best.answer);
    if (experts.error().code != "none_fits") return experts.error();
    whole.n_cpu_moe = n_layer;
  }
  auto layers = search(estimator, whole, goal, n_layer + 1,
                       [](LlamaCppSettings& s, std::int64_t n) { s.n_gpu_layers = n; });
  if (!layers) return layers.error();
  return std::move(layers.value().best.answer);
}

}  // namespace

double TokenReads::host_share() const {
  const Bytes all = gpu + host;
  return all > 0 ? static_cast<double>(host) / static_cast<double>(all) : 0;
}

Result<TokenReads> token_reads(const Model& model, const LlamaCppSettings& settings) {
  const auto context = normalize(settings, model);
  if (!context) return context.error();
  const auto placed = place_weights(model, settings, context.value());
  if (!placed) return placed.error();
  const LlamaCppPlacement& placement = placed.value();
  TokenReads reads;
  const auto add = [&](int device, Bytes bytes) {
    if (device == kNotLoaded) return;
    (device == kHost ? reads.host : reads.gpu) += bytes;
  };
  const bool tied = !model.is_encoder && model.find_tensor("output.weight") == nullptr;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    // A tied table is read whole as the head, where the output layer is.
    const bool is_head = tied && tensor.name == "token_embd.weight";
    const std::int64_t runs = tensor.layer >= 0 ? model.n_loops : 1;
    add(is_head ? placement.output_device : placement.tensor_device[i],
        read_of(model, tensor, is_head) * runs);
  }
  const std::int64_t n_seq = std::max<std::int64_t>(context.value().n_stream, 1);
  for (const KvLayer& layer : kv_cache_layers(model, settings, context.value(), placement)) {
    add(layer.device, layer.bytes() / n_seq);
  }
  for (const StateLayer& layer : recurrent_state_layers(model, context.value(), placement)) {
    add(layer.device, layer.bytes() / context.value().n_seq);
  }
  return reads;
}

Result<LlamaCppFit> fit_with_best_split(LlamaCppEstimator& estimator,
                                        const LlamaCppSettings& settings, const FitGoal& goal) {
  auto first = fit_llama_cpp(estimator, settings, goal);
  constexpr std::size_t kTwo = 2;
  if (!first || !settings.tensor_split.empty() || settings.devices.size() < kTwo) return first;
  if (gpus_fit(first.value(), goal.comfort)) return first;
  LlamaCppFit best = std::move(first.value());
  while (!gpus_fit(best, goal.comfort)) {
    const std::vector<std::int64_t> counts = layer_counts(best);
    std::optional<std::size_t> fullest;
    std::optional<std::size_t> emptiest;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto at = [&](std::size_t device) {
        return spare(best.fit.places[device], goal.comfort);
      };
      if (counts[i] > 0 && (!fullest || at(i) < at(*fullest))) fullest = i;
      if (!emptiest || at(i) > at(*emptiest)) emptiest = i;
    }
    if (!fullest || !emptiest || *fullest == *emptiest) break;
    LlamaCppSettings moved = best.settings;
    moved.tensor_split.clear();
    for (const std::int64_t count : counts) {
      moved.tensor_split.push_back(static_cast<double>(count));
    }
    moved.tensor_split[*fullest] -= 1;
    moved.tensor_split[*emptiest] += 1;
    auto next = fit_llama_cpp(estimator, moved, goal);
    if (!next) return next;
    if (least_margin(next.value()) <= least_margin(best)) break;
    best = std::move(next.value());
  }
  return best;
}

Result<PlacementPlan> plan_machine(LlamaCppEstimator& estimator, const Model& model,
                                   const LlamaCppSettings& settings, const FitGoal& goal) {
  LlamaCppSettings start = settings;
  start.cpu_moe = false;
  start.n_cpu_moe = 0;
  start.tensor_split.clear();
  std::optional<PlacementPlan> best;
  Error least{"none_fits", "n_gpu_layers", {}};
  const auto consider = [&](Result<LlamaCppFit> found) -> Result<bool> {
    if (!found) {
      if (found.error().code != "none_fits") return found.error();
      if (least.detail.empty()) least = found.error();
      return false;
    }
    LlamaCppFit& fit = found.value();
    if (!accepts(goal.comfort, fit.fit.verdict)) {  // the host is short
      least.detail = std::to_string(fit.fit.shortage());
      return false;
    }
    const auto reads = token_reads(model, fit.settings);
    if (!reads) return reads.error();
    if (!best || reads.value().host < best->reads.host) {
      best = PlacementPlan{std::move(fit), reads.value()};
    }
    return true;
  };
  for (const bool cache_on_gpu : {true, false}) {
    // A cache in RAM only pays where the layers did not all fit.
    if (best && best->reads.host == 0) break;
    start.offload_kv = cache_on_gpu;
    const auto done = consider(place(estimator, model, start, goal));
    if (!done) return done.error();
    if (settings.devices.empty()) break;
  }
  if (!best) return least;
  return std::move(*best);
}

}  // namespace meyasu
