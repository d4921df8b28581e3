// llamacpp_wild.csv: buffers that users' logs print, and sizes of published files. Builds from 2024
// to 2026, mainline and forks; what a row does not record (options that move weights, free memory
// that decides a split, mixes of one's own) is said as the reason why it has no estimate.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/output_buffer.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"
#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace llamacpp_wild {
namespace {

using namespace meyasu;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}
bool is_digit(char at) {
  return at >= '0' && at <= '9';
}

bool recognises(const CsvTable& table) {
  return table.has_column("date_or_build") && table.has_column("mla_attn") &&
         table.has_column("component");
}

bool is_fork(const CsvRow& row) {
  return contains(row["runtime"], "fork");
}

std::string set_of(const CsvRow& row) {
  if (is_fork(row)) return "fork";
  return starts_with(row["runtime"], "GGUF") ? "files" : "mainline";
}

/// Year and month, 0 if not said; or the build number of llama.cpp.
struct Age {
  int year = 0;
  int month = 0;
  int build = 0;
};

Age age_of(std::string_view text) {
  Age age;
  const std::string value(text);
  if (starts_with(text, "20") && (text.size() == 4 || (text.size() > 4 && text[4] == '-'))) {
    age.year = static_cast<int>(std::strtol(value.substr(0, 4).c_str(), nullptr, 10));
    if (text.size() >= 7) {
      age.month = static_cast<int>(std::strtol(value.substr(5, 2).c_str(), nullptr, 10));
    }
  } else if (!text.empty() && is_digit(text[0])) {
    age.build = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
  }
  return age;
}

LlamaCppRelease release_of(const Age& age) {
  // Window caches and row-wise cache writes came in 2025-05 and 2025-07 (builds 5430 and up), F16
  // masks and the single latent cache early in 2026 (8000 and up).
  if (age.build > 0) {
    return age.build < 5430   ? LlamaCppRelease::build_2025_05
           : age.build < 8000 ? LlamaCppRelease::build_2025_11
                              : LlamaCppRelease::v0_5_0;
  }
  if (age.year == 0 || age.year >= 2026) return LlamaCppRelease::v0_5_0;
  if (age.year == 2025 && (age.month == 0 || age.month > 5)) return LlamaCppRelease::build_2025_11;
  return LlamaCppRelease::build_2025_05;
}

/// "CUDA1" -> 1, "Metal" -> 0; nothing for host memory.
std::optional<int> gpu_number(std::string_view backend) {
  constexpr std::array<std::string_view, 6> kPrefixes = {"CUDA",  "Vulkan", "ROCm",
                                                         "Metal", "SYCL",   "HTP"};
  if (contains(backend, "_Host") || contains(backend, "_Split")) return std::nullopt;
  for (const std::string_view prefix : kPrefixes) {
    if (!starts_with(backend, prefix)) continue;
    return static_cast<int>(
        std::strtol(std::string(backend.substr(prefix.size())).c_str(), nullptr, 10));
  }
  return std::nullopt;
}

LlamaCppDevice device_named(std::string_view backend, int number) {
  LlamaCppDevice device;
  device.name = "gpu" + std::to_string(number);
  device.backend = starts_with(backend, "CUDA")     ? LlamaCppBackend::cuda
                   : starts_with(backend, "ROCm")   ? LlamaCppBackend::rocm
                   : starts_with(backend, "Vulkan") ? LlamaCppBackend::vulkan
                   : starts_with(backend, "Metal")  ? LlamaCppBackend::metal
                                                    : LlamaCppBackend::sycl;
  const bool wide =
      device.backend == LlamaCppBackend::cuda || device.backend == LlamaCppBackend::rocm;
  device.alignment = wide ? 128 : 32;
  return device;
}

/// "NVIDIA GeForce RTX 3090 x4", "2x NVIDIA A40": equal cards, so equal free memory.
bool equal_cards(std::string_view gpu) {
  for (std::size_t i = 0; i + 1 < gpu.size(); ++i) {
    if (gpu[i] == 'x' && is_digit(gpu[i + 1]) && i > 0 && gpu[i - 1] == ' ') {
      return !contains(gpu, " + ");
    }
    if (is_digit(gpu[i]) && gpu[i + 1] == 'x' && i == 0) return true;
  }
  return false;
}

/// Models that logs call by other names than the catalog does.
std::string_view usual_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"mistral7b", "Mistral-7B-v0.1"},
      {"mistral7bv0.1", "Mistral-7B-v0.1"},
      {"mistral7bv0.2", "Mistral-7B-v0.1"},
      {"2mistral7b", "Mistral-7B-v0.1"},
      {"openhermes2.5mistral7b", "Mistral-7B-v0.1"},
      {"zephyr7b", "Mistral-7B-v0.1"},
      {"phi3mini", "Phi-3-mini-4k"},
      {"falcon7b", "Falcon-7B"},
      {"deepseekv2v2.5236b", "DeepSeek-V2"},
      {"deepseekv2.5236b", "DeepSeek-V2"},
      {"deepseekv2.5", "DeepSeek-V2"},
      {"commandr35bv01", "c4ai-command-r-v01"},
      {"qwen3.53.6", "Qwen3.5-27B"},
      {"qwen3.53.627b", "Qwen3.5-27B"},
      {"llamanemotronultra", "Llama-3_1-Nemotron-Ultra-253B-v1"},
      {"deepseekr1qwen38b", "Qwen3-8B"},
      {"smollm2135m", "SmolLM2-135M"},
      {"llamav2", "Llama-2-13B"},
  };
  const std::string key = loose_key(name);
  for (const auto& [alias, usual] : kAliases) {
    if (key == alias) return usual;
  }
  return name;
}

/// "33/33" -> 33: the blocks and the output layer; 0 if not said.
std::int64_t all_layers(std::string_view ngl) {
  const std::size_t slash = ngl.find('/');
  if (slash == std::string_view::npos) return 0;
  return std::strtoll(std::string(ngl.substr(slash + 1)).c_str(), nullptr, 10);
}

/// Whether the numbers that the row states are those of the model.
bool agrees(const Model& model, const CsvRow& row) {
  const std::int64_t stated = all_layers(row["ngl"]);
  if (stated > 0 && stated != model.n_layer() + 1 && stated != std::ssize(model.layers) + 1) {
    return false;
  }
  const auto same = [&](const char* column, std::int64_t value) {
    return row[column].empty() || row.integer(column) == value;
  };
  return same("n_layer", model.n_layer()) || same("n_layer", std::ssize(model.layers))
             ? same("n_embd", model.n_embd)
             : false;
}

/// A model of plain attention layers with the sizes of the row: enough for its KV cache.
std::optional<Model> from_columns(const CsvRow& row) {
  constexpr std::string_view kPlain[] = {"llama", "qwen2",       "qwen3",     "qwen3moe",
                                         "glm4",  "phi2",        "command-r", "gptneox",
                                         "gemma", "bailingmoe2", "glm4moe"};
  if (std::find(std::begin(kPlain), std::end(kPlain), row["arch"]) == std::end(kPlain)) return {};
  const std::int64_t n_layer = row.integer("n_layer");
  const std::int64_t n_head_kv = row.integer("n_head_kv");
  const std::int64_t head_dim = row.integer("head_dim");
  constexpr std::int64_t kMaxLayers = 512;
  if (n_layer < 1 || n_layer > kMaxLayers || n_head_kv < 1 || head_dim < 1) return {};
  Model model;
  model.name = row["model"];
  model.architecture = row["arch"];
  model.n_vocab = row.integer("n_vocab");
  model.n_embd = row.integer("n_embd");
  model.n_ctx_train = std::int64_t{1} << 20;
  Layer layer;
  layer.attention.n_head = row.integer("n_head");
  layer.attention.n_head_kv = n_head_kv;
  layer.attention.head_dim_k = head_dim;
  layer.attention.head_dim_v = head_dim;
  model.layers.assign(static_cast<std::size_t>(n_layer), layer);
  return model;
}

/// One log: the rows with the same id and configuration.
struct Log {
  std::optional<Model> model;
  bool has_weights = false;  // types of the tensors are those of the file
  std::string weights_reason;
  LlamaCppSettings settings;
  std::optional<LlamaCppContext> context;
  LlamaCppPlacement placement;
  std::optional<ComputeBuffers> compute;
  bool split_known = true;
  bool moved_weights = false;
  std::string problem;  // why there is no estimate at all
};

std::string log_key(const CsvRow& row) {
  std::string key;
  for (const char* column :
       {"id", "date_or_build", "model", "quant", "model_file", "n_ctx", "n_batch", "n_ubatch",
        "n_seq", "flash_attn", "type_k", "type_v", "mla_attn", "ngl", "gpu"}) {
    key += row[column];
    key += '\n';
  }
  return key;
}

/// What the mix of a file is called; nothing (with the reason) if its name does not fix the types.
std::optional<MixName> mix_of(const CsvRow& row, std::string& reason) {
  std::string quant(row["quant"]);
  const std::string_view file = row["model_file"];
  if (contains(file, "UD-") || starts_with(quant, "UD-")) {
    reason = "dynamic mix of the publisher: only the file's header knows its types";
    return std::nullopt;
  }
  const bool moe = row.integer("n_expert") > 0;
  if (moe && starts_with(file, "Qwen_")) {
    // "ORG_MODEL-MIX.gguf" is bartowski's naming; his MoE files keep attn_k in Q8_0 and attn_output
    // in Q5_K.
    reason = "mix of the publisher's own: only the file's header knows its types";
    return std::nullopt;
  }
  if (contains(file, "SPECIAL") || contains(file, "mix-") || contains(file, "smol-")) {
    reason = "mix of the publisher's own: only the file's header knows its types";
    return std::nullopt;
  }
  // Q4_0 in the order of other kernels (builds of 2024).
  if (starts_with(quant, "Q4_0_")) quant = "Q4_0";
  if (const std::size_t remark = quant.find(" ("); remark != std::string::npos) {
    reason = "the row says more than a mix: " + quant;
    return std::nullopt;
  }
  auto mix = mix_from_name(quant);
  if (!mix) {
    reason = quant.empty()  ? "the row names no mix"
             : is_fork(row) ? "format of the fork: " + quant
                            : "not a mix of llama-quantize: " + quant;
    return std::nullopt;
  }
  // README.md of llama-quantize measures today's program; published files are older.
  const bool current =
      row["runtime"] == "GGUF tensors" || age_of(row["date_or_build"]).year >= 2026;
  mix->options.era = current ? MixEra::current : MixEra::before_2026;
  // The README's 4-bit files were made without an importance matrix, whatever its title says.
  const bool four_bits = starts_with(quant, "IQ4");
  mix->options.imatrix = (contains(row["source"], "imatrix") && !four_bits) ||
                         contains(file, "bartowski") || contains(file, "THUDM_GLM");
  return mix;
}

FlashAttention flash_of(const CsvRow& row) {
  const std::string_view text = row["flash_attn"];
  if (text == "1" || text == "enabled" || text == "on") return FlashAttention::on;
  if (text == "auto") return FlashAttention::automatic;
  if (text.empty() && age_of(row["date_or_build"]).year >= 2026) return FlashAttention::automatic;
  return FlashAttention::off;
}

void fill_settings(const CsvRow& row, LlamaCppSettings& settings) {
  const Age age = age_of(row["date_or_build"]);
  settings.release = release_of(age);
  settings.n_ctx = row.integer("n_ctx", 0);
  settings.n_batch = row.integer("n_batch", 2048);
  settings.n_ubatch = std::min(row.integer("n_ubatch", 512), settings.n_batch);
  // Servers of 2026 open four slots over one pool of cells.
  const bool four_slots =
      row["n_seq"].empty() && age.year >= 2026 && !contains(row["runtime"], "ollama");
  settings.n_seq = four_slots ? 4 : row.integer("n_seq", 1);
  settings.kv_unified = four_slots;
  settings.type_k = ggml_type_from_name(row["type_k"]).value_or(GgmlType::F16);
  settings.type_v = ggml_type_from_name(row["type_v"]).value_or(GgmlType::F16);
  settings.flash_attention = flash_of(row);
  // Servers limit the logits since mid-2026; before that a whole batch has them.
  if (four_slots) settings.n_outputs_max = settings.n_seq;
  const std::string_view ngl = row["ngl"];
  settings.n_gpu_layers = !ngl.empty() && is_digit(ngl[0]) ? row.integer("ngl") : -1;
  if (settings.release < LlamaCppRelease::v0_5_0) {
    settings.cuda_keeps_moe_tensors = false;
    settings.cuda_quantized_kv_scratch = false;
  }
}

void add_devices(const CsvTable& table, const std::vector<std::size_t>& rows, Log& log) {
  int count = 0;
  std::string_view example;
  for (const std::size_t index : rows) {
    const std::string_view backend = CsvRow(table, index)["backend"];
    const auto number = gpu_number(backend);
    if (!number) continue;
    count = std::max(count, *number + 1);
    example = backend;
  }
  constexpr int kMaxDevices = 16;
  for (int i = 0; i < std::min(count, kMaxDevices); ++i) {
    log.settings.devices.push_back(device_named(example, i));
  }
  const CsvRow first(table, rows.front());
  log.split_known = count <= 1 || equal_cards(first["gpu"]);
}

Bytes host_weights(const LlamaCppPlacement& placement) {
  for (const WeightBuffer& buffer : placement.buffers) {
    if (buffer.device == kHost && buffer.kind != WeightBufferKind::repacked) return buffer.bytes;
  }
  return 0;
}

/// -ot and --cpu-moe are not in the table. A run that says that every layer is on a GPU and still
/// has blocks' weights on the host was started with one.
bool weights_were_moved(const CsvTable& table, const std::vector<std::size_t>& rows,
                        const Log& log) {
  if (!log.placement.all_layers_offloaded) return false;
  Bytes largest_block_weight = 0;
  for (const Tensor& tensor : log.model->tensors) {
    if (tensor.layer >= 0) largest_block_weight = std::max(largest_block_weight, tensor.bytes());
  }
  for (const std::size_t index : rows) {
    const CsvRow row(table, index);
    if (row["component"] != "model_buffer" || gpu_number(row["backend"])) continue;
    const double measured = row.number("MiB") * static_cast<double>(kMiB);
    if (measured > static_cast<double>(host_weights(log.placement) + largest_block_weight)) {
      return true;
    }
  }
  return false;
}

/// Compressed-attention models: whether the log's cache is that of separate heads.
void choose_mla_form(const CsvRow& row, Model& model) {
  const bool separate = contains(row["model"], "no absorb") || row["mla_attn"] == "0";
  for (Layer& layer : model.layers) {
    if (layer.attention.mla && separate) layer.attention.mla->absorbed = false;
  }
}

Log read_log(const CsvTable& table, const std::vector<std::size_t>& rows, ModelStore& models) {
  Log log;
  const CsvRow row(table, rows.front());
  const Model* found = models.by_loose_name(usual_name(row["model"]));
  if (found != nullptr && agrees(*found, row)) {
    const auto mix = mix_of(row, log.weights_reason);
    log.model = *found;
    if (mix) {
      auto quantized = apply_mix(*found, *mix);
      if (quantized) {
        log.model = std::move(quantized.value());
        log.has_weights = true;
      } else {
        log.weights_reason = quantized.error().code;
      }
    }
    choose_mla_form(row, *log.model);
  } else {
    log.model = from_columns(row);
    log.weights_reason = "the model is in no catalog, and the row does not state all its sizes";
  }
  if (!log.model) {
    log.problem = "the model is in no catalog, and the row does not state all its sizes";
    return log;
  }
  if (row["mla_attn"] == "3") log.problem = "the fork's own form of latent attention";
  fill_settings(row, log.settings);
  add_devices(table, rows, log);
  const bool needs_context = std::any_of(rows.begin(), rows.end(), [&](std::size_t index) {
    const std::string_view component = table.field(index, "component");
    return component != "file_size" && component != "tensor_bytes_bpw";
  });
  if (!needs_context) return log;
  const auto context = normalize(log.settings, *log.model);
  if (!context) {
    log.problem = context.error().code + " " + context.error().field;
    return log;
  }
  log.context = context.value();
  auto placement = place_weights(*log.model, log.settings, *log.context);
  if (!placement) {
    log.problem = placement.error().code;
    return log;
  }
  log.placement = std::move(placement.value());
  log.moved_weights =
      contains(row["ngl"], "partial") || (log.has_weights && weights_were_moved(table, rows, log));
  const bool wants_compute = std::any_of(rows.begin(), rows.end(), [&](std::size_t index) {
    return table.field(index, "component") == "compute_buffer";
  });
  if (wants_compute && log.has_weights && !is_fork(row)) {
    auto compute = llama_cpp_compute_buffers(*log.model, log.settings);
    if (compute) log.compute = std::move(compute.value());
  }
  return log;
}

/// A GGUF file is the data plus a header that is nearly all tokenizer: measured header sizes of
/// files with these vocabularies (llama-cpp.md section 1), else by their mean per token.
double header_bytes(const Model& model) {
  constexpr std::pair<std::int64_t, double> kMeasured[] = {
      {32000, 0.74e6},  {151936, 5.97e6}, {152064, 5.97e6}, {256000, 6.06e6},
      {262208, 6.53e6}, {128256, 7.84e6}, {201088, 13.0e6},
  };
  for (const auto& [n_vocab, bytes] : kMeasured) {
    if (model.n_vocab == n_vocab) return bytes;
  }
  constexpr double kPerToken = 40;
  return kPerToken * static_cast<double>(model.n_vocab);
}

struct Measured {
  double value = 0;  // MiB
  double half_digit = 0;
};

Measured measured_of(const CsvRow& row) {
  const std::string_view note = row["note"];
  if (starts_with(note, "bytes=")) {
    return {std::strtod(std::string(note.substr(6)).c_str(), nullptr) / static_cast<double>(kMiB),
            0};
  }
  Measured measured{row.number("MiB"), half_last_digit(row["MiB"])};
  // Printed as "4.6 GiB" on the page the row comes from.
  constexpr double kPrintedInGib = 1024;
  if (contains(note, "rounded to 0.1 GiB") && measured.value >= kPrintedInGib) {
    measured.half_digit = 0.05 * 1024 + 0.5;
  }
  return measured;
}

class WildRows {
 public:
  WildRows(const CsvTable& table, const std::vector<std::size_t>& rows, const Log& log,
           Evaluation& evaluation)
      : table_(table), rows_(rows), log_(log), evaluation_(evaluation) {}

  void run() {
    for (const std::size_t index : rows_) {
      const CsvRow row(table_, index);
      const std::size_t before = evaluation_.comparisons.size();
      if (log_.problem.empty()) {
        evaluate(row);
      } else {
        unsupported(row, log_.problem);
      }
      if (evaluation_.comparisons.size() > before) ++evaluation_.estimated;
    }
  }

 private:
  void evaluate(const CsvRow& row) {
    const std::string_view component = row["component"];
    if (component == "file_size" || component == "tensor_bytes_bpw") {
      file(row);
    } else if (component == "model_buffer") {
      weights(row);
    } else if (component == "kv_buffer" || component == "kv_total") {
      kv(row);
    } else if (component == "rs_buffer") {
      state(row);
    } else if (component == "output_buffer") {
      if (log_.model->n_vocab == 0) return unsupported(row, "no vocabulary size");
      compare(row, output_buffer_bytes(*log_.model, *log_.context), "n_seq * n_vocab * 4");
    } else if (component == "compute_buffer") {
      compute(row);
    } else {
      unsupported(row, "a process total, not a buffer of the log");
    }
  }

  void file(const CsvRow& row) {
    if (!log_.has_weights) return unsupported(row, log_.weights_reason);
    double bytes = 0;
    for (const Tensor& tensor : log_.model->tensors) {
      bytes += static_cast<double>(round_up<Bytes>(tensor.bytes(), 32));
    }
    if (row["component"] == "file_size") bytes += header_bytes(*log_.model);
    compare_mib(row, bytes / static_cast<double>(kMiB), "tensors and tokenizer");
  }

  void weights(const CsvRow& row) {
    if (!log_.has_weights) return unsupported(row, log_.weights_reason);
    if (log_.moved_weights) return unsupported(row, kMoved);
    const auto gpu = gpu_number(row["backend"]);
    if (gpu && !log_.split_known) return unsupported(row, kSplit);
    if (!gpu) return compare(row, host_weights(log_.placement), "host weights");
    Bytes bytes = 0;
    for (const WeightBuffer& buffer : log_.placement.buffers) {
      if (buffer.device == *gpu) bytes += buffer.bytes;
    }
    compare(row, bytes, "weights of the device");
  }

  void kv(const CsvRow& row) {
    if (row["n_ctx"].empty()) return unsupported(row, "no context length");
    const bool total = row["component"] == "kv_total";
    const auto gpu = gpu_number(row["backend"]);
    if (!total && gpu && !log_.split_known) return unsupported(row, kSplit);
    const auto layers = kv_cache_layers(*log_.model, log_.settings, *log_.context, log_.placement);
    const bool two_caches = log_.context->n_cells_swa > 0;
    // A log lists the cache of the full layers, then that of the window layers.
    const std::string place = std::string(row["component"]) + std::string(row["backend"]);
    const bool second = !seen_.insert(place).second;
    const KvPart part = !two_caches ? KvPart::all : second ? KvPart::window : KvPart::full;
    compare(row,
            kv_cache_bytes(layers, part,
                           total ? kEveryDevice
                           : gpu ? *gpu
                                 : kHost),
            "cells " + std::to_string(log_.context->n_cells));
  }

  void state(const CsvRow& row) {
    Bytes bytes = 0;
    for (const StateLayer& layer :
         recurrent_state_layers(*log_.model, *log_.context, log_.placement)) {
      bytes += layer.bytes();
    }
    compare(row, bytes, "recurrent state");
  }

  void compute(const CsvRow& row) {
    if (is_fork(row)) return unsupported(row, "the fork builds graphs of its own");
    if (!log_.has_weights) return unsupported(row, log_.weights_reason);
    if (log_.moved_weights) return unsupported(row, kMoved);
    if (!log_.split_known) return unsupported(row, kSplit);
    if (log_.context->n_gpu_layers == 0 && !log_.settings.devices.empty()) {
      return unsupported(row,
                         "which products a GPU takes over from the host depends on its limits");
    }
    if (!log_.compute || !log_.compute->graph_known) {
      return unsupported(row, "no graph is known for " + log_.model->architecture);
    }
    const int device = gpu_number(row["backend"]).value_or(kHost);
    for (const ComputeBuffer& buffer : log_.compute->buffers) {
      if (buffer.device == device) compare(row, buffer.bytes, "graph");
    }
  }

  void compare(const CsvRow& row, Bytes bytes, const std::string& terms) {
    compare_mib(row, static_cast<double>(bytes) / static_cast<double>(kMiB), terms);
  }

  void compare_mib(const CsvRow& row, double estimate, const std::string& terms) {
    const Measured measured = measured_of(row);
    evaluation_.comparisons.push_back(
        {row_id(row), std::string(row["component"]), std::string(row["model"]), set_of(row),
         estimate, measured.value, relative_error(estimate, measured.value, measured.half_digit),
         terms + " of " + log_.model->name});
  }

  void unsupported(const CsvRow& row, std::string reason) {
    evaluation_.unsupported.push_back(
        {row_id(row), std::string(row["component"]), set_of(row), std::move(reason)});
  }

  /// Ids name logs, so the line is added.
  static std::string row_id(const CsvRow& row) {
    return std::string(row["id"]) + " line " + std::to_string(row.index() + 2) + " " +
           std::string(row["backend"]);
  }

  static constexpr const char* kMoved =
      "weights were moved by an option that the table does not record";
  static constexpr const char* kSplit =
      "the split follows free memory at start, which the table does not record";

  const CsvTable& table_;
  const std::vector<std::size_t>& rows_;
  const Log& log_;
  Evaluation& evaluation_;
  std::set<std::string> seen_;
};

Evaluation evaluate(const CsvTable& table, ModelStore& models) {
  std::map<std::string, std::vector<std::size_t>> logs;
  std::vector<std::string> order;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::string key = log_key(CsvRow(table, i));
    auto& rows = logs[key];
    if (rows.empty()) order.push_back(key);
    rows.push_back(i);
  }
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (const std::string& key : order) {
    const Log log = read_log(table, logs[key], models);
    WildRows(table, logs[key], log, evaluation).run();
  }
  return evaluation;
}

}  // namespace
}  // namespace llamacpp_wild

const TableEvaluator kLlamaCppWild = {"llamacpp_wild", llamacpp_wild::recognises,
                                      llamacpp_wild::evaluate};

}  // namespace validate
