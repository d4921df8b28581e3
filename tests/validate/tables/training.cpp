// training.csv: what people measured or published about whole runs. A row is read by its words
// (recipe, precision, parallelism); one that leaves out what decides the bytes is listed with the
// missing word.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "core/hardware/search.hpp"
#include "core/training/activations.hpp"
#include "core/training/model_states.hpp"
#include "core/training/timeline.hpp"
#include "tests/validate/tables/tables.hpp"
#include "tests/validate/tables/training_words.hpp"

namespace validate {
namespace training {
namespace {

using namespace meyasu;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& at : result) {
    if (at >= 'A' && at <= 'Z') at = static_cast<char>(at - 'A' + 'a');
  }
  return result;
}

bool recognises(const CsvTable& table) {
  return table.has_column("checkpointing") && table.has_column("parallelism") &&
         !table.has_column("saved_bytes_per_layer") && [&] {
           for (std::size_t i = 0; i < table.size(); ++i) {
             if (table.field(i, "method") == "serve") return false;
           }
           return true;
         }();
}

struct Answer {
  std::optional<double> bytes;
  std::string reason;
  std::string terms;
};

Answer none(std::string reason) {
  return {std::nullopt, std::move(reason), {}};
}

double unit_bytes(std::string_view unit) {
  if (unit == "GiB") return static_cast<double>(kGiB);
  if (unit == "MiB") return static_cast<double>(kMiB);
  if (unit == "MB") return 1e6;
  return unit == "B" ? 1 : 1e9;
}

DataParallel zero_of(const std::string& parallel) {
  if (contains(parallel, "zero-3") || contains(parallel, "zero3")) return DataParallel::zero3;
  if (contains(parallel, "zero-2") || contains(parallel, "zero2")) return DataParallel::zero2;
  if (contains(parallel, "zero-1") || contains(parallel, "zero1")) return DataParallel::zero1;
  return contains(parallel, "fsdp") ? DataParallel::fsdp : DataParallel::ddp;
}

/// T5 3B, which the estimator's page prints in millions: shared embedding 32128 x 1024, 24 + 24
/// blocks with 4 x 1024 x 4096 per attention and 2 x 1024 x 16384 per MLP, norms, position biases.
constexpr double kT5Embedding = 32128.0 * 1024;
constexpr double kT5Parameters = 2851598336;

/// Tables of model states by a parameter count.
Answer states_answer(const CsvRow& row) {
  const std::string parallel = lower(row["parallelism"]);
  const bool t5 = row["model"] == "t5-3b";
  const double p = t5 ? kT5Parameters : row.number("params");
  const std::int64_t n = std::max<std::int64_t>(row.integer("n_gpus", 1), 1);
  if (p <= 0) return none("the row gives no parameter count");
  if (!contains(row["framework"], "DeepSpeed")) {
    return {zero_model_states(p, n, zero_of(parallel)), {}, "ZeRO, K = 12"};
  }
  const StateOffload offload = contains(parallel, "offload both")
                                   ? StateOffload::optimizer_and_weights
                               : contains(parallel, "offload") ? StateOffload::optimizer
                                                               : StateOffload::none;
  const double largest = t5 ? kT5Embedding : number_after(row["note"], "largest layer ", 0) * 1e6;
  const DeepSpeedStates states = deepspeed_model_states(p, largest, n, zero_of(parallel), offload,
                                                        contains(parallel, "zero_init=1"));
  return {contains(row["component"], "cpu") ? states.cpu : states.gpu, {}, "DeepSpeed's estimator"};
}

/// Shapes that papers train and no catalog lists: Korthikanti et al., Table 3.
std::optional<BlockShape> paper_shape(std::string_view name) {
  BlockShape shape;
  shape.gpt = true;
  shape.gated = false;
  if (contains(name, "175B")) {
    shape.n_embd = 12288;
    shape.n_head = 96;
  } else if (name == "22B") {
    shape.n_embd = 6144;
    shape.n_head = 64;
  } else {
    return std::nullopt;
  }
  shape.n_head_kv = shape.n_head;
  shape.q = shape.k = shape.v = shape.out = shape.n_embd;
  shape.n_ff = 4 * shape.n_embd;
  return shape;
}

Answer paper_activations(const CsvRow& row) {
  const auto shape = paper_shape(row["model"]);
  if (!shape) return none("the shape is in no catalog");
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  s.flash_attention = false;
  s.dropout = 0.1;
  s.checkpointing = row["checkpointing"] == "full"        ? Checkpointing::full
                    : row["checkpointing"] == "selective" ? Checkpointing::selective
                                                          : Checkpointing::none;
  const std::int64_t sequence = row.integer("seq_len");
  const std::int64_t tokens = row.integer("batch", 1) * sequence;
  Bytes bytes = kept_activations(*shape, s, tokens, sequence);
  // The paper leaves out mean and variance of the norms and scalars.
  if (s.checkpointing != Checkpointing::full) bytes -= 16 * tokens + 8;
  return {static_cast<double>(bytes), {}, "arXiv 2205.05198, equations 1 to 6"};
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str()) {
    const double inside = number_after(text, "<= ", 0);  // "<= 768 (padded per batch)"
    if (inside <= 0) return std::nullopt;
    return static_cast<std::int64_t>(inside);
  }
  return static_cast<std::int64_t>(number);
}

/// Parallel sizes: "FSDP8 TP8 PP8 CP2", "FSDP2 32", "zero3".
void read_parallelism(const CsvRow& row, TrainingSettings& s) {
  const std::string parallel = lower(row["parallelism"]);
  const std::int64_t n = std::max<std::int64_t>(row.integer("n_gpus", 1), 1);
  s.tp = static_cast<std::int64_t>(number_after(parallel, "tp", 1));
  s.pp = static_cast<std::int64_t>(number_after(parallel, "pp", 1));
  s.cp = static_cast<std::int64_t>(number_after(parallel, "cp", 1));
  s.dp = std::max<std::int64_t>(n / std::max<std::int64_t>(s.tp * s.pp * s.cp, 1), 1);
  if (contains(row["source"], "sequence_parallel")) {
    // ms-swift's sequence parallel: each GPU holds a part of every sequence.
    s.cp = n;
    s.dp = 1;
  }
  s.sequence_parallel = s.tp > 1;
  s.data_parallel = zero_of(parallel);
  s.deepspeed = contains(parallel, "zero");
  if (contains(parallel, "offload")) {
    s.offload = zero_of(parallel) == DataParallel::zero3 ? StateOffload::optimizer_and_weights
                                                         : StateOffload::optimizer;
  }
  if (s.pp > 1) {
    // torchtitan splits the batch into as many micro-batches as there are stages.
    s.accumulation = std::min(s.batch, s.pp);
    s.batch = std::max<std::int64_t>(s.batch / s.pp, 1);
    if (contains(parallel, "interleaved")) {
      s.schedule = PipelineSchedule::interleaved;
      s.virtual_stages = 2;
    }
  }
}

void read_optimizer(const CsvRow& row, TrainingSettings& s) {
  const std::string text = lower(row["optimizer"]);
  s.optimizer = contains(text, "8bit")   ? Optimizer::adamw_8bit
                : contains(text, "muon") ? Optimizer::muon
                                         : Optimizer::adamw;
  s.update = contains(row["note"], "torch 2.0") ? UpdateKind::foreach_torch_2_0
             : contains(text, "fused") || contains(row["framework"], "torchtune")
                 ? UpdateKind::fused
                 : UpdateKind::foreach_all;
  s.paged = contains(text, "paged");
  s.in_backward = contains(text, "bwd") || contains(text, "backward");
}

void read_checkpointing(const CsvRow& row, TrainingSettings& s) {
  const std::string text = lower(row["checkpointing"]);
  s.checkpointing = contains(text, "offload")     ? Checkpointing::offloaded
                    : contains(text, "selective") ? Checkpointing::selective_op
                    : contains(text, "full")      ? Checkpointing::full
                                                  : Checkpointing::none;
}

/// LitGPT: Fabric turns the logits into fp32, QKV is one matrix, grouped heads are repeated.
void read_litgpt(const CsvRow& row, const Model& model, TrainingSettings& s) {
  s.fused_qkv = s.repeat_kv = true;
  // Capped scores are computed without a fused kernel.
  if (model.hparam("attn_logit_softcapping", 0) != 0) s.flash_attention = false;
  s.flat_units = s.data_parallel == DataParallel::fsdp;
  s.no_sync = s.flat_units && (s.accumulation > 1 || contains(row["source"], "resource-tables"));
  if (!s.lora) return;
  s.loss = LossPath::chunked_fp32;
  LoraSettings& lora = *s.lora;
  lora.fp32_adapters = false;
  lora.dropout = 0.05;
  lora.merged_qkv = true;
  lora.quantized_head = lora.base != BaseFormat::bits16;
  // Its recipes fixed bitsandbytes to 0.41 and 0.42. They run the longest sample first (the tables
  // of 2023), or samples that all end at the longest length (config_hub).
  lora.base_keeps_inputs = lora.quantized_head;
  lora.base_inputs_outlive = lora.quantized_head && contains(row["source"], "config_hub");
}

/// What a recipe of LitGPT's config_hub fixes where the table beside it names only the machine.
void read_litgpt_recipe(const CsvRow& row, TrainingSettings& s) {
  // The tables of 2023 ran the longest sample as the first micro-batch of a step.
  if (contains(row["source"], "resource-tables")) return;
  struct Recipe {
    std::string_view model;
    std::int64_t devices, global_batch;
  };
  constexpr Recipe kFull[] = {{"phi-2", 2, 8},
                              {"stablelm-base-alpha-3b", 2, 8},
                              {"gemma-2b", 4, 16},
                              {"tiny-llama", 1, 32}};
  std::int64_t devices = s.lora ? 1 : s.dp;  // every LoRA recipe says devices: 1
  std::int64_t samples = 8;
  for (const Recipe& recipe : kFull) {
    if (s.lora || recipe.model != row["model"]) continue;
    devices = recipe.devices;
    samples = recipe.global_batch;
  }
  s.dp = devices;
  if (devices == 1) {  // no FSDP, and no checkpointing without it
    s.data_parallel = DataParallel::ddp;
    s.checkpointing = Checkpointing::none;
  }
  s.accumulation = std::max<std::int64_t>(samples / (devices * s.batch), 1);
}

/// Trainers of transformers run under autocast; DeepSpeed keeps fp32 master weights instead.
void read_transformers(const CsvRow& row, const Model& model, TrainingSettings& s) {
  const std::string framework = lower(row["framework"]);
  const std::string note = lower(row["note"]);
  const bool gptq = s.lora && s.lora->base == BaseFormat::gptq4;
  const bool qwen = contains(row["model"], "Qwen-");
  if (contains(framework, "deepspeed") && s.dp == 1) {
    // Qwen's scripts: full training on one GPU is ZeRO-3 too; GPTQ needs fp16, which DeepSpeed
    // does.
    if (!s.lora) s.data_parallel = DataParallel::zero3;
    if (gptq) s.data_parallel = DataParallel::zero2;
    s.deepspeed = !s.lora || gptq;
  }
  s.precision =
      s.deepspeed || s.dp > 1 ? TrainingPrecision::master_fp32 : TrainingPrecision::autocast;
  if (s.lora) s.lora->autocast = s.precision == TrainingPrecision::autocast;
  if (s.deepspeed) {
    // Their DeepSpeed files: "auto" is n_embd squared for ZeRO-3, else 2e8.
    s.deepspeed_bucket =
        s.data_parallel == DataParallel::zero3 ? model.n_embd * model.n_embd : 200'000'000;
  }
  if (qwen) {
    // Its own modeling code: the loss on a shifted copy; upcast unless DeepSpeed holds the model.
    const bool upcast = s.lora && !gptq;
    s.loss = upcast ? LossPath::hf_old : LossPath::native_shifted;
  }
  if (contains(framework, "swift")) {
    s.overlap_comm = false;
    // It loads weights in 16 bit, so that a run on one GPU keeps states in 16 bit.
    if (!s.lora && s.n_gpus() == 1) s.precision = TrainingPrecision::bf16;
    if (s.cp > 1) {
      // Its sequence parallel computes the loss 2048 tokens at a time (CELOSS_PARALLEL_SIZE).
      s.loss = LossPath::chunked;
      s.loss_chunks = std::max<std::int64_t>(s.batch * s.sequence / s.cp / 2048, 1);
    }
  }
  if (contains(note, "liger")) {
    s.loss = LossPath::linear;
    s.fused_norm = s.fused_mlp = true;
  }
}

/// Which words of each framework mean what: its own kernels, loss and types.
void read_framework(const CsvRow& row, const Model& model, TrainingSettings& s) {
  const std::string framework = lower(row["framework"]);
  const std::string note = lower(row["note"]);
  s.precision = TrainingPrecision::bf16;
  s.loss = LossPath::hf;
  const bool compiles = contains(note, "compile");
  s.fused_norm = s.fused_mlp = compiles;
  if (contains(framework, "torchtune")) {
    if (contains(note, "chunked ce")) s.loss = LossPath::chunked;
    if (contains(note, "recipe") || contains(note, "r=8") || contains(note, "unit printed")) {
      s.loss = LossPath::linear;
    }
    if (s.lora) s.lora->fp32_adapters = false;
  } else if (contains(framework, "litgpt")) {
    read_litgpt_recipe(row, s);
    read_litgpt(row, model, s);
  } else if (contains(framework, "peft")) {
    if (s.lora) s.lora->fp32_adapters = true;
  } else if (contains(framework, "fsdp1")) {
    s.precision = TrainingPrecision::fsdp_mixed;
    s.flat_units = true;
  } else if (contains(framework, "titan")) {
    s.precision = TrainingPrecision::fsdp_mixed;
    // torchtitan compiles the loss since 2025.
    s.loss = compiles && contains(row["source"], "2025") ? LossPath::native : LossPath::hf;
  } else {
    read_transformers(row, model, s);
  }
  if (lower(row["precision"]) == "fp32") s.precision = TrainingPrecision::fp32;
}

/// The card that the row names, for the size of CUDA's context.
void read_card(const CsvRow& row, TrainingSettings& s) {
  static const auto catalog = DeviceCatalog::built_in();
  if (!catalog || row["gpu"].empty()) return;
  const std::string text(row["gpu"].substr(0, row["gpu"].find('-')));  // "A100-80GB"
  const auto found = DeviceSearch(catalog.value()).find(text, 1);
  if (found.empty()) return;
  const Device& device = catalog.value().devices()[found.front()];
  s.n_sm = device.n_sm;
  s.threads_per_sm = device.threads_per_sm();
}

std::optional<LoraSettings> lora_of(const CsvRow& row) {
  const std::string method = lower(row["method"]);
  const std::string precision = lower(row["precision"]);
  if (!contains(method, "lora")) return std::nullopt;
  LoraSettings lora;
  const std::string note = lower(row["note"]);
  if (contains(row["framework"], "litgpt")) lora.rank = 8;  // its default; on Q and V
  const std::string& where = contains(method, "r=") || contains(method, "rank") ? method : note;
  lora.rank = static_cast<std::int64_t>(
      number_after(where, "r=", number_after(where, "rank", static_cast<double>(lora.rank))));
  const std::size_t targets = where.find("targets=");
  const std::size_t on = where.find(" on ");
  unsigned named = 0;
  if (targets != std::string::npos) {
    named = lora_targets(
        std::string_view(where).substr(targets + 8, where.find("trainable") - targets));
  } else if (on != std::string::npos) {
    named = lora_targets(std::string_view(where).substr(on + 4, where.find(';', on) - on));
  }
  const bool litgpt = contains(row["framework"], "litgpt");
  lora.targets = named != 0 ? named : litgpt ? kTargetQ | kTargetV : kTargetAll;
  lora.save_embeddings = contains(method, "wte") || contains(method, "lm_head");
  lora.dora = contains(method, "dora");
  const std::string base = method + " " + precision;
  if (contains(base, "gptq")) {
    lora.base = BaseFormat::gptq4;
  } else if (contains(precision, "nf4-dq") ||
             (contains(method, "qlora") && !contains(precision, "nf4"))) {
    lora.base = BaseFormat::nf4_double;
  } else if (contains(base, "nf4") || contains(base, "4-bit") || contains(base, "4bit")) {
    lora.base = BaseFormat::nf4;
  }
  return lora;
}

std::string model_name(std::string_view name) {
  std::string text(name);
  for (const std::string_view suffix : {" (Instruct)", "-base"}) {
    if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  }
  return text;
}

/// LitGPT has a head of its own where others share the token table.
void untie(Model& model) {
  if (!model.tied_embeddings) return;
  model.tied_embeddings = false;
  for (const Tensor& tensor : model.tensors) {
    if (tensor.role == TensorRole::output_head) return;
  }
  const Tensor* table = model.find_tensor("token_embd.weight");
  if (table == nullptr) return;
  Tensor head = *table;
  head.name = "output.weight";
  head.role = TensorRole::output_head;
  model.tensors.push_back(std::move(head));
}

Answer run_answer(const CsvRow& row, ModelStore& models) {
  const std::string method = lower(row["method"]);
  if (contains(method, "inference")) return none("inference, not training");
  const bool known = contains(method, "full") || contains(method, "lora");
  for (const std::string_view other : {"adalora", "lorafa", "gkd", "llamapro"}) {
    if (contains(method, other)) return none("method without an estimate: " + std::string(other));
  }
  if (!known) return none("method without an estimate: " + method);
  if (contains(row["component"], "avg") || contains(row["component"], "cpu")) {
    return none("an average or a CPU figure");
  }
  const Model* known_model = models.by_loose_name(model_name(row["model"]));
  if (known_model == nullptr) return none("the model is in no catalog");
  const auto sequence = integer_of(row["seq_len"]);
  const auto batch = integer_of(row["batch"]);
  if (!sequence || !batch || *batch < 1) return none("batch or length of sequences not given");
  if (contains(row["checkpointing"], "none stated")) return none("checkpointing not stated");
  const bool unpadded = contains(row["note"], "padding_free") &&
                        !contains(row["seq_len"], "packing") && *sequence < 65536;
  if (contains(row["note"], "not packed") || contains(row["note"], "is global") || unpadded) {
    return none("the real length of the sequences is not given");
  }
  TrainingSettings s;
  s.lora = lora_of(row);
  s.batch = *batch;
  s.sequence = *sequence;
  s.accumulation =
      static_cast<std::int64_t>(number_after(row["note"], "gradient accumulation ", 1));
  read_parallelism(row, s);
  read_optimizer(row, s);
  read_checkpointing(row, s);
  Model stretched = *known_model;  // runs beyond the trained length are measured too
  stretched.n_ctx_train = std::max(stretched.n_ctx_train, s.sequence);
  if (contains(row["framework"], "litgpt")) untie(stretched);
  read_framework(row, stretched, s);
  read_card(row, s);
  if (contains(method, "ppo")) s.objective = Objective::ppo;
  if (contains(method, "simpo") || contains(method, "orpo")) s.objective = Objective::orpo;
  if (contains(method, "dpo")) s.objective = Objective::dpo;
  // A packed row holds both answers.
  if (contains(method, "po") && contains(row["seq_len"], "packing")) s.sequence /= 2;
  const auto estimate = estimate_training(stretched, s);
  if (!estimate) return none("refused: " + estimate.error().code);
  const TrainingEstimate& e = estimate.value();
  const std::string component = lower(row["component"]);
  const MemoryCounter counter = contains(component, "smi") || contains(component, "total")
                                    ? MemoryCounter::nvidia_smi
                                : contains(component, "reserved") ? MemoryCounter::reserved
                                                                  : MemoryCounter::allocated;
  auto bytes = static_cast<double>(counted_bytes(e, counter));
  const double card = number_after(row["gpu"], "-", 0) * 1e9;
  if (card > 0 && !contains(component, "total") &&
      static_cast<double>(e.rank.weights + e.rank.gradients + e.rank.states) > card) {
    return none("weights, gradients and states alone exceed the card that the row names");
  }
  if (contains(component, "all_gpus")) bytes *= static_cast<double>(s.n_gpus());
  if (component == "model_init_allocated") bytes = static_cast<double>(e.rank.weights);
  return {bytes, {}, std::string(stage_name(e.stages[e.peak].kind))};
}

/// Formulas are compared as printed, rounded or cut off: ZeRO's table has 257 for 257.75.
double formula_error(double estimate, double printed, double half) {
  const bool cut_off = estimate >= printed && estimate < printed + 2 * half;
  return cut_off ? 0 : relative_error(estimate, printed, half);
}

Evaluation evaluate(const CsvTable& table, ModelStore& models) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    const std::string id = "line " + std::to_string(i + 2);
    const std::string component(row["component"]);
    const std::string_view kind = row["kind"];
    const bool formula = kind.starts_with("formula");
    Answer answer;
    if (formula) {
      answer = contains(component, "activations") ? paper_activations(row) : states_answer(row);
    } else if (!kind.starts_with("measured") || contains(kind, "inverse") ||
               contains(kind, "one kernel")) {
      answer = none("not a measurement of a run: " + std::string(kind));
    } else {
      answer = run_answer(row, models);
    }
    const std::string group = formula ? "formula" : "measured";
    if (!answer.bytes) {
      evaluation.unsupported.push_back({id, group, {}, answer.reason});
      continue;
    }
    const double unit = unit_bytes(row["unit"]);
    const double measured = row.number("value") * unit;
    const double estimate = *answer.bytes;
    const double half = half_last_digit(row["value"]) * unit;
    ++evaluation.estimated;
    evaluation.comparisons.push_back({id, group, std::string(row["model"]),
                                      std::string(row["framework"]), estimate, measured,
                                      formula ? formula_error(estimate, measured, half)
                                              : relative_error(estimate, measured, half),
                                      answer.terms});
  }
  return evaluation;
}

}  // namespace
}  // namespace training

const TableEvaluator kTraining = {"training", training::recognises, training::evaluate};

}  // namespace validate
