#include "core/training/timeline.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "core/serving/pytorch_context.hpp"
#include "core/training/activations.hpp"
#include "core/training/loss.hpp"

namespace meyasu {
namespace {

/// Micro-batches of activations that a pipeline stage holds.
double micro_batches_held(const TrainingSettings& s, std::int64_t stage) {
  const auto p = static_cast<double>(s.pp);
  const auto in_flight = static_cast<double>(std::min(s.pp - stage, s.accumulation));
  const auto all = static_cast<double>(s.accumulation);
  switch (s.schedule) {
    case PipelineSchedule::gpipe:
      return all;
    case PipelineSchedule::one_f_one_b:
      return in_flight;
    case PipelineSchedule::interleaved: {
      // Korthikanti et al., section 4.2.3: (1 + (p-1)/(p m)) times as much as 1F1B.
      // No more than there are: a short step has all its micro-batches in flight either way.
      const double more = 1 + (p - 1) / (p * static_cast<double>(s.virtual_stages));
      return std::min(static_cast<double>(s.pp - stage) * more, all);
    }
  }
  return 1;
}

Bytes times(Bytes bytes, double factor) {
  return static_cast<Bytes>(std::llround(static_cast<double>(bytes) * factor));
}

class Step {
 public:
  Step(const Model& model, const TrainingSettings& settings, std::int64_t stage)
      : model_(model), s_(settings), blocks_(stage_blocks(model, settings.pp, stage)) {
    sequence_ = s_.sequence;
    tokens_ = s_.batch * s_.sequence;
    if (s_.objective == Objective::dpo || s_.objective == Objective::orpo) tokens_ *= 2;
    if (s_.objective == Objective::grpo) tokens_ *= s_.completions;
    if (s_.real_share < 1) tokens_ = std::max<std::int64_t>(times(tokens_, s_.real_share), 1);
    tokens_ = (tokens_ + s_.cp - 1) / s_.cp;
    rank_ = rank_parameters(model, s_, blocks_);
    held_ = micro_batches_held(s_, stage);
    measure();
  }

  [[nodiscard]] const RankParameters& rank() const { return rank_; }

  [[nodiscard]] std::vector<TrainingStage> stages() const {
    std::vector<TrainingStage> stages;
    const Bytes all = sum(kept_, kept_.size()) + ends_;
    const bool accumulates = (s_.accumulation > 1 && !in_backward()) || rank_.keeps_gradients;
    const Bytes carried = accumulates && rank_.unsharded_gradients == 0 ? rank_.gradients : 0;
    const bool sums = rank_.unsharded_gradients > 0;
    const Bytes carried_whole = accumulates ? rank_.unsharded_gradients : 0;
    if (needs_reference()) stages.push_back(reference(carried));
    stages.push_back(at(StageKind::forward, carried, all + outliving_, loss_.forward,
                        gathered(1) + carried_whole));
    stages.push_back(
        at(StageKind::loss, carried, all, loss_.backward, gathered(1) + carried_whole));
    Bytes gradients = rank_.head_gradients;
    for (std::size_t i = kept_.size(); i-- > 0;) {
      gradients += rank_.block_gradients[i];
      Bytes now = in_backward() ? rank_.largest_gradient
                                : std::max(carried, std::min(gradients, rank_.gradients));
      // Summed unsharded: what the blocks so far have, or all from the micro-batches before.
      Bytes summed = carried_whole;
      if (sums) {
        now = 0;
        const double done = static_cast<double>(kept_.size() - i);
        const auto blocks = static_cast<double>(kept_.size());
        summed = std::max(summed, times(rank_.unsharded_gradients, done / blocks));
      }
      TrainingStage stage = at(StageKind::backward, now, sum(kept_, i + 1), loss_.kept,
                               recomputed_[i] + gathered(2) + rank_.unit_gradients + summed);
      stage.block = static_cast<int>(blocks_.begin + i);
      // Copies that autocast made of the blocks that are done have gone with their graph.
      stage.parts[kWeights] += casts(recomputes() ? 1 : i + 1);
      stages.push_back(stage);
    }
    // The last gradient: that of the token table, from the gradient of its output.
    stages.push_back(at(StageKind::backward,
                        in_backward() ? rank_.largest_gradient : rank_.gradients, 0, loss_.kept,
                        embedded_));
    if (!in_backward()) {
      stages.push_back(at(StageKind::update, rank_.gradients, 0, loss_.kept, rank_.update));
    }
    if (s_.eval_batch > 0 && blocks_.last) stages.push_back(evaluation());
    return stages;
  }

 private:
  [[nodiscard]] bool in_backward() const {
    return s_.in_backward || s_.optimizer == Optimizer::lomo;
  }
  [[nodiscard]] bool trains(TensorRole role) const {
    const bool head = role == TensorRole::output_head;
    if (!s_.lora) return true;
    return s_.lora->save_embeddings || (head && (s_.lora->targets & kTargetHead) != 0);
  }
  [[nodiscard]] bool needs_reference() const {
    if (s_.objective == Objective::ppo) return true;
    const bool compares = s_.objective == Objective::dpo || s_.objective == Objective::kto ||
                          s_.objective == Objective::grpo;
    return compares && s_.reference_model;
  }

  void measure() {
    for (std::size_t il = blocks_.begin; il < blocks_.end; ++il) {
      const BlockShape shape = block_shape(model_, il);
      Bytes kept = kept_activations(shape, s_, tokens_, sequence_);
      const Bytes whole = saved_activations(shape, s_, tokens_, sequence_).total();
      if (il == 0)
        kept = std::max<Bytes>(kept - first_block_saves_less(shape, s_, tokens_, sequence_), 0);
      const Bytes expanded = rank_.expanded[il - blocks_.begin];
      kept_.push_back(times(kept, held_) + (recomputes() ? 0 : expanded));
      recomputed_.push_back(recomputes() ? std::max<Bytes>(whole - kept, 0) + expanded : 0);
      if (s_.checkpointing == Checkpointing::offloaded) {
        rank_.host += times(tokens_ * residual_element(s_) * model_.n_embd, held_);
      }
      const Attention& a = model_.layers[il].attention;
      outliving_ += outliving_inputs(shape, s_, tokens_);
      rope_ = std::max(rope_, 2 * activation_element(s_) * sequence_ / s_.cp * a.head_dim_k);
      if (s_.cp > 1) {  // ring attention: the next K and V beside the present ones
        ring_ = std::max(ring_, 2 * activation_element(s_) * tokens_ * (shape.k + shape.v));
      }
      if (s_.ep > 1) {  // all-to-all: tokens sent and received, a copy for each expert they go to
        const Bytes copies = tokens_ * shape.n_expert_used * model_.n_embd;
        exchange_ = std::max(exchange_, 2 * activation_element(s_) * copies);
      }
    }
    const std::int64_t r = residual_element(s_);
    const std::int64_t e = activation_element(s_);
    if (s_.checkpointing == Checkpointing::offloaded && !kept_.empty()) {
      // Two blocks' inputs are on their way.
      offloading_ = 2 * tokens_ * r * model_.n_embd;
    }
    ends_ = rope_ + offloading_;
    if (s_.whole_mask) {
      ends_ +=
          activation_element(s_) * s_.batch * s_.sequence * ((s_.sequence + s_.cp - 1) / s_.cp);
    }
    const std::int64_t whole = s_.sequence_parallel ? s_.tp : 1;
    if (blocks_.last) {
      const std::int64_t norm = s_.fused_norm
                                    ? r * model_.n_embd + 4
                                    : 4 * model_.n_embd + 4 + (s_.lora ? 0 : r * model_.n_embd);
      const std::int64_t head = trains(TensorRole::output_head) ? e * model_.n_embd : 0;
      ends_ += tokens_ * (norm + head) / whole;
      loss_ = loss_bytes(s_, tokens_, (model_.n_vocab + s_.tp - 1) / s_.tp, model_.n_embd,
                         trains(TensorRole::output_head));
      cap_logits();
    }
    embedded_ = trains(TensorRole::embedding) ? tokens_ * r * model_.n_embd / whole : 0;
  }

  /// Capped logits (Gemma 2): tanh keeps its result, wherever logits exist as a whole.
  void cap_logits() {
    if (loss_.per_logit == 0 || model_.hparam("final_logit_softcapping", 0) == 0) return;
    const std::int64_t n_vocab = (model_.n_vocab + s_.tp - 1) / s_.tp;
    const Bytes capped = activation_element(s_) * tokens_ * n_vocab;
    loss_.forward += capped;
    loss_.backward += capped;
  }

  /// Units that sharding gathers: one block and its successor in backward, else one. The root
  /// (token table, head) stays beside them to the end of the step, or takes their place for the
  /// loss. A quantized base is expanded one matrix at a time.
  [[nodiscard]] Bytes gathered(Bytes units) const {
    const Bytes blocks = std::min<Bytes>(units, 2) * rank_.largest_unit;
    const Bytes beside = rank_.largest_dequantized + ring_ + exchange_;
    if (rank_.root_stays) return blocks + rank_.root_unit + beside;
    return units < 2 ? std::max(blocks + beside, rank_.root_unit) : blocks + beside;
  }

  [[nodiscard]] TrainingStage reference(Bytes carried) const {
    TrainingStage stage = at(StageKind::reference, carried, 0, 0, gathered(1));
    stage.parts[kLogits] = loss_.forward;  // no gradients: the logits alone
    return stage;
  }

  /// Between steps: no gradients, one block's activations at a time, whole logits.
  [[nodiscard]] TrainingStage evaluation() const {
    const std::int64_t tokens = (s_.eval_batch * s_.sequence + s_.cp - 1) / s_.cp;
    const std::int64_t n_vocab = (model_.n_vocab + s_.tp - 1) / s_.tp;
    const Bytes hidden = 2 * tokens * activation_element(s_) * model_.n_embd;
    return at(StageKind::evaluation, rank_.keeps_gradients ? rank_.gradients : 0, hidden,
              evaluation_logits(s_, tokens, n_vocab), gathered(1));
  }

  [[nodiscard]] TrainingStage at(StageKind kind, Bytes gradients, Bytes activations, Bytes logits,
                                 Bytes work) const {
    TrainingStage stage;
    stage.kind = kind;
    stage.parts[kWeights] = rank_.weights;
    if (kind == StageKind::forward) stage.parts[kWeights] += rank_.casts;
    // Its cache ends with the forward pass; what is recomputed keeps none of them.
    if (kind == StageKind::loss) stage.parts[kWeights] += recomputes() ? casts(1) : rank_.casts;
    stage.parts[kStates] = s_.paged ? 0 : rank_.states;
    stage.parts[kGradients] = gradients;
    stage.parts[kActivations] = activations;
    stage.parts[kLogits] = logits;
    stage.parts[kWork] = work;
    stage.parts[kBuckets] = rank_.buckets;
    stage.parts[kOthers] = other_models();
    return stage;
  }

  /// Frozen models beside the one that trains. A LoRA is its own reference with adapters off.
  [[nodiscard]] Bytes other_models() const {
    const std::int64_t n =
        s_.data_parallel == DataParallel::zero3 || s_.data_parallel == DataParallel::fsdp
            ? s_.shards()
            : 1;
    const Bytes frozen = (2 * rank_.parameters + n - 1) / n;
    Bytes bytes = needs_reference() && !s_.lora ? frozen : 0;
    if (s_.objective == Objective::ppo) {
      // Reward model, and a critic that trains as the policy does.
      bytes += frozen + rank_.weights + rank_.gradients + rank_.states;
    }
    return bytes;
  }

  [[nodiscard]] bool recomputes() const { return s_.checkpointing != Checkpointing::none; }
  /// Autocast's 16-bit copies of `blocks` blocks, the head as one.
  [[nodiscard]] Bytes casts(std::size_t blocks) const {
    const auto all = static_cast<double>(kept_.size() + 1);
    return times(rank_.casts, static_cast<double>(blocks) / all);
  }
  static Bytes sum(const std::vector<Bytes>& values, std::size_t count) {
    return std::accumulate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count),
                           Bytes{0});
  }

  const Model& model_;
  const TrainingSettings& s_;
  StageBlocks blocks_;
  std::int64_t sequence_ = 0;
  std::int64_t tokens_ = 0;
  RankParameters rank_;
  double held_ = 1;
  std::vector<Bytes> kept_;
  std::vector<Bytes> recomputed_;
  Bytes rope_ = 0;
  Bytes ring_ = 0;
  Bytes exchange_ = 0;
  Bytes offloading_ = 0;
  Bytes outliving_ = 0;
  Bytes ends_ = 0;  // outside the blocks: rotary tables, final norm, input of the head
  Bytes embedded_ = 0;
  LossBytes loss_;
};

std::size_t largest(const std::vector<TrainingStage>& stages) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < stages.size(); ++i) {
    if (stages[i].total() > stages[best].total()) best = i;
  }
  return best;
}

// Reserved over allocated. Weights and states lie in segments of their size: 1 % (torchtune's
// Llama 3.2 3B: 6.27 over 6.21 GiB). What comes and goes leaves gaps: 1.01 to 1.25 of the whole
// were seen, where the high end were runs with little else (FSDP QLoRA, XTuner).
constexpr double kSlackFixed = 0.01;
constexpr double kSlackMoving = 0.05;
constexpr double kSlackHigh = 0.25;

Bytes fixed_part(const TrainingStage& stage) {
  return stage.parts[kWeights] + stage.parts[kStates] + stage.parts[kBuckets] +
         stage.parts[kOthers];
}

/// What the allocator holds beyond the peak.
Bytes slack_of(const TrainingEstimate& e, const TrainingSettings& s) {
  const TrainingStage& peak = e.stages[e.peak];
  const Bytes fixed = fixed_part(peak);
  // Segments that grow leave next to no gaps (training.md, section 8).
  constexpr double kExpandable = 0.02;
  if (s.expandable_segments) return times(peak.total(), kExpandable);
  return times(fixed, kSlackFixed) + times(peak.total() - fixed, kSlackMoving);
}

/// CUDA's context and what PyTorch loads, then communicators (overhead.md, sections 2, 7 and 10:
/// 0.55 GiB on data center cards, 0.15 on others).
void add_context(TrainingEstimate& e, const TrainingSettings& s) {
  for (const Term& term : pytorch_context_terms({"gpu0", s.n_sm, s.threads_per_sm})) {
    e.context += term.bytes;
    e.context_low += term.low;
    e.context_high += term.high;
  }
  if (s.n_gpus() == 1) return;
  constexpr int kDataCenter = 2048;  // threads a multiprocessor holds
  const Bytes likely = s.n_sm == 0                       ? 350 * kMiB
                       : s.threads_per_sm == kDataCenter ? 550 * kMiB
                                                         : 150 * kMiB;
  e.context += likely;
  e.context_low += 100 * kMiB;
  e.context_high += 2100 * kMiB;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, kTrainingParts> kPartNames = {{
    {"weights", "Korthikanti 2022; DeepSpeed; PEFT utils/other.py"},
    {"optimizer_states", "torch.optim; bitsandbytes optim/optimizer.py; arXiv 1910.02054"},
    {"gradients", "torch.autograd; arXiv 1910.02054"},
    {"activations", "torch.autograd.graph.saved_tensors_hooks; arXiv 2205.05198"},
    {"logits", "transformers loss_utils.py; arXiv 2410.10989; arXiv 2411.09009"},
    {"work_buffers", "torch.utils.checkpoint; FSDP; bitsandbytes"},
    {"buckets", "DDP Reducer; DeepSpeed runtime/zero/config.py"},
    {"other_models", "TRL"},
}};

Formula part_formula(std::size_t part, const TrainingEstimate& e, const TrainingSettings& s) {
  const auto tokens = static_cast<double>(s.batch * s.sequence);
  const auto shards = static_cast<double>(s.shards());
  const std::vector<FormulaInput> counts = {{"P", static_cast<double>(e.parameters), ""},
                                            {"P_trained", static_cast<double>(e.trained), ""},
                                            {"N", shards, ""}};
  switch (part) {
    case kWeights:
      return {"sum over tensors: elements x bytes (/ N when sharded)", counts};
    case kStates:
      return {"sum over trained tensors: states x bytes (/ N when sharded)", counts};
    case kGradients:
      return {"trained elements x bytes, of the blocks done so far", counts};
    case kActivations:
      return {"sum over blocks: T x saved bytes per token",
              {{"T", tokens, ""},
               {"batch", static_cast<double>(s.batch), ""},
               {"sequence", static_cast<double>(s.sequence), ""}}};
    case kLogits:
      return {"T x n_vocab x bytes per logit", {{"T", tokens, ""}}};
    default:
      return {"see stage", {{"T", tokens, ""}, {"N", shards, ""}}};
  }
}

}  // namespace

std::string_view stage_name(StageKind kind) {
  constexpr std::string_view kNames[] = {"reference", "forward", "loss",
                                         "backward",  "update",  "evaluation"};
  return kNames[static_cast<std::size_t>(kind)];
}

Bytes TrainingStage::total() const {
  return std::accumulate(parts.begin(), parts.end(), Bytes{0});
}

Result<TrainingEstimate> estimate_training(const Model& model, const TrainingSettings& settings) {
  if (auto error = check_training(model, settings)) return *error;
  TrainingEstimate best;
  // Stages differ: the first holds most micro-batches and the token table, the last the logits.
  std::vector<Bytes> peaks;
  for (std::int64_t stage = 0; stage < settings.pp; ++stage) {
    const Step step(model, settings, stage);
    TrainingEstimate estimate;
    estimate.stages = step.stages();
    estimate.peak = largest(estimate.stages);
    estimate.rank = step.rank();
    estimate.rank_stage = stage;
    estimate.parameters = estimate.rank.parameters;
    peaks.push_back(estimate.peak_bytes());
    if (best.stages.empty() || estimate.peak_bytes() > best.peak_bytes())
      best = std::move(estimate);
  }
  best.stage_peaks = std::move(peaks);
  best.trained = trained_parameters(model, settings);
  best.slack = slack_of(best, settings);
  best.slack_high = std::max(best.slack, times(best.peak_bytes(), kSlackHigh));
  add_context(best, settings);
  return best;
}

std::vector<Term> training_terms(const TrainingEstimate& estimate, const TrainingSettings& settings,
                                 std::size_t stage, MemoryCounter counter) {
  std::vector<Term> terms;
  const TrainingStage& at = estimate.stages[std::min(stage, estimate.stages.size() - 1)];
  for (std::size_t i = 0; i < kTrainingParts; ++i) {
    if (at.parts[i] == 0) continue;
    const Evidence evidence = i == kBuckets || i == kOthers ? Evidence::assumed : Evidence::derived;
    terms.push_back(exact_term(std::string(kPartNames[i].first), "gpu0", at.parts[i],
                               part_formula(i, estimate, settings), evidence,
                               std::string(kPartNames[i].second)));
  }
  if (settings.paged && estimate.rank.states > 0) {
    // Pages that leave when memory is short: none of them has to be here at the peak.
    terms.push_back({std::string(kPartNames[kStates].first), "gpu0", 0, 0, estimate.rank.states,
                     part_formula(kStates, estimate, settings), Evidence::derived,
                     std::string(kPartNames[kStates].second)});
  }
  if (counter != MemoryCounter::allocated) {
    terms.push_back(
        {"allocator_slack",
         "gpu0",
         estimate.slack,
         0,
         estimate.slack_high,
         {settings.expandable_segments ? "0.02 x allocated (0 to 0.25)"
                                       : "0.01 x fixed + 0.05 x moving (0 to 0.25 x allocated)",
          {{"allocated", to_gib(estimate.peak_bytes()), "GiB"}}},
         Evidence::measured,
         "torchtune, LitGPT, FSDP QLoRA: reserved / allocated"});
  }
  if (counter == MemoryCounter::nvidia_smi) {
    terms.push_back({"cuda_context",
                     "gpu0",
                     estimate.context,
                     estimate.context_low,
                     estimate.context_high,
                     {"context + kernels (+ NCCL)", {}},
                     Evidence::measured,
                     "overhead.csv: readings of 13 cards, PyTorch and NCCL"});
  }
  const auto beside = [&](const char* id, const char* device, Bytes bytes, const char* source) {
    if (bytes == 0) return;
    terms.push_back(exact_term(id, device, bytes, {"states + gradients + weights moved", {}},
                               Evidence::derived, source));
  };
  const Bytes pages = settings.paged ? estimate.rank.states : 0;
  beside("offloaded", "host", (estimate.rank.host + pages) * settings.n_gpus(), "arXiv 2101.06840");
  beside("offloaded", "disk", estimate.rank.nvme * settings.n_gpus(), "arXiv 2104.07857");
  return terms;
}

Bytes counted_bytes(const TrainingEstimate& estimate, MemoryCounter counter) {
  Bytes bytes = estimate.peak_bytes();
  if (counter != MemoryCounter::allocated) bytes += estimate.slack;
  if (counter == MemoryCounter::nvidia_smi) {
    bytes += estimate.context;
  }
  return bytes;
}

}  // namespace meyasu
