#include "core/launch/training.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "core/training/recipes.hpp"

namespace meyasu {
namespace {

using Lines = std::vector<std::string>;

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%g", value);
  return buffer.data();
}
const char* python(bool value) {
  return value ? "True" : "False";
}
const char* yaml(bool value) {
  return value ? "true" : "false";
}

std::string joined(const Lines& lines) {
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

std::vector<std::string> target_modules(unsigned targets) {
  constexpr std::array<std::pair<unsigned, const char*>, 8> kModules = {{{kTargetQ, "q_proj"},
                                                                         {kTargetK, "k_proj"},
                                                                         {kTargetV, "v_proj"},
                                                                         {kTargetO, "o_proj"},
                                                                         {kTargetGate, "gate_proj"},
                                                                         {kTargetUp, "up_proj"},
                                                                         {kTargetDown, "down_proj"},
                                                                         {kTargetHead, "lm_head"}}};
  std::vector<std::string> names;
  for (const auto& [bit, name] : kModules) {
    if ((targets & bit) != 0) names.emplace_back(name);
  }
  return names;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string result = "[";
  for (const std::string& name : names) {
    result += (result.size() > 1 ? ", " : "") + std::string("\"") + name + "\"";
  }
  return result + "]";
}

bool is_deepspeed(const TrainingSettings& s) {
  const bool zero = s.data_parallel != DataParallel::ddp && s.data_parallel != DataParallel::fsdp;
  return s.deepspeed || s.offload != StateOffload::none || (zero && s.dp > 1) ||
         s.precision == TrainingPrecision::master_fp32 ||
         s.precision == TrainingPrecision::master_bf16;
}
bool is_fsdp(const TrainingSettings& s) {
  return s.data_parallel == DataParallel::fsdp && s.dp > 1;
}
/// Mixed precision by autocast, on weights of whatever type.
bool autocasts(const TrainingSettings& s) {
  if (s.lora) return s.lora->autocast && s.precision != TrainingPrecision::fp32;
  return s.precision != TrainingPrecision::fp32 && s.precision != TrainingPrecision::bf16;
}
bool fp32_weights(const TrainingSettings& s) {
  return s.precision == TrainingPrecision::fp32 ||
         (!s.lora && (s.precision == TrainingPrecision::autocast ||
                      s.precision == TrainingPrecision::fsdp_mixed));
}

/// TrainingArguments' `optim`; empty: there is none.
std::string hf_optimizer(const TrainingSettings& s) {
  switch (s.optimizer) {
    case Optimizer::adamw:
      if (s.paged) return "paged_adamw_32bit";
      return s.update == UpdateKind::fused ? "adamw_torch_fused" : "adamw_torch";
    case Optimizer::adamw_8bit:
      return s.paged ? "paged_adamw_8bit" : "adamw_bnb_8bit";
    case Optimizer::adafactor:
      return "adafactor";
    case Optimizer::lion:
      return s.paged ? "paged_lion_32bit" : "lion_32bit";
    case Optimizer::lion_8bit:
      return s.paged ? "paged_lion_8bit" : "lion_8bit";
    case Optimizer::sgd:
      return "sgd";
    case Optimizer::galore:
      return "galore_adamw";
    case Optimizer::apollo:
      return "apollo_adamw";
    case Optimizer::lomo:
      return "lomo";
    case Optimizer::sgd_momentum:  // "sgd" takes no arguments
    case Optimizer::adam_mini:
    case Optimizer::muon:
      return {};
  }
  return {};
}

bool has_low_rank_gradients(const TrainingSettings& s) {
  return s.optimizer == Optimizer::galore || s.optimizer == Optimizer::apollo;
}

void hf_optimizer_lines(const TrainingSettings& s, const std::string& indent, Lines& lines,
                        Launch& launch) {
  const std::string name = hf_optimizer(s);
  if (name.empty()) {
    launch.missing.emplace_back("optimizer");
    return;
  }
  lines.push_back(indent + "optim=\"" + name + "\",");
  if (has_low_rank_gradients(s)) {
    lines.push_back(indent + "optim_target_modules=[\"attn\", \"mlp\"],");
    lines.push_back(indent + "optim_args=\"rank=" + std::to_string(s.galore_rank) + "\",");
  }
  const bool loop = s.optimizer == Optimizer::adamw && s.update == UpdateKind::for_loop;
  if (loop || s.update == UpdateKind::foreach_torch_2_0) launch.missing.emplace_back("update");
}

/// What of DeepSpeed only its stages 1 to 3 can do needs the first at least.
int deepspeed_stage(const TrainingSettings& s) {
  switch (s.data_parallel) {
    case DataParallel::zero1:
      return 1;
    case DataParallel::zero2:
      return 2;
    case DataParallel::zero3:
    case DataParallel::fsdp:
      return 3;
    case DataParallel::ddp:
      return s.offload != StateOffload::none || s.precision == TrainingPrecision::master_bf16 ? 1
                                                                                              : 0;
  }
  return 0;
}

/// Its 16-bit training keeps master weights, whose type is all that can be chosen.
bool has_deepspeed_precision(const TrainingSettings& s) {
  return s.lora || s.precision == TrainingPrecision::fp32 ||
         s.precision == TrainingPrecision::master_fp32 ||
         s.precision == TrainingPrecision::master_bf16;
}

/// DeepSpeed's JSON; "auto" follows TrainingArguments.
LaunchBlock deepspeed_config(const TrainingSettings& s, Launch& launch) {
  const int stage = deepspeed_stage(s);
  const bool fp32 = s.precision == TrainingPrecision::fp32;
  if (!has_deepspeed_precision(s)) launch.missing.emplace_back("precision");
  Lines zero = {"    \"stage\": " + std::to_string(stage)};
  if (s.offload != StateOffload::none) {
    const bool nvme = s.offload == StateOffload::nvme && stage == 3;
    const char* const where = nvme ? "nvme" : "cpu";
    const std::string path = nvme ? ", \"nvme_path\": \"/nvme\"" : "";
    zero.push_back("    \"offload_optimizer\": {\"device\": \"" + std::string(where) +
                   "\", \"pin_memory\": true" + path + "}");
    if (s.offload != StateOffload::optimizer) {
      if (stage < 3) launch.missing.emplace_back("offload");
      if (stage == 3) {
        zero.push_back("    \"offload_param\": {\"device\": \"" + std::string(where) +
                       "\", \"pin_memory\": true" + path + "}");
      }
    }
  }
  zero.push_back("    \"overlap_comm\": " + std::string(yaml(s.overlap_comm)));
  if (stage == 3) zero.emplace_back("    \"stage3_gather_16bit_weights_on_model_save\": true");
  std::string body = "{\n  \"bf16\": {\"enabled\": " + std::string(yaml(!fp32));
  if (s.precision == TrainingPrecision::master_bf16) {
    body += ", \"bf16_master_weights_and_grads\": true, \"bf16_optimizer_states\": true";
  }
  body += "},\n";
  if (s.fp32_gradients) body += "  \"data_types\": {\"grad_accum_dtype\": \"fp32\"},\n";
  // States in main memory are updated there, by DeepSpeed's own Adam.
  if (s.offload != StateOffload::none && s.optimizer == Optimizer::adamw) {
    body +=
        "  \"optimizer\": {\"type\": \"AdamW\", \"params\": {\"lr\": \"auto\", \"betas\": "
        "\"auto\", "
        "\"eps\": \"auto\", \"weight_decay\": \"auto\"}},\n";
  } else if (s.offload != StateOffload::none) {
    body += "  \"zero_force_ds_cpu_optimizer\": false,\n";
  }
  body += "  \"zero_optimization\": {\n";
  for (std::size_t i = 0; i < zero.size(); ++i) {
    body += zero[i] + (i + 1 < zero.size() ? ",\n" : "\n");
  }
  body +=
      "  },\n  \"train_micro_batch_size_per_gpu\": \"auto\",\n"
      "  \"gradient_accumulation_steps\": \"auto\",\n  \"gradient_clipping\": \"auto\"\n}\n";
  return {"deepspeed_json", "ds_config.json", body};
}

LaunchBlock fsdp_config(const TrainingSettings& s) {
  Lines lines = {"compute_environment: LOCAL_MACHINE",
                 "distributed_type: FSDP",
                 "num_machines: 1",
                 "num_processes: " + std::to_string(s.n_gpus()),
                 std::string("mixed_precision: ") + (autocasts(s) ? "bf16" : "no"),
                 "fsdp_config:",
                 "  fsdp_version: 2",
                 "  fsdp_reshard_after_forward: true",
                 "  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP",
                 "  fsdp_state_dict_type: SHARDED_STATE_DICT",
                 "  fsdp_offload_params: false"};
  return {"accelerate_yaml", "accelerate.yaml", joined(lines)};
}

/// What none of the programs below can be told by an option.
void missing_parallel(const TrainingSettings& s, bool tensor_and_context, Launch& launch) {
  if (s.tp > 1 && !tensor_and_context) launch.missing.emplace_back("tp");
  if (s.cp > 1 && !tensor_and_context) launch.missing.emplace_back("cp");
  if (s.pp > 1) launch.missing.emplace_back("pp");
  if (s.ep > 1) launch.missing.emplace_back("ep");
  if (s.sequence_parallel) launch.missing.emplace_back("sequence_parallel");
  if (s.shard_group > 0 && s.shard_group < s.dp) launch.missing.emplace_back("shard_group");
}

void missing_checkpointing(const TrainingSettings& s, Launch& launch) {
  if (s.checkpointing == Checkpointing::selective ||
      s.checkpointing == Checkpointing::selective_op) {
    launch.missing.emplace_back("checkpointing");
  }
}

bool checkpoints(const TrainingSettings& s) {
  return s.checkpointing == Checkpointing::full || s.checkpointing == Checkpointing::offloaded;
}

struct Trainer {
  const char* config = nullptr;
  const char* trainer = nullptr;
  const char* module = "trl";
  bool offloads_activations = false;  // the configuration has `activation_offloading`
};
/// TRL's classes (1.10); nullptr: none whose configuration says what was estimated.
Trainer trainer_of(Objective objective) {
  switch (objective) {
    case Objective::supervised:
      return {"SFTConfig", "SFTTrainer", "trl", true};
    case Objective::dpo:
      return {"DPOConfig", "DPOTrainer", "trl", true};
    case Objective::orpo:
      return {"ORPOConfig", "ORPOTrainer", "trl.experimental.orpo", false};
    case Objective::kto:
      return {"KTOConfig", "KTOTrainer", "trl", true};
    case Objective::grpo:
      return {"GRPOConfig", "GRPOTrainer", "trl", false};
    case Objective::ppo:
      return {};
  }
  return {};
}

/// Sequences of a micro-batch as trainers count them: of GRPO, answers.
std::int64_t trained_sequences(const TrainingSettings& s) {
  return s.objective == Objective::grpo ? s.batch * s.completions : s.batch;
}

/// GRPO wants all answers of a prompt in one batch, of an evaluation, too.
bool evaluates(const TrainingSettings& s) {
  const bool whole = s.objective != Objective::grpo || s.eval_batch % s.completions == 0;
  return s.eval_batch > 0 && whole;
}

/// The arguments of TRL's configuration that say what was estimated.
Lines config_lines(const TrainingSettings& s, bool unsloth, Launch& launch) {
  const std::string in = "        ";
  Lines lines = {in + "output_dir=\"out\",",
                 in + "per_device_train_batch_size=" + std::to_string(trained_sequences(s)) + ",",
                 in + "gradient_accumulation_steps=" + std::to_string(s.accumulation) + ","};
  if (s.objective == Objective::supervised) {
    lines.push_back(in + "max_length=" + std::to_string(s.sequence) + ",");
    lines.push_back(in + "packing=True,");
  } else if (s.objective == Objective::grpo) {
    lines.push_back(in + "max_completion_length=" + std::to_string(s.sequence) + ",");
    lines.push_back(in + "num_generations=" + std::to_string(s.completions) + ",");
    lines.push_back(in + "beta=" + (s.reference_model ? "0.04" : "0.0") + ",");
    if (s.rollout_share > 0) {
      lines.push_back(in + "use_vllm=True,");
      lines.push_back(in + "vllm_mode=\"colocate\",");
      lines.push_back(in + "vllm_gpu_memory_utilization=" + shortest(s.rollout_share) + ",");
    }
  } else {
    lines.push_back(in + "max_length=" + std::to_string(s.sequence) + ",");
  }
  // The trainer refuses a DeepSpeed configuration that says otherwise.
  const bool by_deepspeed = !unsloth && is_deepspeed(s) && s.precision != TrainingPrecision::fp32;
  lines.push_back(in + "bf16=" + python(autocasts(s) || by_deepspeed) + ",");
  if (!unsloth) {
    lines.push_back(in + "gradient_checkpointing=" + python(checkpoints(s)) + ",");
    if (s.checkpointing == Checkpointing::offloaded) {
      if (trainer_of(s.objective).offloads_activations) {
        lines.push_back(in + "activation_offloading=True,");
      } else {
        launch.missing.emplace_back("checkpointing");
      }
    }
    if (s.loss == LossPath::linear) lines.push_back(in + "use_liger_kernel=True,");
    if (s.fused_norm && s.loss != LossPath::linear) lines.push_back(in + "torch_compile=True,");
  }
  hf_optimizer_lines(s, in, lines, launch);
  if (s.in_backward && s.optimizer != Optimizer::lomo) launch.missing.emplace_back("in_backward");
  if (evaluates(s)) {
    lines.push_back(in + "per_device_eval_batch_size=" + std::to_string(s.eval_batch) + ",");
    lines.push_back(in + "eval_strategy=\"steps\",");
  } else if (s.eval_batch > 0) {
    launch.missing.emplace_back("eval_batch");
  }
  return lines;
}

std::string run_command(const TrainingSettings& s) {
  const std::string allocator =
      s.expandable_segments ? "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True " : "";
  if (is_fsdp(s) && !is_deepspeed(s)) {
    return allocator + "accelerate launch --config_file accelerate.yaml train.py";
  }
  if (is_deepspeed(s))
    return allocator + "deepspeed --num_gpus " + std::to_string(s.n_gpus()) + " train.py";
  if (s.n_gpus() > 1) {
    return allocator + "accelerate launch --num_processes " + std::to_string(s.n_gpus()) +
           " train.py";
  }
  return allocator + "python3 train.py";
}

void add_trainer(const TrainingSettings& s, const std::string& model, const Lines& config,
                 const Lines& peft, Lines& lines) {
  const Trainer trl = trainer_of(s.objective);
  lines.push_back(std::string("trainer = ") + trl.trainer + "(");
  lines.push_back("    model=" + model + ",");
  lines.push_back(std::string("    args=") + trl.config + "(");
  lines.insert(lines.end(), config.begin(), config.end());
  lines.emplace_back("    ),");
  if (s.objective == Objective::grpo) lines.emplace_back("    reward_funcs=[your_reward],");
  lines.emplace_back("    train_dataset=load_dataset(\"your/dataset\", split=\"train\"),");
  if (evaluates(s)) {
    lines.emplace_back("    eval_dataset=load_dataset(\"your/dataset\", split=\"test\"),");
  }
  lines.insert(lines.end(), peft.begin(), peft.end());
  lines.emplace_back(")");
  lines.emplace_back("trainer.train()");
}

Launch transformers(const TrainingSettings& s, std::string_view model) {
  Launch launch;
  const Trainer trl = trainer_of(s.objective);
  if (trl.config == nullptr) {
    launch.missing.emplace_back("objective");
    return launch;
  }
  missing_parallel(s, false, launch);
  missing_checkpointing(s, launch);
  if (s.loss != LossPath::hf && s.loss != LossPath::linear) launch.missing.emplace_back("loss");
  if (s.dropout > 0) launch.missing.emplace_back("dropout");
  const bool nf4 =
      s.lora && (s.lora->base == BaseFormat::nf4 || s.lora->base == BaseFormat::nf4_double);
  const bool int8 = s.lora && s.lora->base == BaseFormat::int8;
  // Without it every process puts the whole model on the first GPU.
  const bool own_gpu = (nf4 || int8) && s.n_gpus() > 1 && !is_fsdp(s);
  Lines lines;
  if (own_gpu) lines.insert(lines.end(), {"import os", ""});
  lines.insert(lines.end(), {"import torch", "from datasets import load_dataset"});
  if (s.lora) {
    lines.push_back(std::string("from peft import LoraConfig") +
                    (nf4 || int8 ? ", prepare_model_for_kbit_training" : ""));
  }
  lines.push_back(std::string("from transformers import AutoModelForCausalLM") +
                  (nf4 || int8 ? ", BitsAndBytesConfig" : ""));
  lines.push_back(std::string("from ") + trl.module + " import " + trl.config + ", " + trl.trainer);
  lines.emplace_back("");
  lines.emplace_back("model = AutoModelForCausalLM.from_pretrained(");
  lines.push_back("    " + python_literal(model) + ",");
  lines.push_back(std::string("    dtype=torch.") + (fp32_weights(s) ? "float32" : "bfloat16") +
                  ",");
  lines.push_back(std::string("    attn_implementation=\"") +
                  (s.flash_attention ? "sdpa" : "eager") + "\",");
  if (own_gpu) lines.emplace_back("    device_map={\"\": int(os.environ[\"LOCAL_RANK\"])},");
  if (nf4) {
    lines.emplace_back("    quantization_config=BitsAndBytesConfig(");
    lines.emplace_back("        load_in_4bit=True,");
    lines.emplace_back("        bnb_4bit_quant_type=\"nf4\",");
    lines.push_back(std::string("        bnb_4bit_use_double_quant=") +
                    python(s.lora->base == BaseFormat::nf4_double) + ",");
    lines.emplace_back("        bnb_4bit_compute_dtype=torch.bfloat16,");
    lines.emplace_back("    ),");
  } else if (int8) {
    lines.emplace_back("    quantization_config=BitsAndBytesConfig(load_in_8bit=True),");
  } else if (s.lora && s.lora->base == BaseFormat::gptq4) {
    launch.notes.emplace_back("gptq_checkpoint");
  }
  lines.emplace_back(")");
  if (s.lora && (nf4 || int8) && s.lora->fp32_embeddings) {
    lines.push_back(std::string("model = prepare_model_for_kbit_training(model, ") +
                    "use_gradient_checkpointing=" + python(checkpoints(s)) + ")");
  }
  Lines peft;
  if (s.lora) {
    const LoraSettings& lora = *s.lora;
    const std::string in = "        ";
    peft = {"    peft_config=LoraConfig(", in + "task_type=\"CAUSAL_LM\",",
            in + "r=" + std::to_string(lora.rank) + ",",
            in + "lora_alpha=" + std::to_string(2 * lora.rank) + ",",
            in + "target_modules=" +
                (lora.targets == kTargetAll ? std::string("\"all-linear\"")
                                            : list_of(target_modules(lora.targets))) +
                ","};
    if (lora.dropout > 0) peft.push_back(in + "lora_dropout=" + shortest(lora.dropout) + ",");
    if (lora.dora) peft.push_back(in + "use_dora=True,");
    if (lora.save_embeddings) {
      peft.push_back(in + "modules_to_save=[\"embed_tokens\", \"lm_head\"],");
    }
    peft.emplace_back("    ),");
    if (!lora.fp32_adapters) launch.missing.emplace_back("fp32_adapters");
  }
  Lines config = config_lines(s, false, launch);
  if (is_deepspeed(s)) config.emplace_back("        deepspeed=\"ds_config.json\",");
  lines.emplace_back("");
  add_trainer(s, "model", config, peft, lines);
  launch.blocks.push_back({"python", "train.py", joined(lines)});
  if (is_deepspeed(s)) {
    launch.blocks.push_back(deepspeed_config(s, launch));
  } else if (is_fsdp(s)) {
    launch.blocks.push_back(fsdp_config(s));
  }
  launch.blocks.push_back({"command", "", run_command(s)});
  launch.notes.emplace_back("your_dataset");
  return launch;
}

Launch unsloth(const TrainingSettings& s, std::string_view model) {
  Launch launch;
  const Trainer trl = trainer_of(s.objective);
  if (trl.config == nullptr) {
    launch.missing.emplace_back("objective");
    return launch;
  }
  // One GPU; its own kernels for loss and checkpoints.
  if (s.n_gpus() > 1) launch.missing.emplace_back("data_parallel");
  missing_parallel(s, false, launch);
  missing_checkpointing(s, launch);
  if (s.loss != LossPath::cce) launch.missing.emplace_back("loss");
  if (s.offload != StateOffload::none) launch.missing.emplace_back("offload");
  if (!s.flash_attention) launch.missing.emplace_back("flash_attention");
  const LoraSettings lora = s.lora.value_or(LoraSettings{});
  if (s.lora && lora.fp32_embeddings) launch.missing.emplace_back("fp32_embeddings");
  if (s.lora && (lora.base == BaseFormat::nf4 || lora.base == BaseFormat::gptq4)) {
    launch.missing.emplace_back("base");
  }
  if (s.lora && lora.dora) launch.missing.emplace_back("dora");
  Lines lines = {
      "from unsloth import FastLanguageModel",
      "from datasets import load_dataset",
      std::string("from trl import ") + trl.config + ", " + trl.trainer,
      "",
      "model, tokenizer = FastLanguageModel.from_pretrained(",
      "    model_name=" + python_literal(model) + ",",
      "    max_seq_length=" + std::to_string(s.sequence) + ",",
      std::string("    load_in_4bit=") + python(s.lora && lora.base == BaseFormat::nf4_double) +
          ",",
      std::string("    load_in_8bit=") + python(s.lora && lora.base == BaseFormat::int8) + ",",
      std::string("    full_finetuning=") + python(!s.lora) + ",",
      ")"};
  const char* const checkpoint = s.checkpointing == Checkpointing::offloaded ? "\"unsloth\""
                                 : checkpoints(s)                            ? "True"
                                                                             : "False";
  if (s.lora) {
    std::vector<std::string> modules = target_modules(lora.targets);
    if (lora.save_embeddings) modules.insert(modules.end(), {"embed_tokens", "lm_head"});
    const Lines peft = {"model = FastLanguageModel.get_peft_model(",
                        "    model,",
                        "    r=" + std::to_string(lora.rank) + ",",
                        "    lora_alpha=" + std::to_string(2 * lora.rank) + ",",
                        "    target_modules=" + list_of(modules) + ",",
                        "    lora_dropout=" + shortest(lora.dropout) + ",",
                        std::string("    use_gradient_checkpointing=") + checkpoint + ",",
                        ")"};
    lines.insert(lines.end(), peft.begin(), peft.end());
  } else {
    lines.insert(lines.end() - 1,
                 std::string("    use_gradient_checkpointing=") + checkpoint + ",");
  }
  lines.emplace_back("");
  add_trainer(s, "model", config_lines(s, true, launch), {"    processing_class=tokenizer,"},
              lines);
  launch.blocks.push_back({"python", "train.py", joined(lines)});
  launch.blocks.push_back({"command", "", "python3 train.py"});
  launch.notes.emplace_back("your_dataset");
  return launch;
}

/// The names of TrainingArguments and some of Axolotl's own.
std::string axolotl_optimizer(const TrainingSettings& s) {
  if (s.optimizer == Optimizer::muon && !is_deepspeed(s)) return "muon";
  // bitsandbytes' states cannot be sharded by FSDP 2.
  const bool sharded = is_fsdp(s) && !is_deepspeed(s);
  if (sharded && s.optimizer == Optimizer::adamw_8bit) return "adamw_torch_8bit";
  return hf_optimizer(s);
}

void axolotl_optimizer_lines(const TrainingSettings& s, Lines& lines, Launch& launch) {
  const std::string name = axolotl_optimizer(s);
  // It has no default; those of Axolotl's own examples.
  lines.push_back(std::string("learning_rate: ") + (s.lora ? "0.0002" : "0.00002"));
  if (name.empty()) {
    launch.missing.emplace_back("optimizer");
    return;
  }
  lines.push_back("optimizer: " + name);
  if (has_low_rank_gradients(s)) {
    lines.emplace_back("optim_target_modules: [\"attn\", \"mlp\"]");
    lines.push_back("optim_args: \"rank=" + std::to_string(s.galore_rank) + "\"");
  }
}

/// Packing is for supervised training; what compares answers takes them as they are.
void axolotl_objective_lines(const TrainingSettings& s, Lines& lines) {
  if (s.objective == Objective::supervised || s.objective == Objective::ppo) {
    lines.insert(lines.end(), {"sample_packing: true", "pad_to_sequence_len: true"});
    return;
  }
  lines.push_back("rl: " + std::string(name_of(kObjectives, s.objective)));
  if (s.objective == Objective::kto) lines.emplace_back("remove_unused_columns: false");
  if (s.objective != Objective::grpo) return;
  const std::int64_t answers = trained_sequences(s) * s.accumulation * s.n_gpus();
  lines.insert(lines.end(), {"trl:", "  num_generations: " + std::to_string(s.completions),
                             "  generation_batch_size: " + std::to_string(answers),
                             "  max_completion_length: " + std::to_string(s.sequence),
                             std::string("  beta: ") + (s.reference_model ? "0.04" : "0.0"),
                             "  reward_funcs: [\"rewards.your_reward\"]"});
  if (s.rollout_share > 0) {
    lines.insert(lines.end(), {"  use_vllm: true", "  vllm_mode: colocate",
                               "vllm:", "  gpu_memory_utilization: " + shortest(s.rollout_share)});
  }
}

/// A string literal of Python is one of YAML, too.
Launch axolotl(const TrainingSettings& s, std::string_view model) {
  Launch launch;
  missing_parallel(s, true, launch);
  missing_checkpointing(s, launch);
  if (s.objective == Objective::ppo) launch.missing.emplace_back("objective");
  const bool plain =
      s.loss == LossPath::hf || s.loss == LossPath::linear || s.loss == LossPath::cce;
  if (!plain) launch.missing.emplace_back("loss");
  Lines lines = {"base_model: " + python_literal(model)};
  if (s.lora) {
    const LoraSettings& lora = *s.lora;
    const bool nf4 = lora.base == BaseFormat::nf4 || lora.base == BaseFormat::nf4_double;
    lines.push_back(std::string("adapter: ") + (nf4 ? "qlora" : "lora"));
    lines.push_back(std::string("load_in_4bit: ") + yaml(nf4));
    lines.push_back(std::string("load_in_8bit: ") + yaml(lora.base == BaseFormat::int8));
    lines.push_back("lora_r: " + std::to_string(lora.rank));
    lines.push_back("lora_alpha: " + std::to_string(2 * lora.rank));
    lines.push_back("lora_dropout: " + shortest(lora.dropout));
    if (lora.targets == kTargetAll) {
      lines.emplace_back("lora_target_linear: true");
    } else {
      lines.push_back("lora_target_modules: " + list_of(target_modules(lora.targets)));
    }
    if (lora.dora) lines.emplace_back("peft_use_dora: true");
    if (lora.save_embeddings) {
      lines.emplace_back("lora_modules_to_save: [\"embed_tokens\", \"lm_head\"]");
    }
    if (lora.base == BaseFormat::nf4) launch.missing.emplace_back("base");
    if (lora.base == BaseFormat::gptq4) launch.notes.emplace_back("gptq_checkpoint");
  }
  lines.insert(lines.end(), {"sequence_len: " + std::to_string(s.sequence),
                             "micro_batch_size: " + std::to_string(trained_sequences(s)),
                             "gradient_accumulation_steps: " + std::to_string(s.accumulation)});
  axolotl_objective_lines(s, lines);
  if (evaluates(s)) {
    lines.insert(lines.end(),
                 {"val_set_size: 0.05", "eval_batch_size: " + std::to_string(s.eval_batch)});
  } else if (s.eval_batch > 0) {
    launch.missing.emplace_back("eval_batch");
  }
  axolotl_optimizer_lines(s, lines, launch);
  if (s.in_backward && s.optimizer != Optimizer::lomo) launch.missing.emplace_back("in_backward");
  // With it, weights are loaded in bf16 as well.
  lines.push_back(std::string("bf16: ") + yaml(s.precision != TrainingPrecision::fp32));
  if (!s.lora && s.precision == TrainingPrecision::autocast && !is_deepspeed(s)) {
    launch.missing.emplace_back("precision");
  }
  lines.push_back(std::string("gradient_checkpointing: ") +
                  (s.checkpointing == Checkpointing::offloaded ? "offload" : yaml(checkpoints(s))));
  lines.push_back(std::string("attn_implementation: ") +
                  (s.flash_attention ? "flash_attention_2" : "eager"));
  if (s.fused_norm) lines.emplace_back("torch_compile: true");
  if (s.loss == LossPath::linear) {
    lines.insert(lines.end(), {"plugins:", "  - axolotl.integrations.liger.LigerPlugin",
                               "liger_fused_linear_cross_entropy: true"});
  } else if (s.loss == LossPath::cce) {
    lines.insert(lines.end(),
                 {"plugins:", "  - axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin",
                  "cut_cross_entropy: true"});
  }
  if (s.tp > 1) lines.push_back("tensor_parallel_size: " + std::to_string(s.tp));
  if (s.cp > 1) lines.push_back("context_parallel_size: " + std::to_string(s.cp));
  if (is_deepspeed(s)) lines.emplace_back("deepspeed: ds_config.json");
  if (is_fsdp(s) && !is_deepspeed(s)) {
    lines.insert(lines.end(),
                 {"fsdp_version: 2", "fsdp_config:", "  auto_wrap_policy: TRANSFORMER_BASED_WRAP",
                  "  reshard_after_forward: true", "  state_dict_type: SHARDED_STATE_DICT"});
  }
  lines.insert(lines.end(), {"datasets:", "  - path: your/dataset", "    type: chat_template",
                             "output_dir: out"});
  launch.blocks.push_back({"axolotl_yaml", "axolotl.yaml", joined(lines)});
  if (is_deepspeed(s)) launch.blocks.push_back(deepspeed_config(s, launch));
  const std::string allocator =
      s.expandable_segments ? "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True " : "";
  launch.blocks.push_back({"command", "", allocator + "axolotl train axolotl.yaml"});
  launch.notes.emplace_back("your_dataset");
  return launch;
}

/// Configurations that torchtune carries for a model: NAME_full, NAME_lora_single_device, ...
struct TorchtuneConfigs {
  std::string_view repository;
  const char* name;
  bool full_single = true;
  bool lora_single = true;
  bool qlora = false;
  bool qlora_single = false;
  bool full_single_adamw = false;

  [[nodiscard]] bool has(TrainingMethod method, bool several) const {
    switch (method) {
      case TrainingMethod::full:
        return several || full_single;
      case TrainingMethod::lora:
        return several || lora_single;
      case TrainingMethod::qlora:
        return several ? qlora : qlora_single;
    }
    return false;
  }
  /// Whether `optimizer.fused` stands in the configuration: on one GPU most train in full with an
  /// optimizer of bitsandbytes.
  [[nodiscard]] bool sets_fused(TrainingMethod method, bool several) const {
    return several || method != TrainingMethod::full || full_single_adamw;
  }
};

/// Of recipes/configs; nullptr: none.
const TorchtuneConfigs* torchtune_configs(std::string_view model) {
  static constexpr std::array<TorchtuneConfigs, 12> kConfigs = {
      {{.repository = "meta-llama/Llama-3.1-8B", .name = "llama3_1/8B", .qlora_single = true},
       {.repository = "meta-llama/Llama-3.1-70B",
        .name = "llama3_1/70B",
        .full_single = false,
        .lora_single = false},
       {.repository = "meta-llama/Llama-3.2-1B", .name = "llama3_2/1B", .qlora_single = true},
       {.repository = "meta-llama/Llama-3.2-3B", .name = "llama3_2/3B", .qlora_single = true},
       {.repository = "meta-llama/Llama-3.3-70B",
        .name = "llama3_3/70B",
        .full_single = false,
        .lora_single = false,
        .qlora = true},
       {.repository = "meta-llama/Llama-2-7b",
        .name = "llama2/7B",
        .full_single = false,
        .qlora = true,
        .qlora_single = true},
       {.repository = "Qwen/Qwen2.5-0.5B", .name = "qwen2_5/0.5B", .full_single_adamw = true},
       {.repository = "Qwen/Qwen2.5-1.5B", .name = "qwen2_5/1.5B"},
       {.repository = "Qwen/Qwen2.5-3B", .name = "qwen2_5/3B"},
       {.repository = "Qwen/Qwen2.5-7B", .name = "qwen2_5/7B"},
       {.repository = "google/gemma-2-2b",
        .name = "gemma2/2B",
        .full_single = false,
        .qlora_single = true},
       {.repository = "google/gemma-2-9b",
        .name = "gemma2/9B",
        .full_single = false,
        .qlora_single = true}}};
  for (const TorchtuneConfigs& configs : kConfigs) {
    if (!model.starts_with(configs.repository)) continue;
    const std::string_view rest = model.substr(configs.repository.size());
    if (rest.empty() || rest == "-Instruct" || rest == "-hf" || rest == "-it") return &configs;
  }
  return nullptr;
}

const char* torchtune_optimizer(const TrainingSettings& s) {
  switch (s.optimizer) {
    case Optimizer::adamw:
      return s.paged ? "bitsandbytes.optim.PagedAdamW" : "torch.optim.AdamW";
    case Optimizer::adamw_8bit:
      return s.paged ? "bitsandbytes.optim.PagedAdamW8bit" : "bitsandbytes.optim.AdamW8bit";
    case Optimizer::lion:
      return "bitsandbytes.optim.Lion";
    case Optimizer::lion_8bit:
      return "bitsandbytes.optim.Lion8bit";
    case Optimizer::sgd:
      return "torch.optim.SGD";
    default:
      return nullptr;
  }
}

Launch torchtune(const TrainingSettings& s, std::string_view model) {
  Launch launch;
  const bool several = s.n_gpus() > 1;
  const TrainingMethod method = method_of(s);
  const TorchtuneConfigs* const configs = torchtune_configs(model);
  const bool carried = configs != nullptr && configs->has(method, several);
  if (!carried) launch.notes.emplace_back("no_torchtune_config");
  missing_parallel(s, false, launch);
  missing_checkpointing(s, launch);
  if (s.objective != Objective::supervised) launch.missing.emplace_back("objective");
  const bool typed =
      s.precision == TrainingPrecision::fp32 || s.precision == TrainingPrecision::bf16;
  if (!typed) launch.missing.emplace_back("precision");
  if (several && s.data_parallel != DataParallel::fsdp && s.data_parallel != DataParallel::zero3) {
    launch.missing.emplace_back("data_parallel");
  }
  if (s.loss != LossPath::linear) launch.missing.emplace_back("loss");
  if (s.offload != StateOffload::none) launch.missing.emplace_back("offload");
  if (s.lora && s.lora->fp32_embeddings) launch.missing.emplace_back("fp32_embeddings");
  if (s.lora && s.lora->save_embeddings) launch.missing.emplace_back("save_embeddings");
  if (s.lora && s.in_backward) launch.missing.emplace_back("in_backward");
  // Gemma's head is its token table; its builders have no option to adapt it.
  const bool head = s.lora && (s.lora->targets & kTargetHead) != 0;
  const bool gemma = model.starts_with("google/");
  if (head && gemma) launch.missing.emplace_back("targets");
  if (!carried) return launch;
  const std::string kind = s.lora ? "lora" : "full";
  const std::string recipe = kind + "_finetune_" + (several ? "distributed" : "single_device");
  const std::string variant = method == TrainingMethod::qlora ? "qlora" : kind;
  Command command;
  command.words = {"tune", "run"};
  if (several) command.flag("--nproc_per_node", std::to_string(s.n_gpus()));
  command.flag(recipe);
  command.flag("--config",
               std::string(configs->name) + "_" + variant + (several ? "" : "_single_device"));
  const auto set = [&](const char* name, const std::string& value) {
    command.flag(std::string(name) + "=" + value);
  };
  set("batch_size", std::to_string(s.batch));
  set("gradient_accumulation_steps", std::to_string(s.accumulation));
  set("tokenizer.max_seq_len", std::to_string(s.sequence));
  set("dataset.packed", "True");
  set("dtype", s.precision == TrainingPrecision::fp32 ? "fp32" : "bf16");
  set("enable_activation_checkpointing", python(checkpoints(s)));
  set("enable_activation_offloading", python(s.checkpointing == Checkpointing::offloaded));
  set("compile", python(s.fused_norm));
  if (s.loss == LossPath::linear) set("loss", "torchtune.modules.loss.LinearCrossEntropyLoss");
  const char* const optimizer = torchtune_optimizer(s);
  if (optimizer == nullptr) {
    launch.missing.emplace_back("optimizer");
  } else {
    set("optimizer", optimizer);
    const bool fuses = s.optimizer == Optimizer::adamw && !s.paged;
    if (fuses) set("optimizer.fused", python(s.update == UpdateKind::fused));
    // bitsandbytes' refuse the argument, and what is not there cannot be removed.
    if (!fuses && configs->sets_fused(method, several)) command.flag("~optimizer.fused");
  }
  // True in some configurations, which then refuse to accumulate.
  if (!s.lora) set("optimizer_in_bwd", python(s.in_backward));
  if (s.lora) {
    const LoraSettings& lora = *s.lora;
    set("model.lora_rank", std::to_string(lora.rank));
    set("model.lora_alpha", std::to_string(2 * lora.rank));
    set("model.lora_dropout", shortest(lora.dropout));
    std::string modules = "[";
    for (const auto& [bit, name] :
         {std::pair{kTargetQ, "q_proj"}, std::pair{kTargetK, "k_proj"},
          std::pair{kTargetV, "v_proj"}, std::pair{kTargetO, "output_proj"}}) {
      if ((lora.targets & bit) != 0) modules += (modules.size() > 1 ? "," : "") + std::string(name);
    }
    set("model.lora_attn_modules", modules + "]");
    set("model.apply_lora_to_mlp", python((lora.targets & kTargetDown) != 0));
    if (head && !gemma) set("model.apply_lora_to_output", "True");
    if (lora.dora) set("model.use_dora", "True");
  }
  launch.blocks.push_back({"command", "", command.text(Shell::posix)});
  return launch;
}

}  // namespace

Launch launch_training(TrainingFramework framework, const TrainingSettings& settings,
                       std::string_view model) {
  switch (framework) {
    case TrainingFramework::transformers:
      return transformers(settings, model);
    case TrainingFramework::unsloth:
      return unsloth(settings, model);
    case TrainingFramework::axolotl:
      return axolotl(settings, model);
    case TrainingFramework::torchtune:
      return torchtune(settings, model);
  }
  return {};
}

}  // namespace meyasu
