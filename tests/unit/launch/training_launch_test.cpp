// Training programs and configurations: they hold the settings of the estimate, quote whatever a
// model is called, and name what they cannot say.
#include <algorithm>
#include <catch_amalgamated.hpp>
#include <string>

#include "core/launch/training.hpp"
#include "core/readers/json.hpp"
#include "core/training/recipes.hpp"

using namespace meyasu;

namespace {

constexpr auto kLlama = "meta-llama/Llama-3.1-8B";

std::string all(const Launch& launch) {
  std::string text;
  for (const LaunchBlock& block : launch.blocks) text += block.text;
  return text;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

bool misses(const Launch& launch, std::string_view option) {
  return std::find(launch.missing.begin(), launch.missing.end(), option) != launch.missing.end();
}

}  // namespace

TEST_CASE("A QLoRA maps to Transformers, PEFT and TRL without a gap", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  s.batch = 3;
  s.sequence = 1536;
  s.accumulation = 5;
  s.lora->rank = 24;
  s.loss = LossPath::linear;
  const Launch launch = launch_training(TrainingFramework::transformers, s, kLlama);
  CHECK(launch.missing.empty());
  const std::string text = all(launch);
  for (const char* part :
       {"load_in_4bit=True", "bnb_4bit_use_double_quant=True", "prepare_model_for_kbit_training",
        "per_device_train_batch_size=3", "max_length=1536", "gradient_accumulation_steps=5", "r=24",
        "use_liger_kernel=True", "gradient_checkpointing=True", "optim=\"adamw_torch_fused\"",
        "\"meta-llama/Llama-3.1-8B\"", "python3 train.py"}) {
    INFO(part);
    CHECK(contains(text, part));
  }
}

TEST_CASE("Sharded training brings its configuration, which is what its reader expects",
          "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.precision = TrainingPrecision::master_fp32;
  s.data_parallel = DataParallel::zero3;
  s.dp = 8;
  s.offload = StateOffload::optimizer_and_weights;
  const Launch launch = launch_training(TrainingFramework::transformers, s, kLlama);
  const auto json = std::find_if(launch.blocks.begin(), launch.blocks.end(),
                                 [](const LaunchBlock& b) { return b.file == "ds_config.json"; });
  REQUIRE(json != launch.blocks.end());
  CHECK(parse_json(json->text).ok());
  CHECK(contains(json->text, "\"stage\": 3"));
  CHECK(contains(json->text, "offload_param"));
  CHECK(contains(json->text, "\"type\": \"AdamW\""));
  CHECK(contains(all(launch), "--num_gpus 8"));

  s = usual_training(TrainingMethod::full);
  s.data_parallel = DataParallel::fsdp;
  s.dp = 4;
  const std::string fsdp = all(launch_training(TrainingFramework::transformers, s, kLlama));
  CHECK(contains(fsdp, "distributed_type: FSDP"));
  CHECK(contains(fsdp, "num_processes: 4"));
  CHECK(contains(fsdp, "accelerate launch --config_file accelerate.yaml"));
}

TEST_CASE("What a framework has no option for is named", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  s.optimizer = Optimizer::muon;
  s.pp = 4;
  s.checkpointing = Checkpointing::selective;
  const Launch trl = launch_training(TrainingFramework::transformers, s, kLlama);
  CHECK(misses(trl, "optimizer"));
  CHECK(misses(trl, "pp"));
  CHECK(misses(trl, "checkpointing"));
  const Launch unsloth = launch_training(TrainingFramework::unsloth, s, kLlama);
  CHECK(misses(unsloth, "data_parallel"));
  CHECK(misses(unsloth, "loss"));
  const Launch tune = launch_training(TrainingFramework::torchtune, s, "nobody/unknown");
  CHECK(tune.blocks.empty());
  CHECK(tune.notes == std::vector<std::string>{"no_torchtune_config"});
  s.objective = Objective::ppo;
  CHECK(misses(launch_training(TrainingFramework::transformers, s, kLlama), "objective"));
}

TEST_CASE("torchtune's own configuration with every setting as an override", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::lora);
  s.loss = LossPath::linear;
  s.lora->rank = 8;
  const Launch launch =
      launch_training(TrainingFramework::torchtune, s, "meta-llama/Llama-3.1-8B-Instruct");
  CHECK(launch.missing.empty());
  const std::string text = all(launch);
  CHECK(contains(text, "lora_finetune_single_device"));
  CHECK(contains(text, "llama3_1/8B_lora_single_device"));
  CHECK(contains(text, "model.lora_rank=8"));
  CHECK(contains(text, "LinearCrossEntropyLoss"));
}

TEST_CASE("A model may be called anything", "[launch][training]") {
  const TrainingSettings s = usual_training(TrainingMethod::qlora);
  for (const char* name : {"a\"b", "a\\b", "a\nb", "\"); import os #", "it's", "モデル", ""}) {
    for (const auto& [id, framework] : kTrainingFrameworks) {
      if (framework == TrainingFramework::torchtune) continue;
      CHECK(contains(all(launch_training(framework, s, name)), python_literal(name)));
    }
  }
}

TEST_CASE("GRPO: a trainer's batch counts answers, of which a prompt's stay together",
          "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::lora);
  s.objective = Objective::grpo;
  s.batch = 2;
  s.completions = 8;
  s.accumulation = 3;
  s.eval_batch = 4;  // half a prompt
  const Launch trl = launch_training(TrainingFramework::transformers, s, kLlama);
  CHECK(contains(all(trl), "per_device_train_batch_size=16,"));
  CHECK(misses(trl, "eval_batch"));
  s.eval_batch = 0;
  s.dp = 2;
  const std::string axolotl = all(launch_training(TrainingFramework::axolotl, s, kLlama));
  CHECK(contains(axolotl, "micro_batch_size: 16\n"));
  CHECK(contains(axolotl, "  generation_batch_size: 96\n"));
  CHECK(contains(axolotl, "  max_completion_length: 2048\n"));
  CHECK_FALSE(contains(axolotl, "sample_packing"));
}

TEST_CASE("Trainers and their options are asked for where they are", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::lora);
  s.checkpointing = Checkpointing::offloaded;
  s.eval_batch = 1;
  const std::string sft = all(launch_training(TrainingFramework::transformers, s, kLlama));
  CHECK(contains(sft, "activation_offloading=True"));
  CHECK(contains(sft, "eval_dataset="));
  s.objective = Objective::orpo;
  const Launch orpo = launch_training(TrainingFramework::transformers, s, kLlama);
  CHECK(contains(all(orpo), "from trl.experimental.orpo import ORPOConfig, ORPOTrainer"));
  CHECK_FALSE(contains(all(orpo), "activation_offloading"));
  CHECK(misses(orpo, "checkpointing"));
  s.optimizer = Optimizer::sgd_momentum;
  CHECK(misses(launch_training(TrainingFramework::transformers, s, kLlama), "optimizer"));
}

TEST_CASE("Several processes load a quantized base each on its own GPU", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  const char* const own = "device_map={\"\": int(os.environ[\"LOCAL_RANK\"])},";
  CHECK_FALSE(contains(all(launch_training(TrainingFramework::transformers, s, kLlama)), own));
  s.dp = 2;
  const std::string two = all(launch_training(TrainingFramework::transformers, s, kLlama));
  CHECK(contains(two, own));
  CHECK(contains(two, "import os\n"));
}

TEST_CASE("DeepSpeed's file agrees with the trainer's arguments", "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.data_parallel = DataParallel::zero2;
  s.dp = 2;
  for (const TrainingPrecision precision :
       {TrainingPrecision::bf16, TrainingPrecision::autocast, TrainingPrecision::master_fp32}) {
    s.precision = precision;
    const Launch launch = launch_training(TrainingFramework::transformers, s, kLlama);
    CHECK(contains(all(launch), "bf16=True"));
    CHECK(contains(all(launch), "\"bf16\": {\"enabled\": true"));
    CHECK(misses(launch, "precision") == (precision != TrainingPrecision::master_fp32));
  }
  s.precision = TrainingPrecision::fp32;
  CHECK(contains(all(launch_training(TrainingFramework::transformers, s, kLlama)), "bf16=False"));
  // Only stage 3 writes to a disk, and 16-bit masters need a stage.
  s.precision = TrainingPrecision::master_bf16;
  s.offload = StateOffload::nvme;
  const Launch nvme = launch_training(TrainingFramework::transformers, s, kLlama);
  CHECK(misses(nvme, "offload"));
  CHECK_FALSE(contains(all(nvme), "nvme"));
  s.offload = StateOffload::none;
  s.data_parallel = DataParallel::ddp;
  CHECK(contains(all(launch_training(TrainingFramework::transformers, s, kLlama)), "\"stage\": 1"));
}

TEST_CASE("Axolotl's file has what its schema demands and nothing that it refuses",
          "[launch][training]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.precision = TrainingPrecision::bf16;
  s.flash_attention = false;
  s.optimizer = Optimizer::galore;
  const std::string text = all(launch_training(TrainingFramework::axolotl, s, kLlama));
  CHECK(contains(text, "learning_rate: 0.00002\n"));
  CHECK(contains(text, "bf16: true\n"));
  CHECK(contains(text, "attn_implementation: eager\n"));
  CHECK(contains(text, "optim_target_modules: "));
  CHECK(contains(text, "sample_packing: true\n"));
  s.objective = Objective::kto;
  const std::string kto = all(launch_training(TrainingFramework::axolotl, s, kLlama));
  CHECK_FALSE(contains(kto, "sample_packing"));
  CHECK(contains(kto, "remove_unused_columns: false\n"));
  s = usual_training(TrainingMethod::full);
  CHECK(misses(launch_training(TrainingFramework::axolotl, s, kLlama), "precision"));
  s.data_parallel = DataParallel::fsdp;
  s.dp = 2;
  s.optimizer = Optimizer::adamw_8bit;
  CHECK(contains(all(launch_training(TrainingFramework::axolotl, s, kLlama)),
                 "optimizer: adamw_torch_8bit\n"));
}

TEST_CASE("torchtune is asked only for configurations that it carries", "[launch][training]") {
  const auto notes = [](const TrainingSettings& s, const char* model) {
    return launch_training(TrainingFramework::torchtune, s, model).notes;
  };
  const std::vector<std::string> none = {"no_torchtune_config"};
  TrainingSettings s = usual_training(TrainingMethod::full);
  CHECK(notes(s, "meta-llama/Llama-3.1-70B-Instruct") == none);
  CHECK(notes(s, "google/gemma-2-2b") == none);
  CHECK(notes(s, kLlama).empty());
  s.optimizer = Optimizer::adamw_8bit;
  // One GPU: bitsandbytes' own optimizer, which has no `fused` to remove.
  std::string text = all(launch_training(TrainingFramework::torchtune, s, kLlama));
  CHECK_FALSE(contains(text, "optimizer.fused"));
  CHECK(contains(text, "optimizer_in_bwd=False"));
  s.dp = 2;
  s.data_parallel = DataParallel::fsdp;
  CHECK(notes(s, "meta-llama/Llama-3.1-70B-Instruct").empty());
  text = all(launch_training(TrainingFramework::torchtune, s, kLlama));
  CHECK(contains(text, "'~optimizer.fused'"));
  const TrainingSettings qlora = usual_training(TrainingMethod::qlora);
  CHECK(notes(qlora, kLlama).empty());
  CHECK(notes(qlora, "Qwen/Qwen2.5-7B-Instruct") == none);
  const std::string gemma =
      all(launch_training(TrainingFramework::torchtune, qlora, "google/gemma-2-9b"));
  CHECK_FALSE(contains(gemma, "apply_lora_to_output"));
}
