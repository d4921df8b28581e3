// Start-up logs as people paste them: the numbers are those of truth/llamacpp_wild.csv and
// serving.csv, the lines those that the runtimes print.
#include "core/readers/log.hpp"

#include <catch_amalgamated.hpp>
#include <string>

namespace meyasu {
namespace {

double mib_of(const LogReading& log, std::string_view term, std::string_view place) {
  for (const LogBuffer& buffer : log.buffers) {
    if (buffer.term == term && buffer.place == place) {
      return static_cast<double>(buffer.bytes) / static_cast<double>(kMiB);
    }
  }
  return -1;
}

constexpr double kPrinted = 0.005;  // MiB: half of the last digit

TEST_CASE("a llama.cpp log of 2024: every buffer, and the settings it ran with", "[log]") {
  const LogReading log = read_log(
      "main: build = 2843 (e8496488)\n"
      "llama_model_loader: loaded meta data with 22 key-value pairs and 291 tensors from "
      "/models/ggml-model-Q4_K_M.gguf (version GGUF V3 (latest))\n"
      "llm_load_print_meta: arch             = llama\n"
      "llm_load_print_meta: n_ctx_train      = 8192\n"
      "llm_load_print_meta: n_embd           = 4096\n"
      "llm_load_print_meta: n_layer          = 32\n"
      "llm_load_print_meta: model ftype      = Q4_K - Medium\n"
      "llm_load_print_meta: general.name     = Meta-Llama-3-8B\n"
      "ggml_cuda_init: found 1 CUDA devices:\n"
      "llm_load_tensors: offloaded 33/33 layers to GPU\n"
      "llm_load_tensors:        CPU buffer size =   281.81 MiB\n"
      "llm_load_tensors:      CUDA0 buffer size =  4403.49 MiB\n"
      "llama_new_context_with_model: n_ctx      = 8192\r\n"
      "llama_new_context_with_model: n_batch    = 2048\n"
      "llama_new_context_with_model: n_ubatch   = 512\n"
      "llama_new_context_with_model: flash_attn = 0\n"
      "llama_kv_cache_init:      CUDA0 KV buffer size =  1024.00 MiB\n"
      "llama_new_context_with_model: KV self size  = 1024.00 MiB, K (f16):  512.00 MiB, V (f16):  "
      "512.00 MiB\n"
      "llama_new_context_with_model:  CUDA_Host  output buffer size =     0.49 MiB\n"
      "llama_new_context_with_model:      CUDA0 compute buffer size =   560.00 MiB\n"
      "llama_new_context_with_model:  CUDA_Host compute buffer size =    24.01 MiB\n");
  CHECK(log.source == LogSource::llama_cpp);
  CHECK(mib_of(log, "weights", "CPU") == Catch::Approx(281.81).margin(kPrinted));
  CHECK(mib_of(log, "weights", "CUDA0") == Catch::Approx(4403.49).margin(kPrinted));
  CHECK(mib_of(log, "kv_cache", "CUDA0") == 1024);
  CHECK(mib_of(log, "output_buffer", "CUDA_Host") == Catch::Approx(0.49).margin(kPrinted));
  CHECK(mib_of(log, "compute_buffer", "CUDA0") == 560);
  CHECK(mib_of(log, "compute_buffer", "CUDA_Host") == Catch::Approx(24.01).margin(kPrinted));
  CHECK(log.number("n_ctx") == 8192);
  CHECK(log.number("n_ubatch") == 512);
  CHECK(log.number("build") == 2843);
  CHECK(log.number("n_gpu_layers") == 33);
  CHECK(log.fact("ftype") == "Q4_K - Medium");
  CHECK(log.fact("file") == "ggml-model-Q4_K_M.gguf");
  CHECK(log.fact("model") == "Meta-Llama-3-8B");
  CHECK(log.fact("type_k") == "f16");
}

TEST_CASE("window caches have their own lines, and a draft model does not overwrite the first",
          "[log]") {
  const LogReading log = read_log(
      "print_info: n_embd = 3840\nprint_info: n_layer = 48\n"
      "load_tensors:        CUDA0 model buffer size =  6956.38 MiB\n"
      "llama_context: n_ctx         = 32768\n"
      "llama_kv_cache_iswa: creating non-SWA KV cache, size = 32768 cells\n"
      "llama_kv_cache:      CUDA0 KV buffer size =  2048.00 MiB\n"
      "llama_kv_cache_iswa: creating     SWA KV cache, size = 1536 cells\n"
      "llama_kv_cache:      CUDA0 KV buffer size =   480.00 MiB\n"
      "llama_context:      CUDA0 compute buffer size =   519.62 MiB\n"
      "print_info: n_embd = 1152\nprint_info: n_layer = 26\n"
      "load_tensors:        CUDA0 model buffer size =   762.49 MiB\n"
      "llama_context: n_ctx         = 4096\n"
      "llama_context:      CUDA0 compute buffer size =   514.25 MiB\n");
  CHECK(log.second_model);
  CHECK(mib_of(log, "kv_cache", "CUDA0") == 2048);
  CHECK(mib_of(log, "kv_cache_window", "CUDA0") == 480);
  CHECK(mib_of(log, "weights", "CUDA0") == Catch::Approx(6956.38).margin(kPrinted));
  CHECK(mib_of(log, "compute_buffer", "CUDA0") == Catch::Approx(519.62).margin(kPrinted));
  CHECK(log.number("n_ctx") == 32768);
}

TEST_CASE("llama.cpp's table at exit gives what no line explains; that of fitting does not",
          "[log]") {
  const LogReading log = read_log(
      "llama_model_load_from_file_impl: using device CUDA0 (NVIDIA GeForce RTX 4060 Ti) "
      "(0000:01:00.0) - 15828 MiB free\n"
      "llama_memory_breakdown_print: | memory breakdown [MiB]  | total   free     self   model   "
      "context   compute    unaccounted |\n"
      "llama_memory_breakdown_print: |   - CUDA0 (RTX 4060 Ti) | 16379 = 1028 + (14200 = 13000 +  "
      "1000 +    200) +       1151 |\n"
      "llama_memory_breakdown_print: |   - Host                |         700 =   600 +     0 +    "
      "100                |\n");
  REQUIRE(log.devices.size() == 1);
  CHECK(log.devices[0].name == "NVIDIA GeForce RTX 4060 Ti");
  CHECK(log.devices[0].free == 15828 * kMiB);
  CHECK(log.devices[0].total == 16379 * kMiB);
  CHECK(log.devices[0].unaccounted == 1151 * kMiB);
  const LogReading fitting = read_log(
      "llama_memory_breakdown_print: |   - CUDA0 (X) | 16379 = 15000 + (14200 = 13000 + 1000 + "
      "200) + -12821 |\n");
  REQUIRE(fitting.devices.size() == 1);
  CHECK(fitting.devices[0].unaccounted == -1);
}

TEST_CASE("Ollama's own lines beside llama.cpp's", "[log]") {
  const LogReading log = read_log(
      "time=2026-02-01T10:00:00.000Z level=INFO source=server.go:400 msg=\"starting runner\" "
      "cmd=\"/usr/bin/ollama runner --model /m/sha256-1 --ctx-size 8192 --batch-size 512 "
      "--n-gpu-layers 33 --parallel 2\"\n"
      "time=2026-02-01T10:00:01.000Z level=INFO source=device.go:240 msg=\"model weights\" "
      "device=CUDA0 size=\"4.3 GiB\"\n"
      "time=2026-02-01T10:00:01.000Z level=INFO source=device.go:251 msg=\"kv cache\" device=CUDA0 "
      "size=\"1.0 GiB\"\n"
      "time=2026-02-01T10:00:01.000Z level=INFO source=device.go:262 msg=\"compute graph\" "
      "device=CUDA0 size=\"560.0 MiB\"\n");
  CHECK(log.source == LogSource::ollama);
  CHECK(mib_of(log, "kv_cache", "CUDA0") == 1024);
  CHECK(mib_of(log, "compute_buffer", "CUDA0") == 560);
  CHECK(log.number("n_ctx") == 8192);
  CHECK(log.number("users") == 2);
  // One digit was printed: the truth is within a tenth of a GiB.
  CHECK(log.buffers[0].rounding >= kGiB / 10);
}

TEST_CASE("vLLM: the profile of V0 and the lines of V1", "[log]") {
  const LogReading old = read_log(
      "INFO 12-01 10:00:00 config.py:100] Initializing an LLM engine (v0.6.6) with config: "
      "model='meta-llama/Llama-3.1-8B', max_seq_len=8192, tensor_parallel_size=1, "
      "quantization=None, kv_cache_dtype=auto\n"
      "INFO 12-01 10:00:10 model_runner.py:1100] Loading model weights took 14.9888 GB\n"
      "INFO 12-01 10:00:12 worker.py:241] the current vLLM instance can use total_gpu_memory "
      "(23.58GiB) x gpu_memory_utilization (0.90) = 21.22GiB\n"
      "INFO 12-01 10:00:12 worker.py:241] model weights take 14.99GiB; non_torch_memory takes "
      "0.08GiB; PyTorch activation peak memory takes 1.22GiB; the rest of the memory reserved for "
      "KV Cache is 4.93GiB.\n"
      "INFO 12-01 10:00:13 executor.py:76] # GPU blocks: 2524, # CPU blocks: 2048\n");
  CHECK(old.source == LogSource::vllm);
  CHECK(old.fact("model") == "meta-llama/Llama-3.1-8B");
  CHECK(old.number("n_ctx") == 8192);
  CHECK(old.fact("memory_fraction") == "0.90");
  CHECK(old.number("n_blocks") == 2524);
  CHECK(mib_of(old, "activations", "gpu0") == Catch::Approx(1.22 * 1024).margin(0.01));
  const LogReading now = read_log(
      "INFO 02-01 10:00:10 [gpu_model_runner.py:1801] Model loading took 14.9888 GiB and 3.2 "
      "seconds\n"
      "INFO 02-01 10:00:12 [gpu_worker.py:227] Available KV cache memory: 4.93 GiB\n"
      "INFO 02-01 10:00:12 [kv_cache_utils.py:715] GPU KV cache size: 40,384 tokens\n"
      "INFO 02-01 10:00:30 [gpu_model_runner.py:2200] Graph capturing finished in 17 secs, took "
      "0.35 GiB\n");
  CHECK(now.number("n_tokens") == 40384);
  CHECK(mib_of(now, "kv_pool", "gpu0") == Catch::Approx(4.93 * 1024).margin(0.01));
  CHECK(mib_of(now, "cuda_graphs", "gpu0") == Catch::Approx(0.35 * 1024).margin(0.01));
}

TEST_CASE("SGLang: its GB are GiB, K and V are one pool", "[log]") {
  const LogReading log = read_log(
      "[2026-02-01 10:00:00] server_args=ServerArgs(model_path='Qwen/Qwen3-235B-A22B-FP8', "
      "context_length=None, mem_fraction_static=0.93, tp_size=4, chunked_prefill_size=8192)\n"
      "[2026-02-01 10:01:00 TP0] Load weight end. type=Qwen3MoeForCausalLM, dtype=torch.bfloat16, "
      "avail mem=22.00 GB, mem usage=55.20 GB.\n"
      "[2026-02-01 10:01:01 TP0] KV Cache is allocated. #tokens: 367404, K size: 8.23 GB, V size: "
      "8.23 GB\n");
  CHECK(log.source == LogSource::sglang);
  CHECK(log.number("n_tokens") == 367404);
  CHECK(log.number("tp") == 4);
  CHECK(log.fact("memory_fraction") == "0.93");
  CHECK(log.number("n_ctx") == -1);
  CHECK(mib_of(log, "kv_pool", "gpu0") == Catch::Approx(2 * 8.23 * 1024).margin(0.01));
}

TEST_CASE("nvidia-smi: cards, their totals, and what a process holds", "[log]") {
  const LogReading log = read_log(
      "| NVIDIA-SMI 550.54.14     Driver Version: 550.54.14     CUDA Version: 12.4     |\n"
      "|   0  NVIDIA A40                     Off |   00000000:01:00.0 Off |                  0 |\n"
      "|  0%   30C    P8             30W /  300W |     480MiB /  46068MiB |      0%      Default "
      "|\n"
      "|    0   N/A  N/A      4242      C   ./llama-server                                480MiB "
      "|\n"
      "|    0   N/A  N/A      1000      G   /usr/lib/xorg/Xorg                             45MiB "
      "|\n");
  CHECK(log.source == LogSource::nvidia_smi);
  REQUIRE(log.devices.size() == 1);
  CHECK(log.devices[0].place == "CUDA0");
  CHECK(log.devices[0].name == "NVIDIA A40");
  CHECK(log.devices[0].total == 46068 * kMiB);
  CHECK(log.devices[0].process == 480 * kMiB);
}

TEST_CASE("what is no log gives nothing, and hostile text stays bounded", "[log]") {
  CHECK(read_log("").source == LogSource::unknown);
  CHECK(read_log("こんにちは\nhello = world").source == LogSource::unknown);
  std::string many;
  for (int i = 0; i < 5000; ++i) {
    many +=
        "load_tensors: CUDA" + std::to_string(i) + " model buffer size = 99999999999999.99 MiB\n";
    many += "load_tensors: X" + std::to_string(i) + " model buffer size = 1.00 MiB\n";
  }
  many += std::string(100'000, '=') + "\n|\n| - |   - \n buffer size = \n offloaded /\n K (\n";
  const LogReading log = read_log(many);
  CHECK(log.buffers.size() == 256);
  for (const LogBuffer& buffer : log.buffers) CHECK(buffer.bytes == kMiB);
}

}  // namespace
}  // namespace meyasu
