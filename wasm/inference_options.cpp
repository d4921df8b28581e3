#include "wasm/inference_options.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

#include "core/inference/llama_cpp/overrides.hpp"
#include "core/inference/machine.hpp"

namespace meyasu {

using emscripten::val;

namespace {

/// Errors about a machine stand in fields "machine.…".
template <class Value>
Result<Value> in_machine(Result<Value> result) {
  if (result) return result;
  const Error& error = result.error();
  return Error{error.code, "machine." + error.field, error.detail};
}

/// The machine in "machine".
Result<Machine> machine_of(const val& options) {
  return in_machine(machine_from_js(options["machine"]));
}

Result<std::vector<Bytes>> usable_of_devices(const Machine& machine) {
  std::vector<Bytes> usable;
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const auto capacity = device_capacity(machine, machine.devices[i]);
    if (!capacity) {
      const Error& error = capacity.error();
      return Error{error.code, "machine.devices." + std::to_string(i) + ".reserve_gib",
                   error.detail};
    }
    usable.push_back(capacity.value().usable.bytes);
  }
  return usable;
}

/// "20,13" as parts; false where one is no number.
bool read_split(const std::string& text, std::vector<double>& parts) {
  if (text.empty()) return true;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    char* rest = nullptr;
    parts.push_back(std::strtod(part.c_str(), &rest));
    if (part.empty() || *rest != 0 || !std::isfinite(parts.back())) return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

Result<LlamaCppQuestion> llama_cpp_from_js(const val& object) {
  Options options(object);
  LlamaCppProgram program = LlamaCppProgram::server;
  options.read("runtime", kPrograms, program);
  Workload workload;
  options.read("n_ctx", workload.context);
  options.read("users", workload.users);
  if (options.error()) return *options.error();
  const auto preset = settings_for(program, workload);
  if (!preset) return preset.error();

  LlamaCppQuestion question;
  question.program = program;
  question.mix = options.text("mix").value_or("");
  LlamaCppSettings& settings = question.settings;
  settings = preset.value();
  options.read("n_batch", settings.n_batch);
  options.read("n_ubatch", settings.n_ubatch);
  options.read("type_k", settings.type_k);
  options.read("type_v", settings.type_v);
  options.read("flash_attention", kFlashAttention, settings.flash_attention);
  options.read("swa_full", settings.swa_full);
  options.read("offload_kv", settings.offload_kv);
  options.read("n_gpu_layers", settings.n_gpu_layers);
  options.read("cpu_moe", settings.cpu_moe);
  options.read("n_cpu_moe", settings.n_cpu_moe);
  options.read("mmap", settings.mmap);
  if (!read_split(options.text("tensor_split").value_or(""), settings.tensor_split)) {
    return Error{"not_number", "tensor_split", {}};
  }
  options.read("release", kReleases, settings.release);
  auto machine = machine_of(object);
  if (!machine) return machine.error();
  settings.os = machine.value().os;
  std::optional<LlamaCppBackend> backend;
  if (options.given("backend")) options.read("backend", kBackends, backend.emplace());
  if (options.error()) return *options.error();
  const LlamaCppBackend used = backend.value_or(usual_backend(machine.value()));
  auto devices = llama_cpp_devices(machine.value(), used);
  if (!devices) return devices.error();
  settings.devices = std::move(devices.value());
  auto overrides = parse_overrides(options.text("overrides").value_or(""), settings.devices);
  if (!overrides) return overrides.error();
  settings.overrides = std::move(overrides.value());
  const auto host = in_machine(host_room(machine.value()));
  if (!host) return host.error();
  question.room.host_usable = host.value();
  question.speed = speed_machine(machine.value());
  question.workload = usual_question(workload.context, workload.users);
  return question;
}

Result<LlamaCppQuestion> llama_cpp_from_js(InferenceStudy& study, const val& object) {
  auto question = llama_cpp_from_js(object);
  if (!question) return question;
  Options options(object);
  PartsQuestion asked;
  options.read("mmproj_mib", asked.mmproj_mib);
  options.read("mmproj_on_gpu", asked.mmproj_on_gpu);
  options.read("lora_rank", asked.lora_rank);
  options.read("n_lora", asked.n_lora);
  options.read("lora_targets", kAdapterTargets, asked.lora_targets);
  asked.draft = options.text("draft").value_or("");
  asked.draft_mix = options.text("draft_mix").value_or("");
  LlamaCppSettings& settings = question.value().settings;
  std::int64_t n_draft = 0;
  options.read("n_draft", n_draft);
  options.read("mtp", settings.load_mtp);
  if (options.error()) return *options.error();
  if (!asked.draft.empty() || settings.load_mtp) settings.n_draft = n_draft;
  auto parts = study.parts(asked, model_catalog());
  if (!parts) return parts.error();
  settings.parts = std::move(parts.value());
  return question;
}

Result<ServingQuestion> serving_from_js(const val& object) {
  Options options(object);
  ServingQuestion question;
  ServingSettings& settings = question.settings;
  options.read("runtime", kServers, settings.runtime);
  options.read("n_ctx", settings.max_model_len);
  options.read("users", settings.users);
  options.read("kv_type", kServerKvTypes, settings.kv_type);
  options.read("memory_fraction", settings.memory_fraction);
  options.read("max_num_seqs", settings.max_num_seqs);
  options.read("max_num_batched_tokens", settings.max_num_batched_tokens);
  options.read("enforce_eager", settings.enforce_eager);
  question.format = options.text("format").value_or("");
  if (options.error()) return *options.error();
  const auto machine = machine_of(object);
  if (!machine) return machine.error();
  const auto usable = usable_of_devices(machine.value());
  if (!usable) return usable.error();
  // Every GPU holds the same share: the smallest decides.
  if (!usable.value().empty()) {
    settings.device_total = *std::min_element(usable.value().begin(), usable.value().end());
  }
  settings.parallel.tp = std::max<std::int64_t>(machine.value().n_devices(), 1);
  for (const MachineDevice& kind : machine.value().devices) {
    if (!question.gpu || kind.device.bandwidth_gb_s < question.gpu->bandwidth_gb_s) {
      question.gpu = kind.device;
    }
  }
  settings.is_a100 = question.gpu && names_a100(question.gpu->name);
  question.workload = usual_question(settings.max_model_len, settings.users);
  if (settings.users < 1) return Error{"users_range", "users", "1.."};
  // Zero would mean the model's own length; here somebody typed it.
  if (settings.max_model_len < 1) return Error{"ctx_range", "n_ctx", "1.."};
  return question;
}

Result<LibraryQuestion> library_from_js(const val& object) {
  Options options(object);
  LibraryQuestion question;
  options.read("runtime", kLibraries, question.runtime);
  options.read("n_ctx", question.context);
  options.read("users", question.users);
  options.read("prompt", question.prompt);
  options.read("attention", kLibraryAttention, question.attention);
  options.read("cache", kLibraryCache, question.cache);
  options.read("k_bits", question.k_bits);
  options.read("v_bits", question.v_bits);
  question.format = options.text("format").value_or("");
  if (options.error()) return *options.error();
  const auto machine = machine_of(object);
  if (!machine) return machine.error();
  auto gpus = library_gpus(question.runtime, machine.value());
  if (!gpus) return gpus.error();
  question.gpus = std::move(gpus.value());
  const auto host = in_machine(host_room(machine.value()));
  if (!host) return host.error();
  question.host_usable = host.value();
  return question;
}

val to_js(const Fit& fit) {
  return object({{"usable", to_js(fit.usable)},
                 {"low", to_js(fit.low)},
                 {"likely", to_js(fit.likely)},
                 {"high", to_js(fit.high)},
                 {"margin", to_js(fit.margin())},
                 {"verdict", to_js(verdict_name(fit.verdict()))}});
}

val to_js(const PlaceFit& place) {
  return object({{"device", to_js(place.device)},
                 {"fit", to_js(place.fit)},
                 {"binding_term", to_js(place.binding_term)},
                 {"binding_bytes", to_js(place.binding_bytes)}});
}

}  // namespace meyasu
