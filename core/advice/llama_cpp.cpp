#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "core/advice/order.hpp"

namespace meyasu {
namespace {

/// Values of -ub that people choose; below 64 prefill gets very slow.
constexpr std::array<std::int64_t, 3> kUbatches = {256, 128, 64};
/// As GGML_CUDA_MAX_DEVICES.
constexpr std::size_t kMostDevices = 16;
constexpr std::int64_t kCellStep = 256;

struct KvChoice {
  GgmlType type;
  QualityLevel loss;
};
/// No table of perplexities by cache type was found; classes of their bits.
constexpr std::array<KvChoice, 2> kKvChoices = {
    {{GgmlType::Q8_0, QualityLevel::small}, {GgmlType::Q4_0, QualityLevel::visible}}};
constexpr std::string_view kByBits = "class of its bits; no table of its own was found";

/// A configuration on the way to one that fits.
struct Draft {
  std::string mix;
  LlamaCppSettings settings;
  FitGoal goal;
  SpeedMachine machine;
  Advice advice;
};

double bits_of(GgmlType type) {
  const BlockLayout layout = block_layout(type);
  return 8.0 * layout.bytes / layout.block;
}

std::int64_t streams(const LlamaCppSettings& settings) {
  return settings.kv_unified ? 1 : std::max<std::int64_t>(settings.n_seq, 1);
}

double part_given_up(std::int64_t before, std::int64_t after) {
  return before > 0 ? 1 - static_cast<double>(after) / static_cast<double>(before) : 0;
}

class Adviser {
 public:
  Adviser(InferenceStudy& study, const LlamaCppAdviceQuestion& question)
      : study_(study), question_(question) {}

  Result<std::vector<Advice>> run() {
    const Draft start{question_.mix, question_.settings, question_.goal, question_.machine, {}};
    auto now = evaluate(start);
    if (!now) return now.error();
    before_ = std::move(now.value());
    if (accepts(question_.goal.comfort, before_.fit.verdict) || before_.fit.tightest < 0) {
      return std::vector<Advice>{};
    }
    tok_s_before_ = tok_s(start);
    for (Draft& draft : small_changes(start)) keep(draft);
    search_from(start);
    another_program(start);
    if (!has_cheap(found_)) pairs(start);
    more_gpus(start);
    other_gpu(start);
    sort_advice(found_);
    return std::move(found_);
  }

 private:
  Result<LlamaCppFit> evaluate(const Draft& draft) {
    const auto estimator = study_.estimator(draft.mix);
    if (!estimator) return estimator.error();
    return fit_llama_cpp(*estimator.value(), draft.settings, draft.goal);
  }

  static void add(Draft& draft, AdviceKind kind, AdviceCost cost, double amount,
                  std::vector<OptionChange> changes, const Quality& quality = kSameQuality) {
    Advice& advice = draft.advice;
    advice.kinds.push_back(kind);
    advice.qualities.push_back(quality);
    advice.cost = std::max(advice.cost, cost);
    advice.amount = std::max(advice.amount, amount);
    for (OptionChange& change : changes) advice.changes.push_back(std::move(change));
  }

  /// 0: not known.
  double tok_s(const Draft& draft) {
    const auto speed = study_.speed(draft.mix, draft.settings, draft.machine, question_.workload);
    return speed ? speed.value().decode_tok_s.likely : 0;
  }

  /// Keeps the draft if it meets the goal.
  void keep(Draft& draft) {
    const auto fit = evaluate(draft);
    if (!fit || !accepts(draft.goal.comfort, fit.value().fit.verdict)) return;
    const MachineFit& after = fit.value().fit;
    const auto tightest = static_cast<std::size_t>(before_.fit.tightest);
    const Bytes saving =
        before_.fit.places[tightest].fit.likely - after.places[tightest].fit.likely;
    const auto model = study_.quantized_model(draft.mix);
    if (!model) return;
    const auto reads = token_reads(*model.value(), draft.settings);
    Advice advice = std::move(draft.advice);
    advice.saving = saving;
    advice.margin = after.places[static_cast<std::size_t>(after.tightest)].fit.margin();
    advice.verdict = after.verdict;
    advice.host_share = reads ? reads.value().host_share() : 0;
    advice.tok_s_before = tok_s_before_;
    advice.tok_s_after = tok_s(draft);
    found_.push_back(std::move(advice));
  }

  /// Changes of a fixed size that cost little.
  [[nodiscard]] std::vector<Draft> small_changes(const Draft& start) const {
    std::vector<Draft> drafts;
    const LlamaCppSettings& s = start.settings;
    if (s.flash_attention == FlashAttention::off) {
      Draft draft = start;
      draft.settings.flash_attention = FlashAttention::on;
      add(draft, AdviceKind::flash_attention, AdviceCost::none, 0, {{"flash_attention", "on"}});
      drafts.push_back(std::move(draft));
    }
    const std::int64_t now = s.n_ubatch == 0 ? s.n_batch : s.n_ubatch;
    for (const std::int64_t ubatch : kUbatches) {
      // An encoder reads a text at once: smaller micro-batches would be shorter texts.
      if (ubatch >= now || study_.model().is_encoder) continue;
      Draft draft = start;
      draft.settings.n_ubatch = ubatch;
      // Reading a prompt gets slower, more so where weights cross PCIe for every batch.
      add(draft, AdviceKind::ubatch, AdviceCost::slight, part_given_up(now, ubatch),
          {{"n_ubatch", std::to_string(ubatch)}});
      drafts.push_back(std::move(draft));
    }
    for (const KvChoice& kv : kKvChoices) {
      const double bits = bits_of(kv.type);
      if (bits >= bits_of(s.type_k) && bits >= bits_of(s.type_v)) continue;
      Draft draft = start;
      std::vector<OptionChange> changes;
      const std::string name(ggml_type_name(kv.type));
      draft.settings.type_k = kv.type;
      draft.settings.type_v = kv.type;
      changes = {{"type_k", name}, {"type_v", name}};
      if (s.flash_attention == FlashAttention::off) {  // quantized V needs it
        draft.settings.flash_attention = FlashAttention::on;
        changes.push_back({"flash_attention", "on"});
      }
      add(draft, AdviceKind::kv_type, cost_of(kv.loss), 0, std::move(changes),
          {kv.loss, QualityMeasure::none, 0, {}, kByBits});
      drafts.push_back(std::move(draft));
    }
    return drafts;
  }

  /// Changes whose size a solver finds: quantization, context, users, offload.
  void search_from(const Draft& start) {
    smaller_mix(start);
    shorter_context(start);
    fewer_users(start);
    offload(start);
  }

  void smaller_mix(const Draft& start) {
    const auto best = best_mix(study_.model(), start.settings, start.goal);
    if (!best || best.value().mix == start.mix) return;
    Draft draft = start;
    draft.mix = best.value().mix;
    const auto ftype = ftype_from_name(draft.mix);
    const auto smaller = study_.quantized_model(draft.mix);
    const auto larger = study_.quantized_model(start.mix);
    if (!ftype || !smaller || !larger) return;
    if (smaller.value()->weight_bytes() >= larger.value()->weight_bytes()) return;
    const Quality quality = quality_of(*ftype, study_.model().architecture);
    add(draft, AdviceKind::mix, cost_of(quality.level),
        part_given_up(larger.value()->weight_bytes(), smaller.value()->weight_bytes()),
        {{"mix", draft.mix}}, quality);
    keep(draft);
  }

  void shorter_context(const Draft& start) {
    const auto estimator = study_.estimator(start.mix);
    const auto now = normalize(start.settings, study_.model());
    if (!estimator || !now) return;
    const std::int64_t asked = now.value().n_ctx / streams(start.settings);
    if (asked <= kCellStep) return;
    const auto longest =
        largest_context(*estimator.value(), study_.model(), start.settings, start.goal, asked);
    if (!longest) return;
    const std::int64_t tokens = longest.value().value / streams(start.settings);
    // Less than a page of text is no answer.
    constexpr std::int64_t kUseful = 1024;
    if (tokens >= asked || tokens < std::min(kUseful, asked)) return;
    Draft draft = start;
    draft.settings.n_ctx = longest.value().value;
    const double part = part_given_up(asked, tokens);
    add(draft, AdviceKind::context, cost_of_part(part), part, {{"n_ctx", std::to_string(tokens)}});
    keep(draft);
  }

  void fewer_users(const Draft& start) {
    const LlamaCppSettings& s = start.settings;
    if (s.kv_unified || s.n_seq < 2) return;
    const auto estimator = study_.estimator(start.mix);
    if (!estimator) return;
    const auto most = most_slots(*estimator.value(), s, s.n_ctx / s.n_seq, start.goal);
    if (!most || most.value().value >= s.n_seq) return;
    Draft draft = start;
    draft.settings = most.value().best.settings;
    const double part = part_given_up(s.n_seq, most.value().value);
    add(draft, AdviceKind::users, cost_of_part(part), part,
        {{"users", std::to_string(most.value().value)}});
    keep(draft);
  }

  void offload(const Draft& start) {
    if (start.settings.devices.empty()) return;
    const auto estimator = study_.estimator(start.mix);
    const auto model = study_.quantized_model(start.mix);
    if (!estimator || !model) return;
    const auto plan = plan_machine(*estimator.value(), *model.value(), start.settings, start.goal);
    if (!plan) return;
    Draft draft = start;
    draft.settings = plan.value().fit.settings;
    const double share = plan.value().reads.host_share();
    constexpr double kDoublesTheTime = 0.1;
    const AdviceCost cost = share == 0                 ? AdviceCost::none
                            : share <= kDoublesTheTime ? AdviceCost::some
                                                       : AdviceCost::much;
    add(draft, AdviceKind::offload, cost, share, placement_changes(start.settings, draft.settings));
    if (draft.advice.changes.size() > start.advice.changes.size()) keep(draft);
  }

  /// llama-cli keeps one sequence and one row of logits.
  void another_program(const Draft& start) {
    if (question_.program == LlamaCppProgram::cli || !start.settings.kv_unified) return;
    Draft draft = start;
    draft.settings.n_seq = 1;
    draft.settings.kv_unified = false;
    draft.settings.n_outputs_max = 1;
    add(draft, AdviceKind::runtime, AdviceCost::some, 0, {{"runtime", "llama-cli"}});
    keep(draft);
  }

  /// A small change first, then the rest by a solver.
  void pairs(const Draft& start) {
    std::vector<Draft> firsts = small_changes(start);
    const auto now = study_.quantized_model(start.mix);
    for (const char* mix : {"Q4_K_M", "Q3_K_M"}) {
      const auto smaller = study_.quantized_model(mix);
      const auto ftype = ftype_from_name(mix);
      if (!now || !smaller || !ftype) continue;
      if (smaller.value()->weight_bytes() >= now.value()->weight_bytes()) continue;
      Draft draft = start;
      draft.mix = mix;
      const Quality quality = quality_of(*ftype, study_.model().architecture);
      add(draft, AdviceKind::mix, cost_of(quality.level),
          part_given_up(now.value()->weight_bytes(), smaller.value()->weight_bytes()),
          {{"mix", mix}}, quality);
      firsts.push_back(std::move(draft));
    }
    const std::size_t n_single = found_.size();
    for (const Draft& first : firsts) {
      const AdviceKind kind = first.advice.kinds.front();
      if (kind != AdviceKind::mix) smaller_mix(first);
      if (kind == AdviceKind::mix || kind == AdviceKind::kv_type) {
        shorter_context(first);
        offload(first);
      }
    }
    // Pairs that cost as much as a single change help nobody.
    AdviceCost least = AdviceCost::hardware;
    for (std::size_t i = 0; i < n_single; ++i) least = std::min(least, found_[i].cost);
    std::size_t index = 0;
    std::erase_if(
        found_, [&](const Advice& advice) { return index++ >= n_single && advice.cost >= least; });
    constexpr std::size_t kMostPairs = 4;
    std::vector<Advice> made(found_.begin() + static_cast<std::ptrdiff_t>(n_single), found_.end());
    found_.resize(n_single);
    sort_advice(made);
    if (made.size() > kMostPairs) made.resize(kMostPairs);
    found_.insert(found_.end(), made.begin(), made.end());
  }

  /// The fewest further GPUs like the last one.
  void more_gpus(const Draft& start) {
    if (start.settings.devices.empty()) return;
    Draft draft = start;
    const Room room = *std::find_if(
        draft.goal.rooms.begin(), draft.goal.rooms.end(),
        [&](const Room& it) { return it.device == start.settings.devices.back().name; });
    while (draft.settings.devices.size() < kMostDevices) {
      LlamaCppDevice another = draft.settings.devices.back();
      another.name =
          "gpu" + std::to_string(static_cast<std::int64_t>(draft.settings.devices.size()));
      const auto at =
          draft.goal.rooms.begin() + static_cast<std::ptrdiff_t>(draft.settings.devices.size());
      draft.goal.rooms.insert(at, {another.name, room.usable});
      draft.settings.devices.push_back(std::move(another));
      if (!draft.machine.gpus.empty()) draft.machine.gpus.push_back(draft.machine.gpus.back());
      const auto fit = evaluate(draft);
      if (!fit) return;
      if (!accepts(draft.goal.comfort, fit.value().fit.verdict)) continue;
      const auto added =
          static_cast<std::int64_t>(draft.settings.devices.size() - start.settings.devices.size());
      add(draft, AdviceKind::more_gpus, AdviceCost::hardware, static_cast<double>(added),
          {{"add_gpus", std::to_string(added)}});
      keep(draft);
      return;
    }
  }

  /// One larger device instead of those that are there, with everything on it.
  void other_gpu(const Draft& start) {
    if (question_.catalog == nullptr || start.machine.gpus.empty()) return;
    LlamaCppSettings settings = start.settings;
    settings.n_gpu_layers = -1;
    settings.cpu_moe = false;
    settings.n_cpu_moe = 0;
    settings.offload_kv = true;
    settings.tensor_split.clear();
    const auto choices =
        devices_that_run(study_, start.mix, settings, question_.workload, *question_.catalog);
    if (!choices) return;
    const DeviceChoice* choice =
        other_device(choices.value(), start.machine.gpus.front(), start.goal.comfort);
    if (choice == nullptr) return;
    Draft draft = start;
    add(draft, AdviceKind::other_gpu, AdviceCost::hardware, 1, device_changes(*choice));
    for (OptionChange& change : placement_changes(start.settings, settings)) {
      draft.advice.changes.push_back(std::move(change));
    }
    const auto tightest = static_cast<std::size_t>(before_.fit.tightest);
    Advice advice = std::move(draft.advice);
    advice.saving = choice->margin - before_.fit.places[tightest].fit.margin();
    advice.margin = choice->margin;
    advice.verdict = choice->verdict;
    advice.tok_s_before = tok_s_before_;
    advice.tok_s_after = choice->decode_tok_s.likely;
    found_.push_back(std::move(advice));
  }

  InferenceStudy& study_;
  const LlamaCppAdviceQuestion& question_;
  double tok_s_before_ = 0;
  LlamaCppFit before_;
  std::vector<Advice> found_;
};

}  // namespace

std::vector<OptionChange> placement_changes(const LlamaCppSettings& before,
                                            const LlamaCppSettings& after) {
  std::vector<OptionChange> changes;
  if (after.n_gpu_layers != before.n_gpu_layers) {
    changes.push_back(
        {"n_gpu_layers", after.n_gpu_layers < 0 ? "" : std::to_string(after.n_gpu_layers)});
  }
  if (after.n_cpu_moe != before.n_cpu_moe) {
    changes.push_back({"n_cpu_moe", std::to_string(after.n_cpu_moe)});
  }
  if (before.cpu_moe) changes.push_back({"cpu_moe", "false"});
  if (after.offload_kv != before.offload_kv) {
    changes.push_back({"offload_kv", after.offload_kv ? "true" : "false"});
  }
  if (after.tensor_split != before.tensor_split) {
    std::string split;
    for (const double part : after.tensor_split) {
      if (!split.empty()) split += ',';
      split += std::to_string(static_cast<std::int64_t>(part));
    }
    changes.push_back({"tensor_split", split});
  }
  return changes;
}

Result<std::vector<Advice>> advise_llama_cpp(InferenceStudy& study,
                                             const LlamaCppAdviceQuestion& question) {
  return Adviser(study, question).run();
}

}  // namespace meyasu
