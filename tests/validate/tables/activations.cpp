// activations.csv: bytes that autograd keeps of one block, by its sizes and the training settings.
#include "core/training/activations.hpp"

#include <string>
#include <string_view>

#include "tests/validate/tables/tables.hpp"
#include "tests/validate/tables/training_words.hpp"

namespace validate {
namespace activations {
namespace {

using namespace meyasu;

BlockShape shape_of(const CsvRow& row) {
  BlockShape shape;
  shape.gpt = row["arch"] == "gpt";
  shape.gated = !shape.gpt;
  shape.n_embd = row.integer("h");
  shape.n_ff = row.integer("ffn");
  shape.n_head = row.integer("n_heads");
  shape.n_head_kv = row.integer("n_kv");
  shape.q = shape.n_head * row.integer("head_dim");
  shape.k = shape.n_head_kv * row.integer("head_dim");
  shape.v = shape.k;
  shape.out = shape.q;
  shape.n_expert = row.integer("n_experts");
  shape.n_expert_used = row.integer("top_k");
  shape.n_ff_exp = shape.n_expert > 0 ? shape.n_ff : 0;
  shape.qk_norm = row.integer("qk_norm") != 0;
  shape.n_norm = row.integer("sandwich_norm") != 0 ? 4 : 2;
  return shape;
}

TrainingSettings settings_of(const CsvRow& row) {
  TrainingSettings s;
  const bool autocast = row.integer("autocast") != 0;
  if (row["dtype"] == "fp32") {
    s.precision = autocast ? TrainingPrecision::autocast : TrainingPrecision::fp32;
  } else {
    s.precision = TrainingPrecision::bf16;
  }
  s.fused_norm = row["norm"] == "fused";
  s.fused_mlp = row["mlp"] == "fused";
  s.flash_attention = row["attn"] != "eager";
  s.repeat_kv = row.integer("repeat_kv") != 0;
  s.dropout = row.number("dropout");
  s.checkpointing = row.integer("checkpoint") != 0 ? Checkpointing::full : Checkpointing::none;
  if (row["train"] == "lora") {
    LoraSettings lora;
    lora.targets = lora_targets(row["lora_targets"]);
    lora.rank = row.integer("lora_r");
    lora.fp32_adapters = row["lora_dtype"] == "fp32";
    lora.dropout = row.number("lora_dropout");
    lora.autocast = autocast;
    s.lora = lora;
  }
  return s;
}

/// 16-bit copies of the block's linears that autocast keeps until backward.
Bytes weight_copies(const BlockShape& shape, const TrainingSettings& s, bool autocast) {
  if (!autocast) return 0;
  const std::int64_t h = shape.n_embd;
  if (!s.lora) {
    const std::int64_t mlp = (shape.gated ? 3 : 2) * h * shape.n_ff;
    return 2 * (h * (shape.q + shape.k + shape.v + shape.out) + mlp);
  }
  if (!s.lora->fp32_adapters) return 0;
  const struct {
    unsigned target;
    std::int64_t widths;
  } modules[] = {{kTargetQ, h + shape.q},       {kTargetK, h + shape.k},
                 {kTargetV, h + shape.v},       {kTargetO, shape.out + h},
                 {kTargetGate, h + shape.n_ff}, {kTargetUp, h + shape.n_ff},
                 {kTargetDown, shape.n_ff + h}};
  std::int64_t elements = 0;
  for (const auto& module : modules) {
    if ((s.lora->targets & module.target) != 0) elements += s.lora->rank * module.widths;
  }
  return 2 * elements;
}

bool recognises(const CsvTable& table) {
  return table.has_column("saved_bytes_per_layer");
}

Evaluation evaluate(const CsvTable& table, ModelStore&) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    const std::string id = "line " + std::to_string(i + 2);
    const BlockShape shape = shape_of(row);
    const TrainingSettings s = settings_of(row);
    const std::int64_t sequence = row.integer("s");
    const Bytes bytes = kept_activations(shape, s, row.integer("b") * sequence, sequence);
    ++evaluation.estimated;
    const auto compare = [&](const char* component, Bytes estimate, std::string_view column) {
      const double measured = row.number(column);
      evaluation.comparisons.push_back(
          {id, component, std::string(row["model"]), s.lora ? "frozen base" : "full",
           static_cast<double>(estimate), measured,
           relative_error(static_cast<double>(estimate), measured), std::string(row["arch"])});
    };
    compare("saved_per_layer", bytes, "saved_bytes_per_layer");
    compare("weight_copy_per_layer", weight_copies(shape, s, row.integer("autocast") != 0),
            "weight_copy_bytes_per_layer");
  }
  return evaluation;
}

}  // namespace
}  // namespace activations

const TableEvaluator kActivations = {"activations", activations::recognises, activations::evaluate};

}  // namespace validate
