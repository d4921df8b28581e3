// A log against the estimate of the same run.
#include "core/study/log_check.hpp"

#include <catch_amalgamated.hpp>
#include <cstdlib>
#include <string>

#include "tests/unit/support/catalogs.hpp"

namespace meyasu {
namespace {

InferenceStudy study_of(std::string_view id) {
  return InferenceStudy(catalog_model_of(id));
}

const LogRow* find(const LogCheck& check, std::string_view term, std::string_view device) {
  for (const LogRow& row : check.rows) {
    if (row.term == term && row.device == device) return &row;
  }
  return nullptr;
}

std::string reason(const LogCheck& check, std::string_view term, std::string_view device) {
  const LogRow* row = find(check, term, device);
  return row == nullptr ? "no row" : row->reason;
}

/// log001 of truth/llamacpp_wild.csv.
constexpr std::string_view kLog =
    "main: build = 2843 (e8496488)\n"
    "llm_load_print_meta: n_layer          = 32\n"
    "llm_load_print_meta: model ftype      = Q4_K - Medium\n"
    "llm_load_tensors: offloaded 33/33 layers to GPU\n"
    "llm_load_tensors:        CPU buffer size =   281.81 MiB\n"
    "llm_load_tensors:      CUDA0 buffer size =  4403.49 MiB\n"
    "llama_new_context_with_model: n_ctx      = 8192\n"
    "llama_new_context_with_model: n_batch    = 2048\n"
    "llama_new_context_with_model: n_ubatch   = 512\n"
    "llama_new_context_with_model: n_seq_max  = 1\n"
    "llama_new_context_with_model: flash_attn = 0\n"
    "llama_kv_cache_init:      CUDA0 KV buffer size =  1024.00 MiB\n"
    "llama_new_context_with_model: KV self size  = 1024.00 MiB, K (f16):  512.00 MiB, V (f16):  "
    "512.00 MiB\n"
    "llama_new_context_with_model:  CUDA_Host  output buffer size =     0.49 MiB\n"
    "llama_new_context_with_model:      CUDA0 compute buffer size =   560.00 MiB\n";

TEST_CASE("the log's settings are taken over, and its buffers meet ours", "[log]") {
  InferenceStudy study = study_of("meta-llama/Meta-Llama-3-8B");
  // Of the page: another mix, another context, no GPU. The log says better.
  LlamaCppSettings page = settings_for(LlamaCppProgram::cli, {.context = 2048}).value();
  const LogCheck check = check_llama_cpp_log(study, read_log(kLog), "Q8_0", page).value();
  CHECK(check.mix == "Q4_K_M");
  CHECK(reason(check, "weights", "gpu0") == "equal");
  CHECK(reason(check, "weights", "host") == "equal");
  CHECK(reason(check, "kv_cache", "gpu0") == "equal");
  CHECK(reason(check, "output_buffer", "host") == "equal");
  CHECK(reason(check, "runtime_context", "gpu0") == "not_printed");
  CHECK(reason(check, "compute_buffer", "host") == "not_printed");
  REQUIRE(find(check, "compute_buffer", "gpu0") != nullptr);
  CHECK(find(check, "compute_buffer", "gpu0")->logged == 560 * kMiB);
}

/// "name=value name=value"
std::string options_in(std::string_view text) {
  std::string all;
  for (const auto& [name, value] : options_of_log(read_log(text))) {
    all += (all.empty() ? "" : " ") + name + "=" + value;
  }
  return all;
}

TEST_CASE("a log's settings as options of the page", "[log]") {
  CHECK(options_in(kLog) ==
        "mix=Q4_K_M n_ctx=8192 users=1 n_batch=2048 n_ubatch=512 n_gpu_layers=33 type_k=f16 "
        "type_v=f16 flash_attention=off release=2025-05");
  // Four slots with cells of their own: the context of one. Four over one pool: all of it.
  const std::string slots =
      "llama_context: n_seq_max     = 4\nllama_context: n_ctx         = 32768\n"
      "llama_context:      CUDA0 compute buffer size =   560.00 MiB\n";
  CHECK(options_in(slots + "llama_context: kv_unified    = false\n") == "n_ctx=8192 users=4");
  CHECK(options_in(slots + "llama_context: kv_unified    = true\n") == "n_ctx=32768 users=1");
  // What no estimate could take is left out.
  CHECK(options_in("llama_context: n_ctx = 0\nllama_context: n_batch = -1\n").empty());
  CHECK(options_in("INFO Initializing an LLM engine (v0.6.6) with config: model='a/b', "
                   "max_seq_len=8192, tensor_parallel_size=1\n"
                   "INFO model_runner.py:1100] Loading model weights took 14.9888 GB\n") ==
        "runtime=vllm n_ctx=8192");
}

TEST_CASE("another model is called that, not a list of errors of its own", "[log]") {
  InferenceStudy study = study_of("Qwen/Qwen2.5-7B");
  const LlamaCppSettings page = settings_for(LlamaCppProgram::cli, {}).value();
  const LogCheck check = check_llama_cpp_log(study, read_log(kLog), "Q4_K_M", page).value();
  CHECK(reason(check, "weights", "gpu0") == "other_model");
  CHECK(reason(check, "kv_cache", "gpu0") == "other_model");
}

TEST_CASE("a vLLM log: its card, its fraction and its length decide the pool", "[log]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  ServingSettings page;
  page.device_total = 80 * kGiB;  // of the page; the log says 23.58
  const LogReading log = read_log(
      "INFO config.py:100] Initializing an LLM engine (v0.6.6) with config: "
      "model='meta-llama/Llama-3.1-8B', max_seq_len=8192, tensor_parallel_size=1\n"
      "INFO model_runner.py:1100] Loading model weights took 14.9888 GB\n"
      "INFO worker.py:241] the current vLLM instance can use total_gpu_memory (23.58GiB) x "
      "gpu_memory_utilization (0.90) = 21.22GiB\n"
      "INFO worker.py:241] model weights take 14.99GiB; non_torch_memory takes 0.08GiB; PyTorch "
      "activation peak memory takes 1.22GiB; the rest of the memory reserved for KV Cache is "
      "4.93GiB.\n");
  const LogCheck check = check_serving_log(study, log, "bf16", page).value();
  CHECK(reason(check, "weights", "gpu0") == "equal");
  CHECK(reason(check, "non_torch", "gpu0") == "in_range");
  REQUIRE(find(check, "kv_pool", "gpu0") != nullptr);
  CHECK(std::abs(find(check, "kv_pool", "gpu0")->difference()) < kGiB);
}

TEST_CASE("overhead is calibrated from nvidia-smi beside a log, and from the table at exit",
          "[log]") {
  // hand023: one of two A40, 480 MiB by the driver's tool.
  const auto by_tool = measured_overhead(read_log(
      "load_tensors:        CUDA0 model buffer size =    37.86 MiB\n"
      "llama_kv_cache:      CUDA0 KV buffer size =    96.00 MiB\n"
      "llama_context:      CUDA0 compute buffer size =    48.91 MiB\n"
      "|   0  NVIDIA A40                     Off |   00000000:01:00.0 Off |                  0 |\n"
      "|    0   N/A  N/A      4242      C   ./llama-server                                480MiB "
      "|\n"));
  REQUIRE(by_tool.size() == 1);
  CHECK(by_tool[0].device == "gpu0");
  CHECK(by_tool[0].name == "NVIDIA A40");
  CHECK(by_tool[0].from_nvidia_smi);
  CHECK(by_tool[0].bytes / kMiB == 297);
  const auto by_table = measured_overhead(read_log(
      "llama_memory_breakdown_print: |   - CUDA0 (RTX 4060 Ti) | 16379 = 1028 + (14200 = 13000 +  "
      "1000 +    200) +       1151 |\n"));
  REQUIRE(by_table.size() == 1);
  CHECK(by_table[0].bytes == 1151 * kMiB);
  CHECK(measured_overhead(read_log(kLog)).empty());
}

TEST_CASE("a measured overhead replaces the two terms of the estimate", "[log]") {
  InferenceStudy study = study_of("meta-llama/Meta-Llama-3-8B");
  LlamaCppSettings settings = settings_for(LlamaCppProgram::cli, {}).value();
  settings.devices.resize(1);
  settings.devices[0].measured_overhead = 300 * kMiB;
  const LlamaCppEstimate estimate = study.llama_cpp("Q4_K_M", settings).value();
  Bytes beside = 0;
  for (const Term& term : estimate.terms) {
    if (term.id != "runtime_context" && term.id != "runtime_overhead") continue;
    beside += term.bytes;
    CHECK(term.low == term.high);
    CHECK(term.evidence == Evidence::measured);
  }
  CHECK(beside == 300 * kMiB);
}

TEST_CASE("truth rows: one line a buffer, names with commas quoted", "[log]") {
  const std::string rows =
      truth_rows(read_log("print_info: general.name     = Llama, the third\n"
                          "load_tensors:        CUDA0 model buffer size =  4403.49 MiB\n"));
  CHECK(rows.find("component,MiB\n") != std::string::npos);
  CHECK(rows.find("CUDA0,weights,4403.49\n") != std::string::npos);
}

}  // namespace
}  // namespace meyasu
