// Commands hand every word to the program as it is, whatever a file is called, and hold exactly the
// settings. Where there is a shell, it is asked.
#include "core/launch/launch.hpp"

#include <catch_amalgamated.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

const std::vector<std::string> kHostileNames = {
    "model.gguf",
    "my model (1).gguf",
    "it's.gguf",
    "$(touch owned).gguf",
    "`id`.gguf",
    "a\"b.gguf",
    "a\\b.gguf",
    "a\nb.gguf",
    "; rm -rf ~ #.gguf",
    "-rf.gguf",
    "*?[!a].gguf",
    "~root.gguf",
    "=ls.gguf",
    "\xe3\x83\xa2\xe3\x83\x87\xe3\x83\xab.gguf",
    "",
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

LlamaCppSettings on_gpus(int n) {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::server);
  settings.n_ctx = 8192;
  for (int i = 0; i < n; ++i) {
    settings.devices.emplace_back().name = "gpu" + std::to_string(i);
  }
  return settings;
}

std::string command_of(LlamaCppProgram program, const LlamaCppSettings& settings,
                       const std::string& file = "model.gguf",
                       const char* of_model = "Llama-3.2-1B") {
  const Model model = truth_model(of_model);
  const auto context = normalize(settings, model);
  REQUIRE(context.ok());
  return launch_llama_cpp(program, settings, context.value(), file, Shell::posix)
      .blocks.front()
      .text;
}

#ifndef __EMSCRIPTEN__
/// The words that a real shell makes of `command`.
std::vector<std::string> words_in_shell(const std::string& command) {
  const std::string script = "for_each() { printf '%s\\0' \"$@\"; }\nfor_each " + command;
  std::FILE* pipe = popen(("/bin/sh -c " + quoted(script, Shell::posix)).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::vector<std::string> words;
  std::string word;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    if (c == 0) {
      words.push_back(word);
      word.clear();
    } else {
      word += static_cast<char>(c);
    }
  }
  pclose(pipe);
  return words;
}
#endif

}  // namespace

TEST_CASE("encoders are started for what they do, with batches that they read at once") {
  const LlamaCppSettings settings = on_gpus(1);
  const auto of = [&](LlamaCppProgram program, const char* model) {
    // On one line.
    std::string line;
    for (const char c : command_of(program, settings, "model.gguf", model)) {
      if (c != '\\' && c != '\n' && (c != ' ' || !line.ends_with(' '))) line += c;
    }
    return line;
  };
  const std::string embeds = of(LlamaCppProgram::server, "bge-m3");
  CHECK(contains(embeds, " --embedding "));
  CHECK(contains(embeds, " -b 512 -ub 512 "));
  CHECK(contains(of(LlamaCppProgram::server, "bge-reranker-v2-m3"), " --reranking "));
  CHECK(contains(of(LlamaCppProgram::cli, "bge-m3"), "llama-embedding -m "));
  const std::string writes = of(LlamaCppProgram::server, "Llama-3.2-1B");
  CHECK_FALSE(contains(writes, "--embedding"));
  CHECK(contains(writes, " -b 2048 -ub 512 "));
}

#ifndef __EMSCRIPTEN__
TEST_CASE("a real shell gives back every hostile file name", "[launch]") {
  for (const std::string& name : kHostileNames) {
    INFO(name);
    Command command;
    command.words = {"llama-server"};
    command.flag("-m", name);
    command.flag("-c", "8192");
    command.flag("-kvu");
    CHECK(words_in_shell(command.text(Shell::posix)) == command.words);
  }
}

TEST_CASE("the whole command of a plan parses to its flags", "[launch]") {
  LlamaCppSettings settings = on_gpus(2);
  settings.tensor_split = {20, 13};
  settings.n_cpu_moe = 7;
  settings.type_k = settings.type_v = GgmlType::Q8_0;
  settings.offload_kv = false;
  settings.overrides = {{R"(blk\.1\.ffn_.*)", "CPU"}};
  const auto words = words_in_shell(command_of(LlamaCppProgram::server, settings, "a b.gguf"));
  const std::vector<std::string> expected = {"llama-server",
                                             "-m",
                                             "a b.gguf",
                                             "-c",
                                             "8192",
                                             "-np",
                                             "4",
                                             "-kvu",
                                             "-b",
                                             "2048",
                                             "-ub",
                                             "512",
                                             "-ngl",
                                             "17",
                                             "--n-cpu-moe",
                                             "7",
                                             "-ot",
                                             R"(blk\.1\.ffn_.*=CPU)",
                                             "-ts",
                                             "20,13",
                                             "-nkvo",
                                             "-fa",
                                             "auto",
                                             "-ctk",
                                             "q8_0",
                                             "-ctv",
                                             "q8_0"};
  CHECK(words == expected);
}
#endif

TEST_CASE("quoting for PowerShell doubles every kind of single quote", "[launch]") {
  CHECK(quoted("plain.gguf", Shell::powershell) == "plain.gguf");
  CHECK(quoted("it's", Shell::powershell) == "'it''s'");
  CHECK(quoted("$env:PATH `n", Shell::powershell) == "'$env:PATH `n'");
  CHECK(quoted("a\u2019b", Shell::powershell) == "'a\u2019\u2019b'");
  Command command;
  command.environment = {{"OLLAMA_NUM_PARALLEL", "4"}};
  command.words = {"ollama", "serve"};
  CHECK(command.text(Shell::powershell) == "$env:OLLAMA_NUM_PARALLEL=4\nollama serve");
}

TEST_CASE("a file that looks like an option is made a path", "[launch]") {
  CHECK(contains(command_of(LlamaCppProgram::server, on_gpus(1), "-rf.gguf"), "-m ./-rf.gguf"));
}

TEST_CASE("llama-cli has no slots, a machine without GPUs no split", "[launch]") {
  LlamaCppSettings settings = default_settings(LlamaCppProgram::cli);
  settings.n_ctx = 4096;
  const std::string command = command_of(LlamaCppProgram::cli, settings);
  CHECK(contains(command, "llama-cli"));
  CHECK_FALSE(contains(command, "-np"));
  CHECK(contains(command, "-ngl 0"));
  CHECK_FALSE(contains(command, "-ts"));
}

TEST_CASE("Ollama: a Modelfile, the server's environment, and what it has no option for",
          "[launch]") {
  LlamaCppSettings settings = on_gpus(1);
  settings.kv_unified = false;
  settings.n_seq = 2;
  settings.n_ctx = 8192;
  settings.n_gpu_layers = 12;
  settings.type_k = GgmlType::Q8_0;
  settings.type_v = GgmlType::Q4_0;
  settings.n_cpu_moe = 3;
  const Model model = truth_model("Llama-3.2-1B");
  const auto context = normalize(settings, model);
  REQUIRE(context.ok());
  const Launch launch = launch_llama_cpp(LlamaCppProgram::ollama, settings, context.value(),
                                         "My Model-Q4.gguf", Shell::posix);
  REQUIRE(launch.blocks.size() == 3);
  CHECK(launch.blocks[0].file == "Modelfile");
  CHECK(launch.blocks[0].text ==
        "FROM \"./My Model-Q4.gguf\"\nPARAMETER num_ctx 4096\nPARAMETER num_gpu 12\n"
        "PARAMETER num_batch 512\n");
  CHECK(launch.blocks[1].text ==
        "OLLAMA_NUM_PARALLEL=2 OLLAMA_KV_CACHE_TYPE=q8_0 OLLAMA_FLASH_ATTENTION=1 ollama serve");
  CHECK(launch.blocks[2].text == "ollama create mymodel-q4 -f Modelfile\nollama run mymodel-q4");
  CHECK(launch.missing == std::vector<std::string>{"type_v", "n_cpu_moe"});
  // No quoting of a Modelfile can hold this name.
  const Launch renamed = launch_llama_cpp(LlamaCppProgram::ollama, settings, context.value(),
                                          "a\"\"\"b.gguf", Shell::posix);
  CHECK(renamed.notes == std::vector<std::string>{"rename_file"});
  CHECK(contains(renamed.blocks[0].text, "FROM ./model.gguf\n"));
}

TEST_CASE("servers get the settings of the estimate and nothing that was left to them",
          "[launch]") {
  ServingSettings settings;
  settings.max_model_len = 16384;
  settings.max_num_seqs = 50;
  settings.memory_fraction = 0.9;
  settings.parallel.tp = 2;
  settings.kv_type = KvCacheType::fp8;
  const Launch vllm = launch_server(settings, "org/model", "bf16", Shell::posix);
  CHECK(vllm.blocks.front().text ==
        "vllm serve org/model \\\n  --max-model-len 16384 \\\n  --max-num-seqs 50 \\\n"
        "  --gpu-memory-utilization 0.90 \\\n  --tensor-parallel-size 2 \\\n"
        "  --dtype bfloat16 \\\n  --kv-cache-dtype fp8");
  CHECK(vllm.notes.empty());
  CHECK(launch_server(settings, "org/model", "awq-4bit-g128", Shell::posix).notes ==
        std::vector<std::string>{"quantized_checkpoint"});
  settings.kv_type = KvCacheType::int8_per_token_head;
  const Launch per_head = launch_server(settings, "org/model", "bf16", Shell::posix);
  CHECK(contains(per_head.blocks.front().text, "--kv-cache-dtype int8_per_token_head"));
  CHECK(per_head.missing.empty());
  settings.kv_type = KvCacheType::fp8;

  settings.runtime = ServingRuntime::sglang;
  const std::string sglang =
      launch_server(settings, "org/model", "fp8-channel", Shell::posix).blocks.front().text;
  CHECK(contains(sglang, "--context-length 16384"));
  CHECK(contains(sglang, "--mem-fraction-static 0.90"));
  CHECK(contains(sglang, "--quantization fp8"));
  CHECK(contains(sglang, "--kv-cache-dtype fp8_e4m3"));

  settings.runtime = ServingRuntime::tensorrt_llm;
  const Launch trt = launch_server(settings, "org/model", "bf16", Shell::posix);
  REQUIRE(trt.blocks.size() == 2);
  CHECK(trt.blocks[0].text == "kv_cache_config:\n  dtype: fp8\n");
  CHECK(contains(trt.blocks[1].text, "--extra_llm_api_options config.yml"));
  CHECK(contains(trt.blocks[1].text, "--tp_size 2"));
}

TEST_CASE("the Transformers program holds any model name as data", "[launch]") {
  TransformersSettings settings;
  settings.batch = 2;
  settings.context = 2048;
  TransformersMemory memory;
  memory.gpu_gib = {22, 22};
  memory.host_gib = 60;
  const Launch launch = launch_transformers(settings, "a\"),\nimport os#\\", "bnb-nf4-dq", memory);
  const std::string& program = launch.blocks.front().text;
  CHECK(contains(program, R"("a\"),\x0aimport os#\\")"));
  CHECK(contains(program, "bnb_4bit_use_double_quant=True"));
  CHECK(contains(program, R"(max_memory={0: "22GiB", 1: "22GiB", "cpu": "60GiB"})"));
  CHECK(contains(program, "max_length=2048"));
#ifndef __EMSCRIPTEN__
  const std::string check = "python3 -c 'import ast,sys; ast.parse(sys.argv[1])' ";
  CHECK(std::system((check + quoted(program, Shell::posix)).c_str()) == 0);
#endif
}

TEST_CASE("LM Studio and KoboldCpp are told what they have flags for", "[launch]") {
  LlamaCppSettings settings = on_gpus(2);
  settings.type_k = settings.type_v = GgmlType::Q8_0;
  settings.overrides = {{"exps", "CPU"}, {"ffn_up", "gpu1"}};
  const std::string kobold = command_of(LlamaCppProgram::koboldcpp, settings, "my model.gguf");
  CHECK(contains(kobold, "koboldcpp \\\n  --model 'my model.gguf'"));
  CHECK(contains(kobold, "--contextsize 8192"));
  CHECK(contains(kobold, "--quantkv 1"));
  CHECK(contains(kobold, "--overridetensors "));
  CHECK(contains(kobold, "exps=CPU,ffn_up=CUDA1"));
  // Mapping is no longer the default, flash attention is.
  CHECK(contains(kobold, "--usemmap"));
  settings.flash_attention = FlashAttention::off;
  settings.type_v = GgmlType::F16;
  CHECK(contains(command_of(LlamaCppProgram::koboldcpp, settings), "--noflashattention"));
  settings.flash_attention = FlashAttention::automatic;
  const std::string studio = command_of(LlamaCppProgram::lm_studio, settings, "-x.gguf");
  CHECK(contains(studio, "lms load ./-x.gguf"));
  CHECK(contains(studio, "--gpu max"));
  CHECK(contains(command_of(LlamaCppProgram::lm_studio, on_gpus(0)), "--gpu off"));
}

TEST_CASE("files beside the model are named, and the reader is told to replace them", "[launch]") {
  LlamaCppSettings settings = on_gpus(1);
  const Model model = truth_model("Llama-3.2-1B");
  LlamaCppParts parts;
  parts.draft = std::make_shared<const Model>(model);
  parts.mmproj = parts.draft;
  parts.mmproj_on_gpu = false;
  parts.adapters = {parts.draft, parts.draft};
  settings.parts = std::make_shared<const LlamaCppParts>(parts);
  settings.n_draft = 8;
  const auto context = normalize(settings, model).value();
  const Launch launch =
      launch_llama_cpp(LlamaCppProgram::server, settings, context, "m.gguf", Shell::posix);
  const std::string& text = launch.blocks.front().text;
  CHECK(contains(text, "--mmproj mmproj.gguf"));
  CHECK(contains(text, "--no-mmproj-offload"));
  CHECK(contains(text, "--lora 'lora.gguf,lora-2.gguf'"));
  CHECK(contains(text, "-md draft.gguf"));
  CHECK(contains(text, "--spec-draft-n-max 8"));
  CHECK(launch.notes == std::vector<std::string>{"part_files"});

  const std::string kobold =
      launch_llama_cpp(LlamaCppProgram::koboldcpp, settings, context, "m.gguf", Shell::posix)
          .blocks.front()
          .text;
  CHECK(contains(kobold, "--mmproj mmproj.gguf"));
  CHECK(contains(kobold, "--mmprojcpu"));
  CHECK(contains(kobold, "--lora lora.gguf lora-2.gguf"));
  CHECK(contains(kobold, "--draftmodel draft.gguf"));
  CHECK(contains(kobold, "--draftamount 8"));

  const Launch ollama =
      launch_llama_cpp(LlamaCppProgram::ollama, settings, context, "m.gguf", Shell::posix);
  CHECK(contains(ollama.blocks[0].text,
                 "FROM ./m.gguf\nFROM ./mmproj.gguf\nADAPTER ./lora.gguf\n"
                 "ADAPTER ./lora-2.gguf\nPARAMETER num_ctx"));
  CHECK(ollama.missing == std::vector<std::string>{"draft", "mmproj_cpu"});
}

TEST_CASE("flags follow the release that the estimate is of", "[launch]") {
  LlamaCppSettings settings = on_gpus(1);
  settings.mmap = false;
  settings.load_mtp = true;
  settings.n_draft = 3;
  settings.flash_attention = FlashAttention::on;
  const auto of = [&](LlamaCppRelease release) {
    settings.release = release;
    return command_of(LlamaCppProgram::server, settings);
  };
  const std::string now = of(LlamaCppRelease::v0_5_0);
  CHECK(contains(now, "--load-mode none"));
  CHECK(contains(now, "--spec-type draft-mtp"));
  CHECK(contains(now, "--spec-draft-n-max 3"));
  CHECK_FALSE(contains(now, "--no-mmap"));
  const std::string in_2025 = of(LlamaCppRelease::build_2025_11);
  CHECK(contains(in_2025, "--no-mmap"));
  CHECK(contains(in_2025, "-fa on"));
  CHECK_FALSE(contains(in_2025, "--load-mode"));
  CHECK_FALSE(contains(in_2025, "--spec-"));
  CHECK(contains(of(LlamaCppRelease::build_2025_05), "-fa \\\n"));
}

TEST_CASE("what a program would refuse is named instead of written", "[launch]") {
  LlamaCppSettings settings = on_gpus(1);
  settings.n_ctx = 300'000;
  settings.n_ubatch = 384;  // no power of two
  settings.swa_full = true;
  const Model model = truth_model("Llama-3.2-1B");
  const auto context = normalize(settings, model).value();
  const Launch kobold =
      launch_llama_cpp(LlamaCppProgram::koboldcpp, settings, context, "m.gguf", Shell::posix);
  CHECK_FALSE(contains(kobold.blocks.front().text, "--contextsize"));
  CHECK_FALSE(contains(kobold.blocks.front().text, "--blasbatchsize"));
  CHECK(kobold.missing == std::vector<std::string>{"n_ctx", "n_ubatch", "swa_full"});
}
