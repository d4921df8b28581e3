#include "core/training/settings.hpp"

#include <algorithm>
#include <string>

namespace meyasu {
namespace {

// Far above any run, and small enough that no product of counts leaves int64.
constexpr std::int64_t kMostRanks = 1 << 20;
constexpr std::int64_t kMostTokens = 1 << 26;

struct Count {
  const char* field;
  std::int64_t value;
  std::int64_t most;
};

std::optional<Error> check_counts(const TrainingSettings& s) {
  const Count counts[] = {{"batch", s.batch, 1 << 20},
                          {"sequence", s.sequence, kMostTokens},
                          {"accumulation", s.accumulation, kMostRanks},
                          {"loss_chunks", s.loss_chunks, kMostRanks},
                          {"dp", s.dp, kMostRanks},
                          {"tp", s.tp, 1024},
                          {"pp", s.pp, 1024},
                          {"cp", s.cp, 1024},
                          {"ep", s.ep, kMostRanks},
                          {"virtual_stages", s.virtual_stages, 1024},
                          {"completions", s.completions, 4096},
                          {"galore_rank", s.galore_rank, 1 << 20}};
  for (const Count& count : counts) {
    if (count.value < 1) return Error{"not_positive", count.field, std::to_string(count.value)};
    if (count.value > count.most) return Error{"too_large", count.field, {}};
  }
  // What an answer is worth is told by the others to the same prompt.
  if (s.objective == Objective::grpo && s.completions < 2) {
    return Error{"grpo_completions", "completions", {}};
  }
  if (s.batch * s.sequence > kMostTokens) return Error{"too_large", "batch", {}};
  if (!(s.dropout >= 0 && s.dropout < 1)) return Error{"not_fraction", "dropout", {}};
  if (!(s.real_share > 0 && s.real_share <= 1)) return Error{"not_fraction", "real_share", {}};
  if (s.eval_batch < 0) return Error{"not_positive", "eval_batch", std::to_string(s.eval_batch)};
  if (s.eval_batch > (1 << 20)) return Error{"too_large", "eval_batch", {}};
  if (s.deepspeed_bucket < 1) return Error{"not_positive", "deepspeed_bucket", {}};
  if (s.deepspeed_bucket > (std::int64_t{1} << 40)) {
    return Error{"too_large", "deepspeed_bucket", {}};
  }
  if (!(s.rollout_share >= 0 && s.rollout_share < 1)) {
    return Error{"not_fraction", "rollout_share", {}};
  }
  return std::nullopt;
}

std::optional<Error> check_lora(const Model& model, const LoraSettings& lora) {
  if (lora.rank < 1 || lora.rank > model.n_embd) {
    return Error{"lora_rank", "rank", std::to_string(model.n_embd)};
  }
  if (lora.targets == 0) return Error{"no_targets", "targets", {}};
  if (!(lora.dropout >= 0 && lora.dropout < 1)) return Error{"not_fraction", "lora_dropout", {}};
  return std::nullopt;
}

std::optional<Error> check_parallel(const Model& model, const TrainingSettings& s) {
  std::int64_t n_expert = 0;
  for (const Layer& layer : model.layers) {
    const std::int64_t heads = layer.attention.n_head;
    if (layer.kind == LayerKind::attention && heads > 0 && heads % s.tp != 0) {
      return Error{"tp_heads", "tp", std::to_string(heads) + "/" + std::to_string(s.tp)};
    }
    n_expert = std::max(n_expert, layer.feed_forward.n_expert);
  }
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  if (s.pp > n_layer) return Error{"pp_layers", "pp", std::to_string(n_layer)};
  if (s.ep > 1 && (n_expert == 0 || n_expert % s.ep != 0)) {
    return Error{"ep_experts", "ep", std::to_string(n_expert)};
  }
  if (s.shard_group < 0 || (s.shard_group > 0 && s.dp % s.shard_group != 0)) {
    return Error{"shard_group", "shard_group", std::to_string(s.dp)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> check_training(const Model& model, const TrainingSettings& s) {
  if (model.tensors.empty() || model.layers.empty()) return Error{"no_tensors", "model", {}};
  if (auto error = check_counts(s)) return error;
  if (s.lora) {
    if (auto error = check_lora(model, *s.lora)) return error;
  }
  if (auto error = check_parallel(model, s)) return error;
  if (model.n_ctx_train > 0 && s.sequence > model.n_ctx_train) {
    return Error{"ctx_over", "sequence", std::to_string(model.n_ctx_train)};
  }
  const bool in_backward = s.in_backward || s.optimizer == Optimizer::lomo;
  if (in_backward && s.data_parallel == DataParallel::zero3 && s.dp > 1) {
    return Error{"in_backward_zero3", "in_backward", {}};
  }
  if (in_backward && s.accumulation > 1)
    return Error{"in_backward_accumulation", "in_backward", {}};
  return std::nullopt;
}

}  // namespace meyasu
