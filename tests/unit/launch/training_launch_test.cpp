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
