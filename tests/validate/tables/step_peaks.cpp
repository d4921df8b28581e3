// step_peaks.csv: an allocator's trace of whole training steps of small Llama models.
#include <algorithm>
#include <string>

#include "core/model/derive_tensors.hpp"
#include "core/training/timeline.hpp"
#include "tests/validate/tables/tables.hpp"
#include "tests/validate/tables/training_words.hpp"

namespace validate {
namespace step_peaks {
namespace {

using namespace meyasu;

Architecture architecture_of_row(const CsvRow& row) {
  Architecture a = family_defaults("llama");
  a.n_layer = row.integer("layers");
  a.n_embd = row.integer("h");
  a.n_vocab = row.integer("vocab");
  a.n_ctx_train = 0;
  a.n_head = row.integer("n_heads");
  a.n_head_kv = row.integer("n_kv");
  a.head_dim = a.n_embd / std::max<std::int64_t>(a.n_head, 1);
  a.n_ff = row.integer("ffn");
  a.tied_embeddings = row.integer("tied") != 0;
  complete_family(a);
  return a;
}

TrainingSettings settings_of(const CsvRow& row) {
  TrainingSettings s;
  s.precision = row["dtype"] == "fp32" ? TrainingPrecision::fp32 : TrainingPrecision::bf16;
  s.update = row.integer("foreach") != 0 ? UpdateKind::foreach_torch_2_0 : UpdateKind::for_loop;
  s.batch = row.integer("b");
  s.sequence = row.integer("s");
  s.flash_attention = row["attn"] != "eager";
  s.repeat_kv = !s.flash_attention;
  s.fused_norm = row["norm"] == "fused";
  s.fused_mlp = row["mlp"] == "fused";
  s.checkpointing = row.integer("checkpoint") != 0 ? Checkpointing::full : Checkpointing::none;
  const std::string_view loss = row["loss"];
  s.loss = loss == "native"           ? LossPath::native
           : loss == "dropped_logits" ? LossPath::dropped
           : loss == "hf_old"         ? LossPath::hf_old
                                      : LossPath::hf;
  const std::string_view optimizer = row["optimizer"];
  s.optimizer = optimizer == "sgd" ? Optimizer::sgd : Optimizer::adamw;
  if (row["train"] == "lora") {
    LoraSettings lora;
    lora.targets = lora_targets(row["lora_targets"]);
    lora.rank = row.integer("lora_r");
    lora.fp32_adapters = false;
    s.lora = lora;
  }
  return s;
}

bool recognises(const CsvTable& table) {
  return table.has_column("bwd_peak_over_base");
}

Bytes over_base(const TrainingEstimate& e, bool backward) {
  Bytes most = 0;
  for (const TrainingStage& stage : e.stages) {
    if (stage.kind == StageKind::update || (!backward && stage.kind != StageKind::forward))
      continue;
    most = std::max(most, stage.total() - stage.parts[kWeights] - stage.parts[kStates]);
  }
  return most;
}

Evaluation evaluate(const CsvTable& table, ModelStore&) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    const std::string id = "line " + std::to_string(i + 2);
    const auto model = derive_model(architecture_of_row(row));
    if (!model) {
      evaluation.unsupported.push_back({id, "step", {}, "sizes outside of what is derived"});
      continue;
    }
    const auto estimate = estimate_training(model.value(), settings_of(row));
    if (!estimate) {
      evaluation.unsupported.push_back({id, "step", {}, estimate.error().code});
      continue;
    }
    ++evaluation.estimated;
    const TrainingEstimate& e = estimate.value();
    const auto compare = [&](const char* component, Bytes bytes, std::string_view column) {
      const double measured = row.number(column);
      const auto value = static_cast<double>(bytes);
      evaluation.comparisons.push_back(
          {id, component, std::string(row["case"]), std::string(row["dtype"]), value, measured,
           relative_error(value, measured), std::string(stage_name(e.stages[e.peak].kind))});
    };
    compare("peak_total", e.peak_bytes(), "peak_total");
    compare("backward_peak", over_base(e, true), "bwd_peak_over_base");
    compare("forward_peak", over_base(e, false), "fwd_peak");
    compare("weights", e.rank.weights, "params_bytes");
    compare("gradients", e.rank.gradients, "grad_bytes");
    compare("states", e.rank.states, "state_bytes");
  }
  return evaluation;
}

}  // namespace
}  // namespace step_peaks

const TableEvaluator kStepPeaks = {"step_peaks", step_peaks::recognises, step_peaks::evaluate};

}  // namespace validate
