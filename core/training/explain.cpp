#include "core/training/explain.hpp"

#include <algorithm>
#include <string_view>

#include "core/training/activations.hpp"

namespace meyasu {
namespace {

double ratio(Bytes bytes, double count) {
  return count > 0 ? static_cast<double>(bytes) / count : 0;
}

double count_of(std::int64_t value) {
  return static_cast<double>(value);
}

class Explainer {
 public:
  Explainer(const Model& model, const TrainingEstimate& estimate, const TrainingSettings& settings,
            const TrainingStage& stage)
      : model_(model), e_(estimate), s_(settings), stage_(stage) {
    std::int64_t tokens = s_.batch * s_.sequence;
    if (s_.objective == Objective::dpo || s_.objective == Objective::orpo) tokens *= 2;
    if (s_.objective == Objective::grpo) tokens *= s_.completions;
    if (stage.kind == StageKind::evaluation) tokens = s_.eval_batch * s_.sequence;
    tokens_ = (tokens + s_.cp - 1) / s_.cp;
  }

  [[nodiscard]] Formula formula(std::string_view id, const Formula& otherwise) const {
    if (id == "weights") return weights();
    if (id == "optimizer_states") return states();
    if (id == "gradients") return gradients();
    if (id == "activations") return activations();
    if (id == "logits") return logits();
    if (id == "work_buffers") return work();
    return otherwise;
  }

 private:
  /// The ranks that really share it: what lies on this one is 1 / N of the whole.
  [[nodiscard]] double shards(DataParallel from) const {
    return s_.data_parallel >= from ? count_of(s_.shards()) : 1;
  }

  [[nodiscard]] Formula weights() const {
    const Bytes bytes = stage_.parts[kWeights];
    const Bytes casts = stage_.kind == StageKind::update ? 0 : e_.rank.casts;
    const double n = shards(DataParallel::zero3);
    const double p = count_of(e_.parameters);
    Formula formula{
        "P x bytes_per_parameter / N",
        {{"P", p, ""}, {"bytes_per_parameter", ratio(bytes - casts, p / n), ""}, {"N", n, ""}}};
    if (casts > 0) {
      formula.expression += " + casts";
      formula.inputs.push_back({"casts", to_gib(casts), "GiB"});
    }
    return formula;
  }

  [[nodiscard]] Formula states() const {
    const double n = shards(DataParallel::zero1);
    const double trained = count_of(e_.rank.trained);
    return {"P_trained x bytes_per_parameter / N",
            {{"P_trained", trained, ""},
             {"bytes_per_parameter", ratio(e_.rank.states, trained / n), ""},
             {"N", n, ""}}};
  }

  [[nodiscard]] Formula gradients() const {
    const double n = shards(DataParallel::zero2);
    const double trained = count_of(e_.rank.trained);
    const Bytes whole = e_.rank.gradients;
    return {"P_trained x bytes_per_parameter / N x share_done",
            {{"P_trained", trained, ""},
             {"bytes_per_parameter", ratio(whole, trained / n), ""},
             {"N", n, ""},
             {"share_done", ratio(stage_.parts[kGradients], count_of(whole)), ""}}};
  }

  [[nodiscard]] Formula activations() const {
    // The second block is like the others; the first saves less where the base is frozen.
    const std::size_t il = std::min<std::size_t>(1, model_.layers.size() - 1);
    const BlockShape shape = block_shape(model_, il);
    const auto saved = saved_activations(shape, s_, tokens_, s_.sequence);
    const Bytes kept = kept_activations(shape, s_, tokens_, s_.sequence);
    const double t = count_of(tokens_);
    Formula formula{"T x blocks x kept_per_token + ends",
                    {{"T", t, ""}, {"kept_per_token", ratio(kept, t), "B"}}};
    const auto add = [&](const char* name, Bytes bytes) {
      if (bytes > 0) formula.inputs.push_back({name, ratio(bytes, t), "B"});
    };
    if (s_.checkpointing == Checkpointing::none || s_.checkpointing == Checkpointing::selective) {
      add("norms_per_token", saved.norms);
      add("attention_per_token", saved.attention);
      if (s_.checkpointing == Checkpointing::none) add("scores_per_token", saved.scores);
      add("feed_forward_per_token", saved.feed_forward);
      add("adapters_per_token", saved.adapters);
    }
    const double blocks = kept > 0
                              ? std::min(ratio(stage_.parts[kActivations], count_of(kept)),
                                         count_of(static_cast<std::int64_t>(model_.layers.size())))
                              : 0;
    const auto whole = static_cast<std::int64_t>(blocks);
    formula.inputs.push_back({"blocks", count_of(whole), ""});
    formula.inputs.push_back({"ends", to_gib(stage_.parts[kActivations] - whole * kept), "GiB"});
    return formula;
  }

  [[nodiscard]] Formula logits() const {
    const double t = count_of(tokens_);
    const double v = count_of((model_.n_vocab + s_.tp - 1) / s_.tp);
    return {"T x n_vocab x bytes_per_logit",
            {{"T", t, ""},
             {"n_vocab", v, ""},
             {"bytes_per_logit", ratio(stage_.parts[kLogits], t * v), "B"}}};
  }

  [[nodiscard]] Formula work() const {
    const RankParameters& r = e_.rank;
    if (stage_.kind == StageKind::update) {
      return {"temporary of the update", {{"temporary", to_gib(stage_.parts[kWork]), "GiB"}}};
    }
    const bool backward = stage_.kind == StageKind::backward;
    const Bytes gathered =
        (backward ? 2 * r.largest_unit + r.unit_gradients : r.largest_unit) + r.root_unit;
    const Bytes rest = std::max<Bytes>(stage_.parts[kWork] - gathered - r.largest_dequantized, 0);
    Formula formula{"gathered + dequantized + recomputed",
                    {{"gathered", to_gib(std::min(gathered, stage_.parts[kWork])), "GiB"},
                     {"dequantized", to_gib(r.largest_dequantized), "GiB"},
                     {"recomputed", to_gib(rest), "GiB"}}};
    return formula;
  }

  const Model& model_;
  const TrainingEstimate& e_;
  const TrainingSettings& s_;
  const TrainingStage& stage_;
  std::int64_t tokens_ = 0;
};

}  // namespace

std::vector<Term> explained_training_terms(const Model& model, const TrainingEstimate& estimate,
                                           const TrainingSettings& settings, std::size_t stage,
                                           MemoryCounter counter) {
  std::vector<Term> terms = training_terms(estimate, settings, stage, counter);
  const TrainingStage& at = estimate.stages[std::min(stage, estimate.stages.size() - 1)];
  const Explainer explainer(model, estimate, settings, at);
  for (Term& term : terms) term.formula = explainer.formula(term.id, term.formula);
  return terms;
}

}  // namespace meyasu
