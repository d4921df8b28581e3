#include "core/advice/training.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "core/training/step_time.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

using Kind = TrainingAdviceKind;

/// Less is noise.
constexpr Bytes kWorthSaying = 32 * kMiB;

struct Change {
  Kind kind;
  AdviceCost quality = AdviceCost::none;
  std::vector<OptionChange> options;
  std::function<void(TrainingSettings&)> apply;
  std::int64_t add_gpus = 0;
};

struct Point {
  TrainingSettings settings;
  TrainingFit fit;
  StepTime time;
};

AdviceCost cost_of_time(double ratio) {
  constexpr double kNone = 1.05;
  constexpr double kSlight = 1.4;
  constexpr double kSome = 2;
  if (ratio <= kNone) return AdviceCost::none;
  if (ratio <= kSlight) return AdviceCost::slight;
  return ratio <= kSome ? AdviceCost::some : AdviceCost::much;
}

/// Another method keeps the work and the step, and trains other weights.
void use_method(TrainingSettings& s, TrainingMethod method) {
  const TrainingSettings usual = usual_training(method);
  s.precision = usual.precision;
  const auto before = s.lora;
  s.lora = usual.lora;
  if (before) {
    s.lora->rank = before->rank;
    s.lora->targets = before->targets;
  }
}

class TrainingAdviser {
 public:
  TrainingAdviser(const Model& model, const TrainingSettings& settings, const Machine& machine)
      : model_(model), now_{settings, {}, {}}, machine_(machine), rates_(step_rates(machine)) {}

  Result<std::vector<TrainingAdvice>> run() {
    const auto error = measure(now_, 0);
    if (error) return *error;
    std::vector<TrainingAdvice> found;
    std::vector<Change> useful;
    for (Change& change : changes()) {
      auto advice = evaluate({change});
      if (!advice || advice->saving < kWorthSaying) continue;
      found.push_back(std::move(*advice));
      useful.push_back(std::move(change));
    }
    const bool over = now_.fit.verdict() == Verdict::over;
    const auto key = [over](const TrainingAdvice& a) {
      return std::tuple(over && a.verdict == Verdict::over, a.cost, -a.saving);
    };
    const auto before = [&](const TrainingAdvice& a, const TrainingAdvice& b) {
      return key(a) < key(b);
    };
    const bool suffices = std::any_of(found.begin(), found.end(), [](const TrainingAdvice& a) {
      return a.verdict != Verdict::over;
    });
    std::optional<TrainingAdvice> together;
    if (over && !suffices) together = combine(found, useful);
    sort_items(found, before);
    if (together) found.insert(found.begin(), std::move(*together));
    return found;
  }

 private:
  std::optional<Error> measure(Point& point, std::int64_t add_gpus) {
    const auto estimate = estimate_training(model_, point.settings);
    if (!estimate) return estimate.error();
    Machine machine = machine_;
    if (add_gpus > 0) machine.devices.back().count += add_gpus;
    const auto fit = fit_training(estimate.value(), point.settings, machine);
    if (!fit) return fit.error();
    point.fit = fit.value();
    point.time = step_time(model_, point.settings, estimate.value(), rates_);
    return std::nullopt;
  }

  std::optional<TrainingAdvice> evaluate(const std::vector<Change>& changes) {
    Point after{now_.settings, {}, {}};
    TrainingAdvice advice;
    std::int64_t add_gpus = 0;
    for (const Change& change : changes) {
      change.apply(after.settings);
      advice.kinds.push_back(change.kind);
      advice.changes.insert(advice.changes.end(), change.options.begin(), change.options.end());
      advice.cost = std::max(advice.cost, change.quality);
      add_gpus += change.add_gpus;
    }
    if (measure(after, add_gpus)) return std::nullopt;
    advice.saving = now_.fit.gpu.likely - after.fit.gpu.likely;
    advice.margin = after.fit.gpu.margin();
    advice.verdict = after.fit.verdict();
    const double hidden = after.time.low() / now_.time.low();
    const double plain = after.time.high() / now_.time.high();
    advice.time_low = std::min(hidden, plain);
    advice.time_high = std::max(hidden, plain);
    advice.cost = std::max(advice.cost, cost_of_time(advice.time_high));
    return advice;
  }

  /// Cheapest first until it fits, then without those that turn out not to be needed.
  std::optional<TrainingAdvice> combine(const std::vector<TrainingAdvice>& found,
                                        const std::vector<Change>& useful) {
    const std::vector<std::size_t> order =
        sorted_numbers(found.size(), [&](std::size_t a, std::size_t b) {
          return std::tuple(found[a].cost, -found[a].saving) <
                 std::tuple(found[b].cost, -found[b].saving);
        });
    std::vector<Change> chosen;
    std::optional<TrainingAdvice> best;
    for (const std::size_t at : order) {
      const Change& change = useful[at];
      if (change.kind == Kind::sequence || change.kind == Kind::more_gpus) continue;
      const auto clashes = [&](const Change& other) {
        return !other.options.empty() && !change.options.empty() &&
               other.options.front().option == change.options.front().option;
      };
      const bool is_method = change.kind == Kind::lora || change.kind == Kind::qlora;
      const bool of_full = change.kind == Kind::bf16;
      const auto method_chosen = std::any_of(chosen.begin(), chosen.end(), [](const Change& c) {
        return c.kind == Kind::lora || c.kind == Kind::qlora;
      });
      if (of_full && method_chosen) continue;
      std::erase_if(chosen, [&](const Change& c) {
        return clashes(c) || (is_method && c.kind == Kind::bf16);
      });
      // Methods come first: they start anew what others then set.
      chosen.insert(is_method ? chosen.begin() : chosen.end(), change);
      best = evaluate(chosen);
      if (best && best->verdict != Verdict::over) break;
    }
    if (!best || best->verdict == Verdict::over) return std::nullopt;
    for (std::size_t i = 0; i < chosen.size() && chosen.size() > 1;) {
      std::vector<Change> fewer = chosen;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      auto without = evaluate(fewer);
      if (without && without->verdict != Verdict::over) {
        chosen = std::move(fewer);
        best = std::move(without);
      } else {
        ++i;
      }
    }
    return best;
  }

  std::vector<Change> changes() {
    std::vector<Change> list;
    cheap(list);
    other_states(list);
    other_methods(list);
    elsewhere(list);
    shorter(list);
    return list;
  }

  void cheap(std::vector<Change>& list) const {
    const TrainingSettings& s = now_.settings;
    if (!s.flash_attention) {
      list.push_back({Kind::flash_attention,
                      AdviceCost::none,
                      {{"flash_attention", "1"}},
                      [](TrainingSettings& to) { to.flash_attention = true; }});
    }
    if (s.loss != LossPath::linear && s.loss != LossPath::cce) {
      list.push_back({Kind::loss, AdviceCost::none, {{"loss", "linear"}}, [](TrainingSettings& to) {
                        to.loss = LossPath::linear;
                      }});
    }
    if (s.lora && s.lora->fp32_embeddings) {
      list.push_back({Kind::embeddings_16bit,
                      AdviceCost::slight,
                      {{"fp32_embeddings", "0"}},
                      [](TrainingSettings& to) {
                        if (to.lora) to.lora->fp32_embeddings = false;
                      }});
    }
    if (s.update != UpdateKind::fused) {
      list.push_back(
          {Kind::fused_update, AdviceCost::none, {{"update", "fused"}}, [](TrainingSettings& to) {
             to.update = UpdateKind::fused;
           }});
    }
    const bool some =
        s.checkpointing != Checkpointing::full && s.checkpointing != Checkpointing::offloaded;
    if (some) {
      list.push_back({Kind::checkpointing,
                      AdviceCost::none,
                      {{"checkpointing", "full"}},
                      [](TrainingSettings& to) { to.checkpointing = Checkpointing::full; }});
    }
    if (s.checkpointing != Checkpointing::offloaded && machine_.ram > 0) {
      list.push_back({Kind::checkpoint_offload,
                      AdviceCost::none,
                      {{"checkpointing", "offloaded"}},
                      [](TrainingSettings& to) { to.checkpointing = Checkpointing::offloaded; }});
    }
    const bool pays = s.batch > 1 && !s.in_backward && s.optimizer != Optimizer::lomo;
    if (pays) {
      const std::int64_t batch = s.batch / 2;
      const std::int64_t more = s.accumulation * s.batch / batch;
      list.push_back({Kind::batch,
                      AdviceCost::none,
                      {{"batch", std::to_string(batch)}, {"accumulation", std::to_string(more)}},
                      [batch, more](TrainingSettings& to) {
                        to.batch = batch;
                        to.accumulation = more;
                      }});
    }
  }

  void other_states(std::vector<Change>& list) const {
    const Optimizer optimizer = now_.settings.optimizer;
    if (optimizer == Optimizer::adamw || optimizer == Optimizer::lion) {
      const Optimizer to =
          optimizer == Optimizer::adamw ? Optimizer::adamw_8bit : Optimizer::lion_8bit;
      list.push_back({Kind::optimizer_8bit,
                      AdviceCost::slight,
                      {{"optimizer", std::string(name_of(kOptimizers, to))}},
                      [to](TrainingSettings& s) { s.optimizer = to; }});
    }
  }

  void other_methods(std::vector<Change>& list) const {
    const TrainingSettings& s = now_.settings;
    const bool wide =
        s.precision == TrainingPrecision::fp32 || s.precision == TrainingPrecision::autocast;
    if (!s.lora && wide) {
      list.push_back(
          {Kind::bf16, AdviceCost::some, {{"precision", "bf16"}}, [](TrainingSettings& to) {
             to.precision = TrainingPrecision::bf16;
           }});
    }
    const TrainingMethod method = method_of(s);
    if (method == TrainingMethod::full) {
      list.push_back({Kind::lora, AdviceCost::some, {{"method", "lora"}}, [](TrainingSettings& to) {
                        use_method(to, TrainingMethod::lora);
                      }});
    }
    if (method != TrainingMethod::qlora) {
      list.push_back(
          {Kind::qlora, AdviceCost::some, {{"method", "qlora"}}, [](TrainingSettings& to) {
             use_method(to, TrainingMethod::qlora);
           }});
    }
  }

  void elsewhere(std::vector<Change>& list) const {
    const TrainingSettings& s = now_.settings;
    const bool in_backward = s.in_backward || s.optimizer == Optimizer::lomo;
    const auto stage = [&](DataParallel to) {
      list.push_back({Kind::zero,
                      AdviceCost::none,
                      {{"data_parallel", std::string(name_of(kDataParallels, to))}},
                      [to](TrainingSettings& next) { next.data_parallel = to; }});
    };
    if (s.dp > 1 && s.data_parallel < DataParallel::zero1) stage(DataParallel::zero1);
    if (s.dp > 1 && s.data_parallel < DataParallel::zero2) stage(DataParallel::zero2);
    if (s.dp > 1 && s.data_parallel < DataParallel::zero3 && !in_backward) {
      stage(DataParallel::zero3);
    }
    if (s.offload == StateOffload::none && machine_.ram > 0 && !in_backward) {
      list.push_back({Kind::state_offload,
                      AdviceCost::none,
                      {{"offload", "optimizer"}},
                      [](TrainingSettings& to) { to.offload = StateOffload::optimizer; }});
    }
    const std::int64_t unit = s.tp * s.pp * s.cp;
    const std::int64_t dp = s.dp + 1;
    if (s.shard_group != 0 || in_backward) return;
    const bool shards =
        s.data_parallel == DataParallel::zero3 || s.data_parallel == DataParallel::fsdp;
    Change more{Kind::more_gpus,
                AdviceCost::hardware,
                {{"add_gpus", std::to_string(unit)}, {"dp", std::to_string(dp)}},
                [dp](TrainingSettings& to) { to.dp = dp; },
                unit};
    if (!shards) {
      more.options.push_back({"data_parallel", "fsdp"});
      TrainingSettings sharded = s;
      shard_all(sharded);
      if (sharded.precision != s.precision) {
        more.options.push_back(
            {"precision", std::string(name_of(kTrainingPrecisions, sharded.precision))});
      }
      more.apply = [dp](TrainingSettings& to) {
        to.dp = dp;
        shard_all(to);
      };
    }
    list.push_back(std::move(more));
  }

  void shorter(std::vector<Change>& list) const {
    if (now_.fit.verdict() != Verdict::over) return;
    const auto longest = longest_sequence(model_, now_.settings, now_.fit.gpu.usable);
    constexpr std::int64_t kUseful = 256;
    if (!longest || longest.value().value < kUseful) return;
    const std::int64_t length = longest.value().value;
    if (length >= now_.settings.sequence) return;
    const double part =
        1 - static_cast<double>(length) / static_cast<double>(now_.settings.sequence);
    const AdviceCost cost = part <= 0.5 ? AdviceCost::some : AdviceCost::much;
    list.push_back({Kind::sequence,
                    cost,
                    {{"sequence", std::to_string(length)}},
                    [length](TrainingSettings& to) { to.sequence = length; }});
  }

  const Model& model_;
  Point now_;
  const Machine& machine_;
  StepRates rates_;
};

}  // namespace

std::string_view training_advice_name(TrainingAdviceKind kind) {
  constexpr std::string_view kNames[] = {"flash_attention",
                                         "loss",
                                         "embeddings_16bit",
                                         "fused_update",
                                         "checkpointing",
                                         "batch",
                                         "zero",
                                         "checkpoint_offload",
                                         "optimizer_8bit",
                                         "bf16",
                                         "lora",
                                         "qlora",
                                         "state_offload",
                                         "sequence",
                                         "more_gpus"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<std::vector<TrainingAdvice>> advise_training(const Model& model,
                                                    const TrainingSettings& settings,
                                                    const Machine& machine) {
  return TrainingAdviser(model, settings, machine).run();
}

}  // namespace meyasu
