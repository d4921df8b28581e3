#include "tests/vectors/vectors.hpp"

#include <cstdint>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/estimate.hpp"
#include "core/inference/llama_cpp/presets.hpp"
#include "core/quantization/format.hpp"
#include "core/quantization/ftype.hpp"
#include "core/study/study.hpp"

namespace meyasu::vectors {
namespace {

std::string between(char open, std::string_view text, char close) {
  std::string result(1, open);
  result += text;
  result += close;
  return result;
}
std::string json_string(std::string_view text) {
  return between('"', text, '"');
}
std::string number(std::int64_t value) {
  return std::to_string(value);
}
std::string member(std::string_view name, const std::string& json) {
  return json_string(name) + ": " + json;
}
std::string joined(const std::vector<std::string>& parts, std::string_view gap) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += gap;
    text += part;
  }
  return text;
}
std::string object(const std::vector<std::string>& members) {
  return between('{', joined(members, ", "), '}');
}
std::string rows(const std::vector<std::string>& items) {
  return "[\n      " + joined(items, ",\n      ") + "\n    ]";
}

std::string_view name_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::exact:
      return "exact";
    case Evidence::derived:
      return "derived";
    case Evidence::measured:
      return "measured";
    case Evidence::assumed:
      return "assumed";
  }
  return "";
}

std::string term_json(const Term& term) {
  return object({member("id", json_string(term.id)), member("device", json_string(term.device)),
                 member("bytes", number(term.bytes)), member("low", number(term.low)),
                 member("high", number(term.high)),
                 member("evidence", json_string(name_of(term.evidence)))});
}
std::string terms_json(const std::vector<Term>& terms) {
  std::vector<std::string> items;
  for (const Term& term : terms) items.push_back(term_json(term));
  return rows(items);
}

const Catalog& catalog() {
  static const Catalog kCatalog = Catalog::built_in().value();
  return kCatalog;
}
Model model_in(std::string_view id) {
  return model_of(*catalog().find(id)).value();
}

std::string case_text(const std::vector<std::string>& members) {
  return "  {\n    " + joined(members, ",\n    ") + "\n  }";
}
std::string file_text(std::string_view about, const std::vector<std::string>& cases) {
  return "{\n" + member("format", "1") + ",\n" + member("about", json_string(about)) + ",\n" +
         member("catalog", json_string(catalog().version())) + ",\n" + member("cases", "[\n") +
         joined(cases, ",\n") + "\n]\n}\n";
}

// --- weights

std::string weights_text() {
  std::vector<std::string> cases;
  for (const char* id : {"meta-llama/Llama-3.1-8B", "google/gemma-3-4b-it", "Qwen/Qwen3-30B-A3B",
                         "openai/gpt-oss-20b", "mistralai/Mistral-7B-v0.1"}) {
    if (catalog().find(id) == nullptr) continue;
    const Model model = model_in(id);
    std::vector<std::string> formats;
    InferenceStudy study(model);
    for (const std::string_view mix :
         {"F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS", "Q3_K_M", "Q2_K"}) {
      const auto quantized = study.quantized_model(mix);
      if (!quantized) continue;
      formats.push_back(object({member("gguf", json_string(mix)),
                                member("bytes", number(quantized.value()->weight_bytes()))}));
    }
    for (const WeightFormat& format : kServingFormats) {
      const std::string name = format_id(format);
      const auto bytes = study.tensor_bytes(name);
      if (!bytes) continue;
      Bytes sum = 0;
      for (const Bytes tensor : bytes.value()) sum += tensor;
      formats.push_back(
          object({member("safetensors", json_string(name)), member("bytes", number(sum))}));
    }
    cases.push_back(case_text({member("model", json_string(id)),
                               member("parameters", number(catalog().find(id)->params_total)),
                               member("formats", rows(formats))}));
  }
  return file_text("bytes of all tensors of a model in a format", cases);
}

// --- llama.cpp

struct LlamaCppCase {
  const char* model;
  const char* mix;
  LlamaCppProgram program;
  const char* program_name;
  std::int64_t context;
  std::int64_t users;
  std::int64_t n_gpu;
  std::int64_t n_gpu_layers;  // negative: all
  std::int64_t n_cpu_moe;
  GgmlType kv;
};
constexpr std::array kLlamaCppCases = {
    LlamaCppCase{"meta-llama/Llama-3.1-8B", "Q4_K_M", LlamaCppProgram::server, "llama-server", 8192,
                 1, 1, -1, 0, GgmlType::F16},
    LlamaCppCase{"meta-llama/Llama-3.1-8B", "Q4_K_M", LlamaCppProgram::server, "llama-server",
                 131072, 1, 1, -1, 0, GgmlType::Q8_0},
    LlamaCppCase{"meta-llama/Llama-3.1-8B", "Q8_0", LlamaCppProgram::cli, "llama-cli", 4096, 1, 0,
                 -1, 0, GgmlType::F16},
    LlamaCppCase{"meta-llama/Llama-3.1-8B", "Q4_K_M", LlamaCppProgram::ollama, "ollama", 4096, 4, 1,
                 20, 0, GgmlType::F16},
    LlamaCppCase{"google/gemma-3-4b-it", "Q8_0", LlamaCppProgram::server, "llama-server", 32768, 1,
                 1, -1, 0, GgmlType::F16},
    LlamaCppCase{"Qwen/Qwen3-30B-A3B", "Q4_K_M", LlamaCppProgram::server, "llama-server", 16384, 1,
                 1, -1, 24, GgmlType::F16},
    LlamaCppCase{"Qwen/Qwen3-32B", "Q4_K_M", LlamaCppProgram::server, "llama-server", 16384, 2, 2,
                 -1, 0, GgmlType::F16},
    LlamaCppCase{"deepseek-ai/DeepSeek-V3", "Q4_K_M", LlamaCppProgram::server, "llama-server", 8192,
                 1, 8, -1, 0, GgmlType::F16},
    LlamaCppCase{"ibm-granite/granite-4.0-h-small", "Q4_K_M", LlamaCppProgram::server,
                 "llama-server", 8192, 1, 1, -1, 0, GgmlType::F16},
};

/// CUDA devices of compute capability 8.9 with 128 multiprocessors, all with the same free memory.
LlamaCppDevice device_number(std::int64_t i) {
  LlamaCppDevice device;
  device.name = "gpu" + std::to_string(i);
  device.n_sm = 128;
  return device;
}

std::string llama_cpp_text() {
  std::vector<std::string> cases;
  for (const LlamaCppCase& it : kLlamaCppCases) {
    if (catalog().find(it.model) == nullptr) continue;
    LlamaCppSettings settings =
        settings_for(it.program, {.context = it.context, .users = it.users}).value();
    settings.type_k = settings.type_v = it.kv;
    settings.n_gpu_layers = it.n_gpu_layers;
    settings.n_cpu_moe = it.n_cpu_moe;
    for (std::int64_t i = 0; i < it.n_gpu; ++i) settings.devices.push_back(device_number(i));
    InferenceStudy study(model_in(it.model));
    const auto estimate = study.llama_cpp(it.mix, settings);
    if (!estimate) continue;
    std::vector<std::string> totals;
    for (std::int64_t i = 0; i <= it.n_gpu; ++i) {
      const std::string place = i == it.n_gpu ? "host" : "gpu" + std::to_string(i);
      totals.push_back(member(place, number(total_on(estimate.value(), place))));
    }
    const std::string inputs = object(
        {member("model", json_string(it.model)), member("mix", json_string(it.mix)),
         member("program", json_string(it.program_name)), member("release", json_string("v0.5.0")),
         member("os", json_string("linux")), member("backend", json_string("cuda")),
         member("n_sm", "128"), member("context", number(it.context)),
         member("users", number(it.users)), member("n_gpu", number(it.n_gpu)),
         member("n_gpu_layers", number(it.n_gpu_layers)), member("n_cpu_moe", number(it.n_cpu_moe)),
         member("type_k", json_string(ggml_type_name(it.kv))),
         member("type_v", json_string(ggml_type_name(it.kv)))});
    cases.push_back(
        case_text({member("inputs", inputs), member("terms", terms_json(estimate.value().terms)),
                   member("totals", object(totals))}));
  }
  return file_text("what llama.cpp allocates, term by term", cases);
}

// --- servers

struct ServingCase {
  const char* model;
  WeightFormat format;
  ServingRuntime runtime;
  const char* runtime_name;
  std::int64_t device_mib;
  std::int64_t tp;
  std::int64_t max_model_len;
  KvCacheType kv;
  const char* kv_name;
};

std::string serving_text() {
  const std::array kCases = {
      ServingCase{"meta-llama/Llama-3.1-8B", plain_format(FormatMethod::bf16), ServingRuntime::vllm,
                  "vllm", 24564, 1, 8192, KvCacheType::bf16, "bf16"},
      ServingCase{"meta-llama/Llama-3.1-8B", plain_format(FormatMethod::fp8_channel),
                  ServingRuntime::vllm, "vllm", 81559, 2, 32768, KvCacheType::fp8, "fp8"},
      ServingCase{"Qwen/Qwen3-32B", awq(128), ServingRuntime::vllm, "vllm", 24564, 2, 16384,
                  KvCacheType::bf16, "bf16"},
      ServingCase{"Qwen/Qwen3-30B-A3B", plain_format(FormatMethod::bf16), ServingRuntime::sglang,
                  "sglang", 81559, 2, 32768, KvCacheType::bf16, "bf16"},
      ServingCase{"google/gemma-3-4b-it", plain_format(FormatMethod::bf16), ServingRuntime::vllm,
                  "vllm", 24564, 1, 32768, KvCacheType::bf16, "bf16"},
      ServingCase{"meta-llama/Llama-3.1-8B", plain_format(FormatMethod::bf16),
                  ServingRuntime::tensorrt_llm, "tensorrt-llm", 81559, 1, 8192, KvCacheType::bf16,
                  "bf16"},
  };
  std::vector<std::string> cases;
  for (const ServingCase& it : kCases) {
    if (catalog().find(it.model) == nullptr) continue;
    ServingSettings settings;
    settings.runtime = it.runtime;
    settings.parallel.tp = it.tp;
    settings.device_total = it.device_mib * kMiB;
    settings.max_model_len = it.max_model_len;
    settings.kv_type = it.kv;
    InferenceStudy study(model_in(it.model));
    const auto estimate = study.serving(format_id(it.format), settings);
    if (!estimate) continue;
    const KvPool& pool = estimate.value().pool;
    const std::string inputs =
        object({member("model", json_string(it.model)),
                member("format", json_string(format_id(it.format))),
                member("runtime", json_string(it.runtime_name)),
                member("device_total_mib", number(it.device_mib)), member("tp", number(it.tp)),
                member("max_model_len", number(it.max_model_len)),
                member("kv_type", json_string(it.kv_name))});
    cases.push_back(case_text(
        {member("inputs", inputs), member("terms", terms_json(estimate.value().terms)),
         member("pool", object({member("block_tokens", number(pool.block_tokens)),
                                member("page_bytes", number(pool.page_bytes)),
                                member("n_pages", number(pool.n_pages)),
                                member("pages_per_request", number(pool.pages_per_request)),
                                member("n_tokens", number(pool.n_tokens))}))}));
  }
  return file_text("what a server runtime takes on each GPU, term by term, and its KV pool", cases);
}

}  // namespace

std::string text_of(std::string_view file) {
  if (file == "weights") return weights_text();
  if (file == "llama_cpp") return llama_cpp_text();
  if (file == "serving") return serving_text();
  return {};
}

}  // namespace meyasu::vectors
