// llamacpp_truth.csv: buffers of llama.cpp itself, run on weight-less files with true shapes.
//
// Like is compared with like: the release's rows come from its measuring mode (no_alloc: no
// scheduler pins, no file mapping) on devices of alignment 32 that stand in for a GPU, the rows of
// 2025-11 from real loads.
#include <cstdlib>
#include <map>
#include <utility>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/inference/llama_cpp/output_buffer.hpp"
#include "core/inference/llama_cpp/recurrent_state.hpp"
#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace llamacpp_truth {
namespace {

using namespace meyasu;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool recognises(const CsvTable& table) {
  return table.has_column("quant_mix") && table.has_column("n_outputs_max") &&
         table.has_column("component") && table.has_column("backend");
}

/// "2xGPU(emulated) layer split ts 3:1" -> {3, 1}; without "ts": equal parts.
std::vector<double> tensor_split(std::string_view backend) {
  const std::size_t at = backend.find("ts ");
  std::vector<double> split;
  if (at == std::string_view::npos) return split;
  const std::string text(backend.substr(at + 3));
  const char* next = text.c_str();
  char* end = nullptr;
  for (double part = std::strtod(next, &end); end != next; part = std::strtod(next, &end)) {
    split.push_back(part);
    next = *end == ':' || *end == ',' ? end + 1 : end;
  }
  return split;
}

std::string set_of(const CsvRow& row) {
  const std::string_view build = row["llama_cpp"];
  return std::string(build.substr(0, build.find(' ')));
}

LlamaCppSettings settings_of(const CsvRow& row) {
  LlamaCppSettings settings;
  const bool older = row["llama_cpp"].substr(0, 5) < std::string_view("2026-") &&
                     row["llama_cpp"].substr(0, 2) == "20";
  settings.release = older ? LlamaCppRelease::build_2025_11 : LlamaCppRelease::v0_5_0;
  settings.real_load = older;
  settings.n_ctx = row.integer("n_ctx", 0);
  settings.n_batch = row.integer("n_batch", 2048);
  settings.n_ubatch = row.integer("n_ubatch", 512);
  settings.n_seq = row.integer("n_seq", 1);
  settings.kv_unified = row["kv_unified"] == "1";
  settings.type_k = ggml_type_from_name(row["type_k"]).value_or(GgmlType::F16);
  settings.type_v = ggml_type_from_name(row["type_v"]).value_or(GgmlType::F16);
  settings.flash_attention = row["flash_attn"] == "on"    ? FlashAttention::on
                             : row["flash_attn"] == "off" ? FlashAttention::off
                                                          : FlashAttention::automatic;
  settings.swa_full = row["swa_full"] == "1";
  settings.n_outputs_max = row.integer("n_outputs_max", 0);
  settings.n_gpu_layers = row.integer("ngl", 0);
  const std::string_view backend = row["backend"];
  settings.offload_kv = !contains(backend, "-nkvo");
  settings.repack = contains(backend, "repack");
  settings.tensor_split = tensor_split(backend);
  if (!row["override_cpu"].empty()) {
    settings.overrides.push_back({std::string(row["override_cpu"]), "CPU"});
  }
  for (std::int64_t i = 0; i < row.integer("n_gpu", 0); ++i) {
    LlamaCppDevice device;
    device.name = "GPU" + std::to_string(i);
    device.backend = LlamaCppBackend::rpc;
    device.alignment = 32;
    device.op_offload = false;
    settings.devices.push_back(device);
  }
  settings.cuda_keeps_moe_tensors = false;
  settings.cuda_quantized_kv_scratch = false;
  return settings;
}

/// What one run of llama.cpp allocates, computed once for the rows that report on it.
struct Prepared {
  const Model* model = nullptr;
  LlamaCppSettings settings;
  LlamaCppContext context;
  LlamaCppPlacement placement;
  std::optional<ComputeBuffers> compute;
  Error compute_error;
};

/// One estimator per model and mix: it prepares the model once.
using Estimators = std::map<const Model*, ComputeBufferEstimator>;

Result<Prepared> prepare(const CsvRow& row, ModelStore& models, Estimators& estimators) {
  const auto& model = models.quantized(row["model"], row["quant_mix"]);
  if (!model) return model.error();
  Prepared run;
  run.model = &model.value();
  run.settings = settings_of(row);
  const auto context = normalize(run.settings, *run.model);
  if (!context) return context.error();
  run.context = context.value();
  const auto placement = place_weights(*run.model, run.settings, run.context);
  if (!placement) return placement.error();
  run.placement = placement.value();
  if (row["component"] == "tensor_bytes") return run;
  auto estimator = estimators.find(run.model);
  if (estimator == estimators.end()) {
    estimator = estimators.emplace(run.model, ComputeBufferEstimator(*run.model)).first;
  }
  auto compute = estimator->second.estimate(run.settings);
  if (compute) {
    run.compute = std::move(compute.value());
  } else {
    run.compute_error = compute.error();
  }
  return run;
}

/// Number of the device in a component's suffix ("GPU1" -> 1, "CPU..." -> kHost).
int device_of(std::string_view suffix) {
  if (suffix.substr(0, 3) != "GPU") return kHost;
  return static_cast<int>(std::strtol(std::string(suffix.substr(3)).c_str(), nullptr, 10));
}

Bytes weight_bytes(const LlamaCppPlacement& placement, std::string_view suffix) {
  const int device = device_of(suffix);
  for (const WeightBuffer& buffer : placement.buffers) {
    if (buffer.device != device) continue;
    const bool repacked = buffer.kind == WeightBufferKind::repacked;
    if (device != kHost || repacked == contains(suffix, "REPACK")) return buffer.bytes;
  }
  return 0;
}

Bytes state_bytes(const std::vector<StateLayer>& states, int device) {
  Bytes total = 0;
  for (const StateLayer& state : states) {
    if (device == kEveryDevice || state.device == device) total += state.bytes();
  }
  return total;
}

/// "nodes_pp=998;splits_pp=2" -> the number after `key`.
std::optional<double> note_number(std::string_view note, std::string_view key) {
  const std::size_t at = note.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return std::strtod(std::string(note.substr(at + key.size())).c_str(), nullptr);
}

class RowEvaluation {
 public:
  RowEvaluation(const CsvRow& row, Evaluation& evaluation) : row_(row), evaluation_(evaluation) {
    const std::string_view full = row["component"];
    const std::size_t colon = full.find(':');
    component_ = full.substr(0, colon);
    if (colon != std::string_view::npos) suffix_ = full.substr(colon + 1);
  }

  [[nodiscard]] std::string_view component() const { return component_; }
  [[nodiscard]] std::string_view suffix() const { return suffix_; }

  void bytes(Bytes estimate, std::string terms) {
    if (!row_["bytes"].empty()) {
      compare(static_cast<double>(estimate), row_.number("bytes"), 0, std::move(terms));
    } else {
      constexpr auto kUnit = static_cast<double>(kMiB);
      compare(static_cast<double>(estimate), row_.number("MiB") * kUnit,
              half_last_digit(row_["MiB"]) * kUnit, std::move(terms));
    }
  }

  void compare(double estimate, double measured, double half_digit, std::string terms) {
    Comparison comparison;
    comparison.row_id = row_["id"];
    comparison.component = component_;
    comparison.model = row_["model"];
    comparison.set = set_of(row_);
    comparison.estimate = estimate;
    comparison.measured = measured;
    comparison.error = relative_error(estimate, measured, half_digit);
    comparison.terms = std::move(terms);
    evaluation_.comparisons.push_back(std::move(comparison));
  }

  void unsupported(std::string reason) {
    evaluation_.unsupported.push_back(
        {std::string(row_["id"]), std::string(component_), set_of(row_), std::move(reason)});
  }

 private:
  const CsvRow& row_;
  Evaluation& evaluation_;
  std::string_view component_;
  std::string_view suffix_;
};

std::string cells_text(const LlamaCppContext& context) {
  return "cells " + std::to_string(context.n_cells) + ", window cells " +
         std::to_string(context.n_cells_swa) + ", streams " + std::to_string(context.n_stream);
}

void compute_row(const CsvRow& row, const Prepared& run, RowEvaluation& out) {
  if (!run.compute) {
    out.unsupported(run.compute_error.code + " " + run.compute_error.detail);
    return;
  }
  const ComputeBuffers& compute = *run.compute;
  if (!compute.graph_known) {
    out.unsupported("no graph is known for " + run.model->architecture);
    return;
  }
  if (out.component() == "graph_nodes") {
    auto nodes = note_number(row["note"], "nodes_pp=");
    if (!nodes) nodes = note_number(row["note"], "nodes=");
    const auto splits = note_number(row["note"], "splits_pp=");
    if (nodes) out.compare(static_cast<double>(compute.n_nodes), *nodes, 0, "nodes");
    if (splits) out.compare(static_cast<double>(compute.n_splits), *splits, 0, "splits");
    if (!nodes && !splits) out.unsupported("no node count in the row");
    return;
  }
  const int device = device_of(out.suffix());
  for (const ComputeBuffer& buffer : compute.buffers) {
    if (buffer.device != device) continue;
    out.bytes(buffer.bytes, "graph of " + std::to_string(compute.n_nodes) + " nodes, " +
                                std::to_string(compute.n_splits) + " splits");
    return;
  }
  out.unsupported("no such device");
}

void evaluate_row(const CsvRow& row, const Prepared& run, RowEvaluation& out) {
  const std::string_view component = out.component();
  if (component == "tensor_bytes") {
    out.bytes(run.model->weight_bytes(), std::string(row["quant_mix"]) + " by rule");
  } else if (component == "model_buffer") {
    out.bytes(weight_bytes(run.placement, out.suffix()), "tensors padded to the alignment");
  } else if (component == "kv_cache") {
    const auto layers = kv_cache_layers(*run.model, run.settings, run.context, run.placement);
    const KvPart part = out.suffix() == "full"  ? KvPart::full
                        : out.suffix() == "swa" ? KvPart::window
                                                : KvPart::all;
    out.bytes(kv_cache_bytes(layers, part), cells_text(run.context));
  } else if (component == "recurrent_state") {
    const auto states = recurrent_state_layers(*run.model, run.context, run.placement);
    out.bytes(state_bytes(states, kEveryDevice), std::to_string(states.size()) + " layers");
  } else if (component == "output_buffer") {
    out.bytes(output_buffer_bytes(*run.model, run.context), "n_seq * n_vocab * 4");
  } else if (component == "context_buffer") {
    const int device = device_of(out.suffix());
    const auto layers = kv_cache_layers(*run.model, run.settings, run.context, run.placement);
    const auto states = recurrent_state_layers(*run.model, run.context, run.placement);
    out.bytes(kv_cache_bytes(layers, KvPart::all, device) + state_bytes(states, device),
              "KV cache and state, " + cells_text(run.context));
  } else if (component == "compute_buffer" || component == "graph_nodes") {
    compute_row(row, run, out);
  } else {
    out.unsupported("unknown component");
  }
}

Evaluation evaluate(const CsvTable& table, ModelStore& models) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  std::map<std::string, Result<Prepared>> runs;
  Estimators estimators;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    std::string key;
    for (const char* column :
         {"model", "quant_mix", "n_ctx", "n_batch", "n_ubatch", "n_seq", "kv_unified", "type_k",
          "type_v", "flash_attn", "swa_full", "n_outputs_max", "ngl", "n_gpu", "override_cpu",
          "backend", "llama_cpp"}) {
      key += row[column];
      key += '\n';
    }
    auto run = runs.find(key);
    if (run == runs.end()) run = runs.emplace(key, prepare(row, models, estimators)).first;
    RowEvaluation out(row, evaluation);
    const std::size_t before = evaluation.comparisons.size();
    if (!run->second) {
      const Error& error = run->second.error();
      out.unsupported(error.code + ": " + error.detail);
    } else {
      evaluate_row(row, run->second.value(), out);
    }
    if (evaluation.comparisons.size() > before) ++evaluation.estimated;
  }
  return evaluation;
}

}  // namespace
}  // namespace llamacpp_truth

const TableEvaluator kLlamaCppTruth = {"llamacpp_truth", llamacpp_truth::recognises,
                                       llamacpp_truth::evaluate};

}  // namespace validate
