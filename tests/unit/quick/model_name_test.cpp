#include "core/quick/model_name.hpp"

#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "core/quantization/ftype.hpp"

using namespace meyasu;

namespace {

constexpr double kNone = -1;

/// `reservations`: ids of the doubted and missing notes, in their order.
struct Expected {
  std::string name;
  double total = kNone;
  double active = kNone;
  std::string quant;
  std::string precision;
  std::int64_t context = 0;
  std::string reservations{};
};

std::string reservations_of(const ModelNameReading& reading) {
  std::string ids;
  for (const NameNote& note : reading.notes) {
    if (note.level == NoteLevel::recognised) continue;
    if (!ids.empty()) ids += ' ';
    ids += note.id;
  }
  return ids;
}

const NameNote* find_note(const ModelNameReading& reading, std::string_view id) {
  for (const NameNote& note : reading.notes) {
    if (note.id == id) return &note;
  }
  return nullptr;
}

void check(const Expected& expected) {
  CAPTURE(expected.name);
  const ModelNameReading reading = read_model_name(expected.name);
  CHECK(reading.total_billions.value_or(kNone) == expected.total);
  CHECK(reading.active_billions.value_or(kNone) == expected.active);
  CHECK(reading.quant_label == expected.quant);
  CHECK((reading.precision ? std::string(precision_name(*reading.precision)) : "") ==
        expected.precision);
  CHECK(reading.context.value_or(0) == expected.context);
  CHECK(reservations_of(reading) == expected.reservations);
}

constexpr const char* kNear = "name_quant_nearest";
constexpr const char* kNoQuant = "name_no_quant";
constexpr const char* kNothing = "name_no_size name_no_quant";

}  // namespace

TEST_CASE("the original form's example names fill size and precision without reservation") {
  check({"ELYZA-japanese-Llama-2-7b-fast-instruct.fp16", 7, kNone, "FP16", "FP16"});
  check({"GPT-3-13b-accuracy.fp32", 13, kNone, "FP32", "FP32"});
  check({"BERT-12b-optimized.int8", 12, kNone, "INT8", "INT8"});
  check({"TinyBERT-4b-speed.q4", 4, kNone, "Q4", "INT4"});
  check({"OptimizedGPT-6b-efficient.q8", 6, kNone, "Q8", "INT8"});
}

TEST_CASE("names of GGUF files give size and quantization type") {
  check({"Qwen3-30B-A3B-UD-Q4_K_XL.gguf", 30, 3, "UD-Q4_K_XL", "INT4", 0, kNear});
  check({"DeepSeek-R1-Distill-Qwen-32B-Q4_K_M-00001-of-00002.gguf", 32, kNone, "Q4_K_M", "INT4", 0,
         kNear});
  check({"Meta-Llama-3-8B.Q6_K.gguf", 8, kNone, "Q6_K", "INT8", 0, kNear});
  check({"llama-2-7b-chat.ggmlv3.q4_K_M.bin", 7, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"llama-2-13b.Q5_K_M.gguf", 13, kNone, "Q5_K_M", "INT4", 0, kNear});
  check({"mistral-7b-instruct-v0.2.Q8_0.gguf", 7, kNone, "Q8_0", "INT8", 0, kNear});
  check({"phi-2.Q4_0.gguf", kNone, kNone, "Q4_0", "INT4", 0, "name_quant_nearest name_no_size"});
  check({"codellama-34b-instruct.Q3_K_L.gguf", 34, kNone, "Q3_K_L", "INT4", 0, kNear});
  check({"Llama-3.2-3B-Instruct-IQ3_M.gguf", 3, kNone, "IQ3_M", "INT4", 0, kNear});
  check({"gemma-2-27b-it-IQ2_XXS.gguf", 27, kNone, "IQ2_XXS", "INT4", 0, kNear});
  check({"Mistral-Nemo-Instruct-2407.i1-Q4_K_M.gguf", kNone, kNone, "i1-Q4_K_M", "INT4", 0,
         "name_quant_nearest name_no_size"});
  check({"Llama-3.3-70B-Instruct.i1-IQ1_S.gguf", 70, kNone, "i1-IQ1_S", "INT4", 0, kNear});
  check({"DeepSeek-V3-0324-UD-IQ1_S", kNone, kNone, "UD-IQ1_S", "INT4", 0,
         "name_quant_nearest name_no_size"});
  check({"gpt-oss-20b-mxfp4.gguf", 20, 3.607, "MXFP4", "INT4", 0,
         "name_size_real name_quant_nearest"});
  check(
      {"gpt-oss-120b-mxfp4", 120, 5.127, "MXFP4", "INT4", 0, "name_size_real name_quant_nearest"});
  check({"NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.gguf", 30, 3, "BF16", "BF16"});
  check({"gemma-3-27b-it-qat-q4_0.gguf", 27, kNone, "Q4_0", "INT4", 0, kNear});
  check({"Llama-3-ELYZA-JP-8B-q4_k_m.gguf", 8, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"Llama-3-8B-Instruct-q4f16_1-MLC", 8, kNone, "q4f16_1", "INT4", 0, kNear});
  check({"ggml-model-Q4_K_M.gguf", kNone, kNone, "Q4_K_M", "INT4", 0,
         "name_quant_nearest name_no_size"});
  check({"Meta-Llama-3.1-8B-Instruct-Q4_0_4_4.gguf", 8, kNone, "Q4_0_4_4", "INT4", 0, kNear});
  check({"Phi-3-mini-4k-instruct-q4.gguf", kNone, kNone, "Q4", "INT4", 4096,
         "name_ctx name_no_size"});
  check({"sarashina2.2-3b-instruct-v0.1-f16.gguf", 3, kNone, "F16", "FP16"});
  check({"ELYZA-japanese-Llama-2-7b-fast-instruct-q4_K_S.gguf", 7, kNone, "Q4_K_S", "INT4", 0,
         kNear});
}

TEST_CASE("names of other quantizations give method and bits") {
  check({"Meta-Llama-3.1-70B-Instruct-AWQ-INT4", 70, kNone, "AWQ INT4", "INT4"});
  check({"EXAONE-3.5-2.4B-Instruct-GPTQ-Int4", 2.4, kNone, "GPTQ INT4", "INT4"});
  check({"QwQ-32B-FP8", 32, kNone, "FP8", "INT8", 0, kNear});
  check({"Qwen3-235B-A22B-Thinking-2507-FP8", 235, 22, "FP8", "INT8", 0, kNear});
  check({"TheBloke/Llama-2-13B-chat-GPTQ", 13, kNone, "GPTQ", "INT4", 0, "name_quant_usual"});
  check({"Qwen/Qwen2.5-72B-Instruct-AWQ", 72, kNone, "AWQ", "INT4", 0, "name_quant_usual"});
  check({"Qwen2-1.5B-Instruct-GPTQ-Int8", 1.5, kNone, "GPTQ INT8", "INT8"});
  check({"gemma-7b-4-bit", 7, kNone, "4bit", "INT4"});
  check({"gemma-7b-int-8", 7, kNone, "INT8", "INT8"});
  check({"japanese-gpt-neox-3.6b-instruction-sft-4bit-128g", 3.6, kNone, "4bit", "INT4"});
  check({"unsloth/Llama-3.2-1B-Instruct-bnb-4bit", 1, kNone, "bnb 4bit", "INT4"});
  check({"mlx-community/Qwen3-8B-4bit", 8, kNone, "4bit", "INT4"});
  check({"mlx-community/Mistral-7B-Instruct-v0.3-8bit", 7, kNone, "8bit", "INT8"});
  check({"mlx-community/DeepSeek-R1-Distill-Qwen-14B-3bit", 14, kNone, "3bit", "INT4", 0, kNear});
  check({"LoneStriker/Yi-34B-200K-4.65bpw-h6-exl2", 34, kNone, "EXL2 4.65bpw", "INT4", 204800,
         "name_ctx name_quant_nearest"});
  check({"turboderp/Llama-3-70B-exl2-6.0bpw", 70, kNone, "EXL2 6bpw", "INT8", 0, kNear});
  check({"turboderp/Llama-3.1-8B-Instruct-exl3", 8, kNone, "EXL3", "", 0, kNoQuant});
  check({"RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", 8, kNone, "W4A16", "INT4"});
  check({"neuralmagic/Meta-Llama-3.1-405B-Instruct-quantized.w8a8", 405, kNone, "W8A8", "INT8"});
  check({"nvidia/Llama-3.3-70B-Instruct-NVFP4", 70, kNone, "NVFP4", "INT4", 0, kNear});
  check({"nvidia/DeepSeek-R1-0528-FP4", kNone, kNone, "FP4", "INT4", 0,
         "name_quant_nearest name_no_size"});
  check({"THUDM/chatglm2-6b-int4", 6, kNone, "INT4", "INT4"});
  check({"ISTA-DASLab/Meta-Llama-3-70B-AQLM-2Bit-1x16", 70, kNone, "AQLM 2bit", "INT4", 0, kNear});
  check({"SmolLM2-135M-Instruct-bf16", 0.135, kNone, "BF16", "BF16"});
  check({"microsoft/bitnet-b1.58-2B-4T", 2, kNone, "b1.58", "INT4", 0,
         "name_quant_nearest name_size_ignored"});
}

TEST_CASE("names without a quantization say so") {
  check({"Mistral-7B-v0.3", 7, kNone, "", "", 0, kNoQuant});
  check({"opt-1.3b", 1.3, kNone, "", "", 0, kNoQuant});
  check({"llm-jp-3-13b-instruct", 13, kNone, "", "", 0, kNoQuant});
  check({"calm3-22b-chat", 22, kNone, "", "", 0, kNoQuant});
  check({"Llama-2-7b", 7, kNone, "", "", 0, kNoQuant});
  check({"meta-llama/Llama-3.1-8B", 8, kNone, "", "", 0, kNoQuant});
  check({"Yi-1.5-34B", 34, kNone, "", "", 0, kNoQuant});
  check({"Qwen1.5-110B", 110, kNone, "", "", 0, kNoQuant});
  check({"Qwen/Qwen3-0.6B", 0.6, kNone, "", "", 0, kNoQuant});
  check({"gemma-2-2b-it", 2, kNone, "", "", 0, kNoQuant});
  check({"google/gemma-3-270m", 0.27, kNone, "", "", 0, kNoQuant});
  check({"t5-11b", 11, kNone, "", "", 0, kNoQuant});
  check({"codegen-16B-multi", 16, kNone, "", "", 0, kNoQuant});
  check({"falcon-180B", 180, kNone, "", "", 0, kNoQuant});
  check({"Baichuan2-13B", 13, kNone, "", "", 0, kNoQuant});
  check({"chatglm3-6b", 6, kNone, "", "", 0, kNoQuant});
  check({"bloom-560m", 0.56, kNone, "", "", 0, kNoQuant});
  check({"bloom-7b1", 7.1, kNone, "", "", 0, kNoQuant});
  check({"bigscience/bloomz-1b7", 1.7, kNone, "", "", 0, kNoQuant});
  check({"pythia-1.4b-deduped", 1.4, kNone, "", "", 0, kNoQuant});
  check({"internlm2_5-7b-chat", 7, kNone, "", "", 0, kNoQuant});
  check({"Llama-3_3-Nemotron-Super-49B-v1_5", 49, kNone, "", "", 0, kNoQuant});
  check({"plamo-2-8b", 8, kNone, "", "", 0, kNoQuant});
  check({"sarashina2.2-3b", 3, kNone, "", "", 0, kNoQuant});
  check({"Llama-3-ELYZA-JP-8B", 8, kNone, "", "", 0, kNoQuant});
  check({"Swallow-70b", 70, kNone, "", "", 0, kNoQuant});
  check({"stockmark-100b", 100, kNone, "", "", 0, kNoQuant});
  check({"japanese-stablelm-3b-4e1t-base", 3, kNone, "", "", 0, kNoQuant});
  check({"line-corporation/japanese-large-lm-3.6b", 3.6, kNone, "", "", 0, kNoQuant});
  check({"OLMo-2-1124-7B", 7, kNone, "", "", 0, kNoQuant});
  check({"GLM-4-32B-0414", 32, kNone, "", "", 0, kNoQuant});
  check({"Mistral-Small-24B-Instruct-2501", 24, kNone, "", "", 0, kNoQuant});
  check({"DeepSeek-R1-0528-Qwen3-8B", 8, kNone, "", "", 0, kNoQuant});
  check({"SOLAR-10.7B-Instruct-v1.0", 10.7, kNone, "", "", 0, kNoQuant});
  check({"gpt-j-6b", 6, kNone, "", "", 0, kNoQuant});
  check({"EleutherAI/gpt-neox-20b", 20, kNone, "", "", 0, kNoQuant});
  check({"inclusionAI/Ling-1T", 1000, kNone, "", "", 0, kNoQuant});
  check({"TinyLlama-1.1B-Chat-v1.0", 1.1, kNone, "", "", 0, kNoQuant});
}

TEST_CASE("mixtures of experts give total and active sizes as far as the name or a table knows") {
  check({"Mixtral-8x7B-Instruct-v0.1.Q5_K_S.gguf", 46.702792704, 12.879925248, "Q5_K_S", "INT4", 0,
         "name_size_known name_quant_nearest"});
  check({"Mixtral-8x22B-v0.1", 140.620634112, 39.152, "", "", 0, "name_size_known name_no_quant"});
  check({"dolphin-2.5-mixtral-8x7b", 46.702792704, 12.879925248, "", "", 0,
         "name_size_known name_no_quant"});
  check({"WizardLM-2-8x22B-AWQ", 140.620634112, 39.152, "AWQ", "INT4", 0,
         "name_size_known name_quant_usual"});
  check({"karakuri-ai/karakuri-lm-8x7b-chat-v0.1", 46.702792704, 12.879925248, "", "", 0,
         "name_size_known name_no_quant"});
  check({"mlabonne/Beyonder-4x7B-v2", kNone, kNone, "", "", 0,
         "name_size_upper name_no_size name_no_quant"});
  check({"Llama-4-Scout-17B-16E", 108.641793536, 17, "", "", 0, "name_size_known name_no_quant"});
  check({"meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", 401.583781376, 17, "FP8", "INT8", 0,
         "name_size_known name_quant_nearest"});
  check({"gemma-3n-E4B-it", 7.85, kNone, "", "", 0, "name_size_known name_no_quant"});
  check({"gemma-3n-E2B-it-Q4_K_M.gguf", 5.44, kNone, "Q4_K_M", "INT4", 0,
         "name_size_known name_quant_nearest"});
  check(
      {"allenai/OLMoE-1B-7B-0125", 6.919161856, 1.28, "", "", 0, "name_size_known name_no_quant"});
  check(
      {"Qwen/Qwen1.5-MoE-A2.7B", 14.315784192, 2.689, "", "", 0, "name_size_known name_no_quant"});
  check({"tencent/Hunyuan-A13B-Instruct", 80.393183232, 13, "", "", 0,
         "name_size_known name_no_quant"});
  check({"Nemotron-3-Nano-30B-A3B", 30, 3, "", "", 0, kNoQuant});
  check({"ERNIE-4.5-21B-A3B", 21, 3, "", "", 0, kNoQuant});
  check({"Qwen2-57B-A14B", 57, 14, "", "", 0, kNoQuant});
  check({"granite-3.0-1b-a400m-base", 1, 0.4, "", "", 0, kNoQuant});
  check({"LFM2-8B-A1B", 8, 1, "", "", 0, kNoQuant});
  check({"cloudyu/Mixtral_34Bx2_MoE_60B", 60, kNone, "", "", 0, kNoQuant});
}

TEST_CASE("contexts are not taken for sizes") {
  check({"Qwen2.5-7B-Instruct-1M", 7, kNone, "", "", 1 << 20, "name_ctx name_no_quant"});
  check({"internlm2_5-7b-chat-1m", 7, kNone, "", "", 1 << 20, "name_ctx name_no_quant"});
  check({"Phi-3-medium-128k-instruct", kNone, kNone, "", "", 131072,
         "name_ctx name_no_size name_no_quant"});
  check({"vicuna-13b-v1.5-16k", 13, kNone, "", "", 16384, "name_ctx name_no_quant"});
  check({"Yarn-Mistral-7b-128k.Q4_K_M.gguf", 7, kNone, "Q4_K_M", "INT4", 131072,
         "name_ctx name_quant_nearest"});
  check({"Llama-3-8B-Instruct-262k", 8, kNone, "", "", 262144, "name_ctx name_no_quant"});
  check(
      {"Llama-3-8B-Instruct-Gradient-1048k", 8, kNone, "", "", 1048576, "name_ctx name_no_quant"});
  check({"nvidia/Llama-3.1-8B-UltraLong-4M-Instruct", 8, kNone, "", "", 4 << 20,
         "name_ctx name_no_quant"});
  check({"nvidia/Nemotron-H-8B-Base-8K", 8, kNone, "", "", 8192, "name_ctx name_no_quant"});
  check({"MiniMax-M1-80k", kNone, kNone, "", "", 81920, "name_ctx name_no_size name_no_quant"});
}

TEST_CASE("versions, dates and step counts are not taken for sizes") {
  check({"phi-2", kNone, kNone, "", "", 0, kNothing});
  check({"microsoft/phi-1_5", kNone, kNone, "", "", 0, kNothing});
  check({"gpt2-xl", kNone, kNone, "", "", 0, kNothing});
  check({"Kimi-K2-Instruct", kNone, kNone, "", "", 0, kNothing});
  check({"GLM-4.5-Air", kNone, kNone, "", "", 0, kNothing});
  check({"granite-4.0-h-tiny", kNone, kNone, "", "", 0, kNothing});
  check({"DeepSeek-R1", kNone, kNone, "", "", 0, kNothing});
  check({"Mistral-Large-Instruct-2407", kNone, kNone, "", "", 0, kNothing});
  check({"c4ai-command-r-08-2024", kNone, kNone, "", "", 0, kNothing});
  check({"model-20240101", kNone, kNone, "", "", 0, kNothing});
  check({"Mistral-Small-3.2-24B-Instruct-2506", 24, kNone, "", "", 0, kNoQuant});
  check({"TinyLlama-1.1B-intermediate-step-1431k-3T", 1.1, kNone, "", "", 0,
         "name_size_ignored name_no_quant"});
  check({"HF1BitLLM/Llama3-8B-1.58-100B-tokens", 8, kNone, "", "", 0, kNoQuant});
  check({"Qwen3-Coder-Next", kNone, kNone, "", "", 0, kNothing});
}

TEST_CASE("sizes that can be read in two ways are filled in with a reservation") {
  check({"stablelm-2-1_6b", 1.6, kNone, "", "", 0, "name_size_underscore name_no_quant"});
  check({"Qwen-1_8B-Chat-Int4", 1.8, kNone, "INT4", "INT4", 0, "name_size_underscore"});
  check({"internlm2-chat-1_8b", 1.8, kNone, "", "", 0, "name_size_underscore name_no_quant"});
  check({"c4ai-command-r7b-12-2024", 7, kNone, "", "", 0, "name_size_glued name_no_quant"});
  check({"llama13b.q4_0.bin", 13, kNone, "Q4_0", "INT4", 0, "name_size_glued name_quant_nearest"});
  check({"Qwen2.5.7B", 7, kNone, "", "", 0, "name_size_glued name_no_quant"});
  check({"Qwen3-0.6B-Llama-70B-draft", 0.6, kNone, "", "", 0, "name_size_ignored name_no_quant"});
  check({"Llama_3_8B", 8, kNone, "", "", 0, kNoQuant});
  check({"Llama_3.2_1B", 1, kNone, "", "", 0, kNoQuant});
}

TEST_CASE("paths, URLs, tags and odd spellings lead to the same name") {
  check({"C:\\models\\Meta-Llama-3-8B.Q6_K.gguf", 8, kNone, "Q6_K", "INT8", 0, kNear});
  check({"\"C:\\LLM\\calm3-22b-chat-Q4_K_M.gguf\"", 22, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"https://huggingface.co/Org/Name-7B-GGUF/resolve/main/name-7b.Q8_0.gguf?download=true", 7,
         kNone, "Q8_0", "INT8", 0, kNear});
  check({"https://huggingface.co/Qwen/Qwen3-30B-A3B/tree/main", 30, 3, "", "", 0, kNoQuant});
  check({"./models/13B/ggml-model-q4_0.bin", 13, kNone, "Q4_0", "INT4", 0,
         "name_quant_nearest name_from_folder"});
  check({"/data/Qwen2.5-7B-Instruct-GPTQ-Int4/model-00001-of-00002.safetensors", 7, kNone,
         "GPTQ INT4", "INT4", 0, "name_from_folder"});
  check({"llama3:8b-instruct-q4_K_M", 8, kNone, "Q4_K_M", "INT4", 0, kNear});
  check(
      {"hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", 3, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"Ｍｉｓｔｒａｌ－７Ｂ－ｖ０．３．Ｑ４＿Ｋ＿Ｍ．ｇｇｕｆ", 7, kNone, "Q4_K_M", "INT4", 0,
         kNear});
  check({"MISTRAL-7B-INSTRUCT.q4-k-m.GGUF", 7, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"mistral 7 B q5km", 7, kNone, "Q5_K_M", "INT4", 0, kNear});
  check({"  Mistral-7B-v0.3  \nsecond-line-13B", 7, kNone, "", "", 0, kNoQuant});
  check({"日本語モデル-7b-int8.gguf", 7, kNone, "INT8", "INT8"});
  check({"Llama-3.1-8B.Q4_K_M.gguf.part1of2", 8, kNone, "Q4_K_M", "INT4", 0, kNear});
  check({"Mixtral-8x7B", 46.702792704, 12.879925248, "", "", 0, "name_size_known name_no_quant"});
  CHECK(read_model_name("C:\\models\\Meta-Llama-3-8B.Q6_K.gguf").name == "Meta-Llama-3-8B.Q6_K");
  CHECK(read_model_name("https://huggingface.co/Qwen/Qwen3-30B-A3B/tree/main").name ==
        "Qwen3-30B-A3B");
  CHECK(read_model_name("org/name.safetensors").name == "name");
}

TEST_CASE("an organisation's name is not a folder that tells a size") {
  check({"team-7b/phi-2", kNone, kNone, "", "", 0, kNothing});
}

TEST_CASE("of several quantization labels the last is used and the other named") {
  check({"NVIDIA-Nemotron-Nano-9B-v2-BF16-Q4_K_M.gguf", 9, kNone, "Q4_K_M", "INT4", 0,
         "name_quant_ignored name_quant_nearest"});
  check({"Llama-3.1-8B-Instruct-W8A8-FP8", 8, kNone, "FP8", "INT8", 0, kNear});
}

TEST_CASE("a part of a split file is told from the whole") {
  const auto reading = read_model_name("DeepSeek-R1-Distill-Qwen-32B-Q4_K_M-00001-of-00002.gguf");
  CHECK(reading.shard_index == 1);
  CHECK(reading.shard_count == 2);
  CHECK(*find_note(reading, "shard") ==
        NameNote{"shard", NoteLevel::recognised, "00001-of-00002", "1/2"});
  const auto bare = read_model_name("model-00003-of-00004.safetensors");
  CHECK(bare.shard_index == 3);
  CHECK(bare.shard_count == 4);
  CHECK(reservations_of(bare) == kNothing);
  CHECK(read_model_name("x.gguf.part2of3").shard_index == 2);
  CHECK_FALSE(read_model_name("x-00005-of-00002.gguf").shard_index.has_value());
  CHECK_FALSE(read_model_name("x-0-of-0.gguf").shard_index.has_value());
}

TEST_CASE("notes name the part of the name they are about and what was made of it") {
  const auto qwen = read_model_name("Qwen3-30B-A3B-UD-Q4_K_XL.gguf");
  CHECK(qwen.notes == std::vector<NameNote>{
                          {"size", NoteLevel::recognised, "30B", "30B"},
                          {"active", NoteLevel::recognised, "A3B", "3B"},
                          {"quant", NoteLevel::recognised, "UD-Q4_K_XL", "UD-Q4_K_XL"},
                          {"name_quant_nearest", NoteLevel::doubted, "UD-Q4_K_XL", "INT4"},
                      });
  const auto phi = read_model_name("Phi-3-mini-4k-instruct-q4.gguf");
  CHECK(phi.notes == std::vector<NameNote>{
                         {"name_ctx", NoteLevel::doubted, "4k", "4k"},
                         {"variant", NoteLevel::recognised, "instruct", "instruct"},
                         {"precision", NoteLevel::recognised, "q4", "INT4"},
                         {"name_no_size", NoteLevel::missing, "", ""},
                     });
  const auto mixtral = read_model_name("Mixtral-8x7B-Instruct-v0.1.Q5_K_S.gguf");
  CHECK(mixtral.total_from_table);
  CHECK(*find_note(mixtral, "name_size_known") ==
        NameNote{"name_size_known", NoteLevel::doubted, "8x7B", "46.7B"});
  const auto beyonder = read_model_name("Beyonder-4x7B-v2");
  CHECK_FALSE(beyonder.total_from_table);
  CHECK(*find_note(beyonder, "name_size_upper") ==
        NameNote{"name_size_upper", NoteLevel::doubted, "4x7B", "28B"});
  const auto scout = read_model_name("Llama-4-Scout-17B-16E");
  CHECK(*find_note(scout, "name_size_known") ==
        NameNote{"name_size_known", NoteLevel::doubted, "17B", "108.6B"});
  CHECK(find_note(scout, "experts")->value == "16");
  const auto oss = read_model_name("gpt-oss-120b-mxfp4");
  CHECK(find_note(oss, "name_size_real")->value == "116.8B");
  CHECK_FALSE(oss.total_from_table);
  CHECK(find_note(read_model_name("SmolLM2-135M"), "size")->value == "0.135B");
  CHECK(find_note(read_model_name("Llama-3-8B-W8A8-Q4_0"), "name_quant_ignored")->match == "W8A8");
}

TEST_CASE("effective sizes are told from stored ones") {
  const auto gemma = read_model_name("gemma-3n-E4B-it");
  CHECK(gemma.effective_billions == 4);
  CHECK(gemma.total_from_table);
  check({"unknown-E4B-it", kNone, kNone, "", "", 0,
         "name_size_effective name_no_size name_no_quant"});
  CHECK(read_model_name("unknown-E4B-it").effective_billions == 4);
}

TEST_CASE("a size beside an expert count is the active size when the model is not known") {
  check({"Unknown-9B-64E", kNone, 9, "", "", 0, "name_size_active name_no_size name_no_quant"});
}

TEST_CASE("bits per weight are given where the label determines them") {
  const auto bits = [](std::string_view name) { return read_model_name(name).quant_bits; };
  CHECK(bits("Meta-Llama-3-8B.Q4_K_M.gguf") == 4.8944);  // tools/quantize/README.md
  CHECK(bits("Meta-Llama-3-8B.i1-Q4_K_M.gguf") == 4.8944);
  CHECK(bits("Meta-Llama-3-8B.Q8_0.gguf") == 8.5008);
  CHECK(bits("llama-7b.Q4_0.gguf") == 4.5);  // 18 bytes for 32 weights
  CHECK(bits("gpt-oss-20b-mxfp4") == 4.25);  // 17 bytes for 32 weights
  CHECK(bits("Yi-34B-4.65bpw-exl2") == 4.65);
  CHECK(bits("x-7b-fp16") == 16);
  CHECK(bits("x-7b-int8") == 8);
  // 4 bits, and for each 128 weights a 16-bit scale and a 4-bit zero point.
  CHECK(bits("japanese-gpt-neox-3.6b-instruction-sft-4bit-128g") == 4.15625);
  CHECK_FALSE(bits("Qwen3-30B-A3B-UD-Q4_K_XL.gguf").has_value());
  CHECK_FALSE(bits("Qwen2.5-72B-AWQ").has_value());
  CHECK_FALSE(bits("x-7b.q4").has_value());
  CHECK_FALSE(bits("x-7b").has_value());
}

TEST_CASE("files that are not a whole model are doubted") {
  CHECK(reservations_of(read_model_name("mmproj-model-f16.gguf")) == "name_not_model name_no_size");
  CHECK(reservations_of(read_model_name("llama-7b-lora-fp16")) == "name_not_model");
}

TEST_CASE("names that say nothing yield nothing") {
  for (const char* name : {"",
                           " ",
                           "\n\n",
                           ".",
                           "/",
                           "\\",
                           "///",
                           ".gguf",
                           ".safetensors",
                           "model",
                           "model.safetensors",
                           "pytorch_model.bin",
                           "consolidated.00.pth",
                           "ggml-model.bin",
                           "b",
                           "B",
                           "7",
                           "-7-",
                           "x7",
                           "0b",
                           "0.0B",
                           "v3b",
                           "q",
                           "iq",
                           "8x",
                           "x8b",
                           "8xb",
                           "1x",
                           "aB",
                           "a",
                           "e",
                           "16e",
                           "128g",
                           "of",
                           "1-of",
                           "of-2",
                           "4e1t",
                           "7bb",
                           "7bx",
                           "b7",
                           "99999999999b",
                           "99999999999999999999k",
                           "https://",
                           "https://huggingface.co",
                           "日本語",
                           "　",
                           "🦙",
                           "a1b2c3d4e5f6",
                           "int",
                           "bpw",
                           "0bpw",
                           "99bpw",
                           "..",
                           "__",
                           "%00",
                           "<script>alert(1)</script>"}) {
    CAPTURE(name);
    const auto reading = read_model_name(name);
    CHECK_FALSE(reading.total_billions.has_value());
    CHECK_FALSE(reading.precision.has_value());
    CHECK(find_note(reading, "name_no_size") != nullptr);
    CHECK(find_note(reading, "name_no_quant") != nullptr);
  }
}

TEST_CASE("every mix of llama.cpp is known in a file name") {
  for (const FtypeInfo& info : all_ftypes()) {
    const ModelNameReading reading = read_model_name("Some-7B-" + std::string(info.name) + ".gguf");
    INFO(info.name);
    CHECK(reading.total_billions == 7);
    CHECK(reading.quant_label == info.name);
    CHECK(reading.precision.has_value());
  }
}

TEST_CASE("any bytes are harmless and yield valid text") {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  CHECK(read_model_name(every_byte).notes.size() >= 2);
  const auto broken = read_model_name("Mistral-7B-\xff\xfe\xe3\x81-Q4_K_M.gguf");
  CHECK(broken.total_billions == 7);
  CHECK(broken.quant_label == "Q4_K_M");
  CHECK(broken.name == std::string("Mistral-7B-") + std::string(4, '?') + "-Q4_K_M");
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string noise;
    constexpr std::string_view kAlphabet = "0123456789bkmtxaeqifpws_-._. /\\:of\xe3\x81\x82\xff";
    for (int i = 0; i < 24; ++i) {
      state = state * 1664525 + 1013904223;
      noise += kAlphabet[(state >> 16) % kAlphabet.size()];
    }
    const auto reading = read_model_name(noise);
    CAPTURE(noise);
    CHECK(reading.total_billions.value_or(1) > 0);
    CHECK((reading.total_billions.has_value() || find_note(reading, "name_no_size") != nullptr));
    CHECK((reading.precision.has_value() || find_note(reading, "name_no_quant") != nullptr));
  }
}

TEST_CASE("of a very long text only the end is read") {
  const std::string long_path = std::string(5'000'000, 'x') + "/Mistral-7B-v0.3.Q4_K_M.gguf";
  check({"Mistral-7B-v0.3.Q4_K_M.gguf", 7, kNone, "Q4_K_M", "INT4", 0, kNear});
  const auto reading = read_model_name(long_path);
  CHECK(reading.total_billions == 7);
  CHECK(reading.name == "Mistral-7B-v0.3.Q4_K_M");
  CHECK(read_model_name(std::string(5'000'000, '7')).notes.size() == 2);
  CHECK(read_model_name(std::string(5'000'000, ' ')).name.empty());
}
