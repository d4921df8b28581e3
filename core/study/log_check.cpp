#include "core/study/log_check.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>

#include "core/quantization/ftype.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

std::string device_of_place(const LogReading& log, std::string_view place) {
  const int gpu = gpu_of_place(place);
  if (gpu < 0) return "host";
  // Logs number the cards of the machine, estimates those that are used.
  std::vector<int> used;
  for (const LogBuffer& buffer : log.buffers) used.push_back(gpu_of_place(buffer.place));
  sort_items(used, std::less<>{});
  used.erase(std::unique(used.begin(), used.end()), used.end());
  std::erase(used, -1);
  const auto at = std::find(used.begin(), used.end(), gpu);
  return "gpu" + std::to_string(at == used.end() ? gpu : at - used.begin());
}

/// All kinds of weights as one: logs of different builds divide them differently.
std::string_view family_of(std::string_view term) {
  if (term.substr(0, 8) == "weights_") return "weights";
  return term;
}

LogRow& row_of(std::vector<LogRow>& rows, std::string_view term, const std::string& device) {
  for (LogRow& row : rows) {
    if (row.term == term && row.device == device) return row;
  }
  LogRow& made = rows.emplace_back();
  made.term = term;
  made.device = device;
  return made;
}

/// Both sides of every term, without reasons.
std::vector<LogRow> rows_of(const LogReading& log, const std::vector<Term>& terms) {
  std::vector<LogRow> rows;
  for (const Term& term : terms) {
    if (term.bytes == 0 && term.high == 0) continue;
    LogRow& row = row_of(rows, family_of(term.id), term.device);
    row.estimated = row.estimated.value_or(0) + term.bytes;
    row.low += term.low;
    row.high += term.high;
  }
  for (const LogBuffer& buffer : log.buffers) {
    if (buffer.bytes == 0) continue;
    LogRow& row = row_of(rows, family_of(buffer.term), device_of_place(log, buffer.place));
    row.logged = row.logged.value_or(0) + buffer.bytes;
    row.rounding += buffer.rounding;
  }
  return rows;
}

Bytes distance(Bytes a, Bytes b) {
  return a > b ? a - b : b - a;
}

bool weights_agree_in_all(const std::vector<LogRow>& rows) {
  Bytes logged = 0;
  Bytes estimated = 0;
  for (const LogRow& row : rows) {
    if (row.term != "weights") continue;
    logged += row.logged.value_or(0);
    estimated += row.estimated.value_or(0);
  }
  // Mapped files are printed with the pages at their ends; tables may lie on both sides.
  return distance(logged, estimated) <= logged / 50;
}

void add_reasons(std::vector<LogRow>& rows, bool older_build) {
  const bool same_model = weights_agree_in_all(rows);
  for (LogRow& row : rows) {
    if (!row.logged) {
      row.reason = row.term == "weights" ? "other_place" : "not_printed";
    } else if (!row.estimated) {
      row.reason = row.term == "weights" ? "other_place" : "no_estimate";
    } else if (distance(*row.estimated, *row.logged) <= row.rounding) {
      row.reason = "equal";
    } else if (*row.logged >= row.low && *row.logged <= row.high) {
      row.reason = "in_range";
    } else if (row.term == "weights") {
      row.reason = same_model ? "other_place" : "other_model";
    } else if (!same_model) {
      row.reason = "other_model";
    } else if (row.term == "compute_buffer" && older_build) {
      row.reason = "other_build";
    } else {
      row.reason = "other_settings";
    }
  }
}

LlamaCppBackend backend_of_place(std::string_view place) {
  if (place.substr(0, 4) == "ROCm") return LlamaCppBackend::rocm;
  if (place.substr(0, 6) == "Vulkan") return LlamaCppBackend::vulkan;
  if (place.substr(0, 4) == "SYCL") return LlamaCppBackend::sycl;
  if (place.substr(0, 3) == "Met" || place.substr(0, 3) == "MTL") return LlamaCppBackend::metal;
  return LlamaCppBackend::cuda;
}

std::int64_t build_of(const LogReading& log) {
  // "6168 (092fd845) with cc ...": numbers of less than three digits are versions of something
  // else.
  const std::int64_t build = log.number("build");
  return build >= 100 ? build : -1;
}

void set_if_known(const LogReading& log, std::string_view name, std::int64_t& target) {
  const std::int64_t value = log.number(name);
  if (value > 0) target = value;
}

std::string escaped(std::string_view value) {
  if (value.find_first_of(",\"\n") == std::string_view::npos) return std::string(value);
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + "\"";
}

/// With two decimals, as logs print MiB.
std::string mib_text(Bytes bytes) {
  const Bytes hundredths = (bytes * 100 + kMiB / 2) / kMiB;
  std::string cents = std::to_string(hundredths % 100);
  if (cents.size() == 1) cents.insert(cents.begin(), '0');
  return std::to_string(hundredths / 100) + "." + cents;
}

}  // namespace

std::string mix_of_log(const LogReading& log, std::string_view fallback) {
  std::string_view name = log.fact("ftype");
  const std::size_t note = name.find(" (");  // "(guessed)"
  const auto ftype = ftype_from_name(name.substr(0, note));
  return std::string(ftype ? ftype_info(*ftype).name : fallback);
}

LlamaCppSettings settings_of_log(const LogReading& log, LlamaCppSettings settings) {
  set_if_known(log, "n_ctx", settings.n_ctx);
  set_if_known(log, "n_batch", settings.n_batch);
  set_if_known(log, "n_ubatch", settings.n_ubatch);
  set_if_known(log, "users", settings.n_seq);
  if (log.number("users") > 0 && settings.n_outputs_max > 0)
    settings.n_outputs_max = settings.n_seq;
  if (const auto unified = log.fact("kv_unified"); !unified.empty()) {
    settings.kv_unified = unified == "true" || unified == "1";
  }
  if (const auto type = ggml_type_from_name(log.fact("type_k"))) settings.type_k = *type;
  if (const auto type = ggml_type_from_name(log.fact("type_v"))) settings.type_v = *type;
  const std::string_view flash = log.fact("flash_attention");
  if (flash == "1" || flash == "enabled" || flash == "true") {
    settings.flash_attention = FlashAttention::on;
  } else if (flash == "0" || flash == "disabled" || flash == "false") {
    settings.flash_attention = FlashAttention::off;
  }
  if (log.number("n_gpu_layers") >= 0) settings.n_gpu_layers = log.number("n_gpu_layers");
  // Window caches and row-wise cache writes came in 2025-05 and 2025-07 (builds from 5430 on), F16
  // masks early in 2026 (8000 and up).
  constexpr std::int64_t kWindowCaches = 5430;
  constexpr std::int64_t kHalfMasks = 8000;
  if (const std::int64_t build = build_of(log); build > 0) {
    settings.release = build < kWindowCaches ? LlamaCppRelease::build_2025_05
                       : build < kHalfMasks  ? LlamaCppRelease::build_2025_11
                                             : LlamaCppRelease::v0_5_0;
  }
  std::vector<LlamaCppDevice> devices;
  for (const LogBuffer& buffer : log.buffers) {
    const int gpu = gpu_of_place(buffer.place);
    if (gpu < 0) continue;
    const std::string name = device_of_place(log, buffer.place);
    const bool known = std::any_of(devices.begin(), devices.end(),
                                   [&](const LlamaCppDevice& made) { return made.name == name; });
    if (known) continue;
    LlamaCppDevice device;
    const auto number = static_cast<std::size_t>(std::atoi(name.c_str() + 3));
    if (number < settings.devices.size()) device = settings.devices[number];
    device.name = name;
    device.backend = backend_of_place(buffer.place);
    const bool wide =
        device.backend == LlamaCppBackend::cuda || device.backend == LlamaCppBackend::rocm;
    device.alignment = wide ? 128 : 32;
    for (const LogDevice& seen : log.devices) {
      if (seen.place == buffer.place && seen.free > 0) device.free = seen.free;
    }
    devices.push_back(std::move(device));
  }
  sort_items(devices, [](const LlamaCppDevice& a, const LlamaCppDevice& b) {
    return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
  });
  if (!log.buffers.empty()) settings.devices = std::move(devices);
  return settings;
}

std::vector<LogFact> options_of_log(const LogReading& log) {
  std::vector<LogFact> options;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) options.push_back({std::string(name), std::string(value)});
  };
  const auto put_count = [&](std::string_view name, std::int64_t count, std::int64_t least) {
    if (count >= least) put(name, std::to_string(count));
  };
  const bool server = log.source == LogSource::vllm || log.source == LogSource::sglang;
  if (server) {
    put("runtime", log_source_name(log.source));
    put_count("n_ctx", log.number("n_ctx"), 1);
    const std::string fraction(log.fact("memory_fraction"));
    const double share = std::strtod(fraction.c_str(), nullptr);
    if (share > 0 && share <= 1) put("memory_fraction", fraction);
    if (log.fact("kv_type").substr(0, 3) == "fp8") put("kv_type", "fp8");
    return options;
  }
  const LlamaCppSettings settings = settings_of_log(log, {});
  if (log.source == LogSource::ollama) put("runtime", "ollama");
  put("mix", mix_of_log(log, {}));
  // Of several slots with cells of their own each has its part of the context; one pool is a whole.
  const std::int64_t slots = log.number("users");
  const std::int64_t users = slots > 1 && !settings.kv_unified ? slots : 1;
  put_count("n_ctx", log.number("n_ctx") / users, 1);
  if (slots > 0) put_count("users", users, 1);
  put_count("n_batch", log.number("n_batch"), 1);
  put_count("n_ubatch", log.number("n_ubatch"), 1);
  put_count("n_gpu_layers", log.number("n_gpu_layers"), 0);
  for (const std::string_view name : {"type_k", "type_v"}) {
    if (ggml_type_from_name(log.fact(name))) put(name, log.fact(name));
  }
  if (settings.flash_attention == FlashAttention::on) put("flash_attention", "on");
  if (settings.flash_attention == FlashAttention::off) put("flash_attention", "off");
  if (build_of(log) > 0) {
    put("release", release_name(settings.release));
  }
  return options;
}

Result<LogCheck> check_llama_cpp_log(InferenceStudy& study, const LogReading& log,
                                     std::string_view mix, const LlamaCppSettings& settings) {
  LogCheck check;
  check.mix = mix_of_log(log, mix);
  const LlamaCppSettings used = settings_of_log(log, settings);
  const auto estimate = study.llama_cpp(check.mix, used);
  if (!estimate) return estimate.error();
  check.rows = rows_of(log, estimate.value().terms);
  for (const MeasuredOverhead& measured : measured_overhead(log)) {
    // The two terms for what is not printed are one number in a measurement.
    LogRow& row = row_of(check.rows, "runtime_overhead", measured.device);
    const auto context =
        std::find_if(check.rows.begin(), check.rows.end(), [&](const LogRow& other) {
          return other.term == "runtime_context" && other.device == measured.device;
        });
    row.logged = measured.bytes;
    row.rounding = kMiB;
    if (context == check.rows.end() || &*context == &row) continue;
    row.estimated = row.estimated.value_or(0) + context->estimated.value_or(0);
    row.low += context->low;
    row.high += context->high;
    check.rows.erase(context);
  }
  add_reasons(check.rows, used.release != kNewestRelease);
  return check;
}

Result<LogCheck> check_serving_log(InferenceStudy& study, const LogReading& log,
                                   std::string_view format, const ServingSettings& settings) {
  ServingSettings used = settings;
  used.runtime = log.source == LogSource::sglang ? ServingRuntime::sglang : ServingRuntime::vllm;
  set_if_known(log, "n_ctx", used.max_model_len);
  set_if_known(log, "tp", used.parallel.tp);
  set_if_known(log, "max_num_seqs", used.max_num_seqs);
  set_if_known(log, "max_num_batched_tokens", used.max_num_batched_tokens);
  const std::string fraction(log.fact("memory_fraction"));
  const double share = std::strtod(fraction.c_str(), nullptr);
  if (share > 0 && share <= 1) used.memory_fraction = share;
  if (log.fact("kv_type").substr(0, 3) == "fp8") used.kv_type = KvCacheType::fp8;
  for (const LogDevice& device : log.devices) {
    if (device.total > 0) used.device_total = device.total;
    if (!device.name.empty()) used.is_a100 = names_a100(device.name);
  }
  const auto estimate = study.serving(format, used);
  if (!estimate) return estimate.error();
  LogCheck check;
  check.mix = format;
  check.rows = rows_of(log, estimate.value().terms);
  add_reasons(check.rows, false);
  return check;
}

std::vector<MeasuredOverhead> measured_overhead(const LogReading& log) {
  std::vector<MeasuredOverhead> found;
  for (const LogDevice& device : log.devices) {
    MeasuredOverhead measured{device_of_place(log, device.place), device.name, 0, false};
    if (device.unaccounted >= 0) {
      measured.bytes = device.unaccounted;
    } else if (device.process > 0) {
      Bytes printed = 0;
      for (const LogBuffer& buffer : log.buffers) {
        if (buffer.place == device.place) printed += buffer.bytes;
      }
      // Without a log beside it the whole process would count; more than the process is another
      // one.
      if (printed == 0 || printed >= device.process) continue;
      measured.bytes = device.process - printed;
      measured.from_nvidia_smi = true;
    } else {
      continue;
    }
    found.push_back(std::move(measured));
  }
  return found;
}

std::string truth_rows(const LogReading& log) {
  constexpr std::array<std::string_view, 12> kFacts = {
      "build",   "model",    "arch",  "ftype",           "file",        "n_params", "n_ctx",
      "n_batch", "n_ubatch", "users", "flash_attention", "n_gpu_layers"};
  std::string text = "runtime";
  for (const std::string_view name : kFacts) text.append(",").append(name);
  text += ",type_k,type_v,gpu,place,component,MiB\n";
  for (const LogBuffer& buffer : log.buffers) {
    text += log_source_name(log.source);
    for (const std::string_view name : kFacts) text.append(",").append(escaped(log.fact(name)));
    text.append(",").append(escaped(log.fact("type_k")));
    text.append(",").append(escaped(log.fact("type_v"))).append(",");
    for (const LogDevice& device : log.devices) {
      if (device.place == buffer.place) text += escaped(device.name);
    }
    text.append(",").append(escaped(buffer.place)).append(",").append(buffer.term);
    text.append(",").append(mib_text(buffer.bytes)).append("\n");
  }
  return text;
}

}  // namespace meyasu
