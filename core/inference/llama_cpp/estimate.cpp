#include "core/inference/llama_cpp/estimate.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/inference/llama_cpp/output_buffer.hpp"
#include "core/inference/llama_cpp/overhead.hpp"

namespace meyasu {
namespace {

double number(std::int64_t value) {
  return static_cast<double>(value);
}

std::string device_name(const LlamaCppSettings& settings, int device) {
  return device == kHost ? "host" : settings.devices[static_cast<std::size_t>(device)].name;
}

/// Every device in order, then the host.
std::vector<int> all_devices(const LlamaCppSettings& settings) {
  std::vector<int> devices;
  for (std::size_t i = 0; i < settings.devices.size(); ++i) devices.push_back(static_cast<int>(i));
  devices.push_back(kHost);
  return devices;
}

/// Sizes read from a header are exact, those of an architecture derived from it.
Evidence evidence_of(const Model& model) {
  return model.provenance == Provenance::header ? Evidence::exact : Evidence::derived;
}

std::string term_of(WeightBufferKind kind) {
  switch (kind) {
    case WeightBufferKind::mapped:
      return "weights_mapped";
    case WeightBufferKind::repacked:
      return "weights_repacked";
    case WeightBufferKind::device:
    case WeightBufferKind::host:
      break;
  }
  return "weights";
}

void add_weights(const Model& model, const LlamaCppSettings& settings,
                 const LlamaCppPlacement& placement, std::vector<Term>& terms) {
  for (const WeightBuffer& buffer : placement.buffers) {
    std::int64_t n_tensors = 0;
    std::int64_t n_params = 0;
    const auto count = [&](std::size_t tensor, int device, bool repacked) {
      const bool is_repacked = buffer.kind == WeightBufferKind::repacked;
      if (device != buffer.device || (device == kHost && repacked != is_repacked)) return;
      ++n_tensors;
      n_params += model.tensors[tensor].elements();
    };
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      count(i, placement.tensor_device[i], placement.repacked[i]);
    }
    for (const WeightCopy& copy : placement.copies) count(copy.tensor, copy.device, copy.repacked);

    const Bytes alignment =
        buffer.device == kHost
            ? 32
            : settings.devices[static_cast<std::size_t>(buffer.device)].alignment;
    Formula formula{"sum of pad(row_bytes(type, ne0) * rows, alignment)",
                    {{"tensors", number(n_tensors), ""},
                     {"parameters", number(n_params), ""},
                     {"alignment", number(alignment), "B"}}};
    if (buffer.kind == WeightBufferKind::mapped) {
      formula.expression = "end of the last - start of the first host tensor in the file";
    }
    terms.push_back(exact_term(term_of(buffer.kind), device_name(settings, buffer.device),
                               buffer.bytes, std::move(formula), evidence_of(model),
                               "llama.cpp v0.5.0, src/llama-model.cpp load_tensors"));
  }
}

void add_kv(const Model& model, const LlamaCppSettings& settings, const LlamaCppContext& context,
            const std::vector<KvLayer>& layers, std::vector<Term>& terms) {
  for (const int device : all_devices(settings)) {
    for (const bool window : {false, true}) {
      const KvLayer* example = nullptr;
      std::int64_t n_layers = 0;
      for (const KvLayer& layer : layers) {
        if (layer.device != device || layer.window != window) continue;
        if (example == nullptr) example = &layer;
        ++n_layers;
      }
      if (example == nullptr) continue;
      const Bytes bytes = kv_cache_bytes(layers, window ? KvPart::window : KvPart::full, device);
      const std::int64_t cells = example->n_cells * context.n_stream;
      Formula formula{
          "n_layer * n_stream * n_cells * (row_bytes(type_k, k) + row_bytes(type_v, v))",
          {{"n_layer", number(n_layers), ""},
           {"n_stream", number(context.n_stream), ""},
           {"n_cells", number(example->n_cells), ""},
           {"k", number(example->width_k), "elements"},
           {"v", number(example->width_v), "elements"},
           {"row_k", number(example->bytes_k / cells), "B"},
           {"row_v", number(example->bytes_v / cells), "B"}}};
      if (bytes != n_layers * example->bytes()) {
        formula.expression =
            "sum over layers of n_stream * n_cells * (row_bytes(type_k, k) + row_bytes(type_v, v))";
      }
      terms.push_back(exact_term(window ? "kv_cache_window" : "kv_cache",
                                 device_name(settings, device), bytes, std::move(formula),
                                 evidence_of(model), "llama.cpp v0.5.0, src/llama-kv-cache.cpp"));
    }
  }
}

void add_states(const Model& model, const LlamaCppSettings& settings,
                const LlamaCppContext& context, const std::vector<StateLayer>& states,
                std::vector<Term>& terms) {
  for (const int device : all_devices(settings)) {
    Bytes bytes = 0;
    std::int64_t n_layers = 0;
    const StateLayer* example = nullptr;
    for (const StateLayer& state : states) {
      if (state.device != device) continue;
      if (example == nullptr) example = &state;
      bytes += state.bytes();
      ++n_layers;
    }
    if (example == nullptr) continue;
    const Bytes per_sequence = 4 * context.n_seq;
    terms.push_back(exact_term("recurrent_state", device_name(settings, device), bytes,
                               {"n_layer * n_seq * (conv + ssm) * 4",
                                {{"n_layer", number(n_layers), ""},
                                 {"n_seq", number(context.n_seq), ""},
                                 {"conv", number(example->bytes_conv / per_sequence), "elements"},
                                 {"ssm", number(example->bytes_ssm / per_sequence), "elements"}}},
                               evidence_of(model),
                               "llama.cpp v0.5.0, src/llama-memory-recurrent.cpp"));
  }
}

void add_compute(const LlamaCppSettings& settings, const LlamaCppContext& context,
                 const ComputeBuffers& compute, std::vector<Term>& terms) {
  for (const ComputeBuffer& buffer : compute.buffers) {
    if (buffer.bytes == 0) continue;
    Term term =
        exact_term("compute_buffer", device_name(settings, buffer.device), buffer.bytes,
                   {"highest address of the placed graph",
                    {{"n_tokens", number(context.n_tokens), ""},
                     {"n_outputs", number(context.n_outputs), ""},
                     {"n_cells", number(context.n_cells), ""},
                     {"nodes", number(compute.n_nodes), ""},
                     {"splits", number(compute.n_splits), ""}}},
                   Evidence::derived, "llama.cpp v0.5.0, ggml-alloc.c and ggml-backend.cpp");
    if (!compute.graph_known) {
      term.low = buffer.low;
      term.high = buffer.high;
      term.evidence = Evidence::assumed;
      term.formula.expression = "max(n_vocab * n_outputs * 4 + E, 3F + 2E + Q + M)";
    }
    terms.push_back(std::move(term));
  }
}

void add_output_buffer(const Model& model, const LlamaCppSettings& settings,
                       const LlamaCppContext& context, std::vector<Term>& terms) {
  const Bytes at_start = output_buffer_bytes(model, context);
  const Bytes grown = output_buffer_bytes_all_rows(model, context);
  const auto add = [&](Bytes bytes, Formula formula) {
    terms.push_back(exact_term("output_buffer", "host", bytes, std::move(formula),
                               evidence_of(model), "llama.cpp v0.5.0, output_reserve"));
  };
  if (model.is_encoder) {
    // The first full batch makes it grow: every token is an output.
    add(grown, {"n_batch * (n_vocab + n_embd) * 4",
                {{"n_batch", number(context.n_batch), ""},
                 {"n_vocab", number(model.n_vocab), ""},
                 {"n_embd", number(embedding_width(model)), ""}}});
    terms.back().low = at_start;
    return;
  }
  add(at_start, {"n_seq * n_vocab * 4",
                 {{"n_seq", number(context.n_seq), ""}, {"n_vocab", number(model.n_vocab), ""}}});
  // A program that asks for the logits of whole batches makes it grow.
  if (settings.n_outputs_max == 0) terms.back().high = grown;
}

/// F16 K and V of the widest layer, which builds before mid-2026 convert outside the buffers.
Bytes kv_scratch(const LlamaCppSettings& settings, const LlamaCppContext& context,
                 const std::vector<KvLayer>& layers) {
  if (settings.release >= LlamaCppRelease::v0_5_0) return 0;
  constexpr Bytes kF16 = 2;
  Bytes widest = 0;
  for (const KvLayer& layer : layers) {
    const std::int64_t cells = layer.n_cells * context.n_stream;
    Bytes bytes = 0;
    if (settings.type_k != GgmlType::F16) bytes += layer.width_k * cells * kF16;
    if (settings.type_v != GgmlType::F16) bytes += layer.width_v * cells * kF16;
    widest = std::max(widest, bytes);
  }
  return widest;
}

void add_overhead(const Model& model, const LlamaCppSettings& settings,
                  const LlamaCppContext& context, const std::vector<KvLayer>& layers,
                  std::vector<Term>& terms) {
  OverheadInputs inputs;
  const Tensor* head = model.find_tensor("output.weight");
  if (head == nullptr) head = model.find_tensor("token_embd.weight");
  if (head != nullptr) inputs.output_weight = head->bytes();
  inputs.n_ctx = context.n_ctx;
  inputs.kv_scratch_per_layer = kv_scratch(settings, context, layers);
  for (const LlamaCppDevice& device : settings.devices) {
    const DeviceOverhead overhead = llama_cpp_overhead(device, settings.os, inputs);
    const auto add = [&](const char* id, const ByteRange3& range, Formula formula,
                         Evidence evidence) {
      if (range.high == 0) return;
      terms.push_back({id, device.name, range.likely, range.low, range.high, std::move(formula),
                       evidence, "readings of real processes, overhead.csv"});
    };
    add("runtime_context", overhead.context,
        {"40 MiB + 2.9 MiB * n_sm * threads_per_sm / 1536",
         {{"n_sm", static_cast<double>(device.n_sm), ""},
          {"threads_per_sm", static_cast<double>(device.threads_per_sm), ""}}},
        overhead.context_is_measured ? Evidence::measured : Evidence::assumed);
    add("runtime_overhead", overhead.rest,
        {overhead.rest_is_measured ? "measured on this machine, with its context"
                                   : "kernels, pools, graphs and the system's share",
         {}},
        overhead.rest_is_measured ? Evidence::measured : Evidence::assumed);
  }
}

void add_mtp(const Model& model, const LlamaCppSettings& settings, const LlamaCppContext& context,
             const LlamaCppPlacement& placement, std::vector<Term>& terms) {
  if (!settings.load_mtp) return;
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    const Layer& layer = model.layers[il];
    if (!layer.is_mtp || layer.kind != LayerKind::attention) continue;
    // The block alone, in a context of its own with the same cells.
    Model block;
    block.layers = {layer};
    block.layers.front().is_mtp = false;
    LlamaCppPlacement at;
    at.kv_device = {placement.kv_device[il]};
    const Bytes bytes = kv_cache_bytes(kv_cache_layers(block, settings, context, at));
    const std::string device = device_name(settings, placement.kv_device[il]);
    terms.push_back(
        exact_term("mtp_kv_cache", device, bytes,
                   {"KV cache of the prediction block", {{"n_cells", number(context.n_cells), ""}}},
                   evidence_of(model), "llama.cpp v0.5.0, load_mtp"));
    // Not modelled: at most what the whole model's graph takes there.
    for (const Term& term : std::vector<Term>(terms)) {
      if (term.id != "compute_buffer" || term.device != device) continue;
      terms.push_back({"mtp_compute",
                       device,
                       term.bytes,
                       0,
                       term.high,
                       {"at most the compute buffer of the model", {}},
                       Evidence::assumed,
                       "not measured"});
    }
  }
}

void add_mmproj(const LlamaCppParts& parts, const LlamaCppSettings& settings,
                std::vector<Term>& terms) {
  if (!parts.mmproj) return;
  const int device = parts.mmproj_on_gpu && !settings.devices.empty() ? 0 : kHost;
  Bytes bytes = 0;
  const Bytes alignment = device == kHost ? 32 : settings.devices.front().alignment;
  for (const Tensor& tensor : parts.mmproj->tensors) {
    bytes += round_up(
        device == kHost ? tensor.bytes() : bytes_in_buffer(tensor, settings.devices.front()),
        alignment);
  }
  const std::string name = device_name(settings, device);
  terms.push_back(exact_term("mmproj_weights", name, bytes,
                             {"sum of all tensors of the projector file",
                              {{"tensors", number(std::ssize(parts.mmproj->tensors)), ""}}},
                             evidence_of(*parts.mmproj), "llama.cpp v0.5.0, tools/mtmd"));
  // Grows with the largest image; 248 MiB was read for one model.
  terms.push_back({"mmproj_compute",
                   name,
                   250 * kMiB,
                   50 * kMiB,
                   1000 * kMiB,
                   {"activations of the largest image", {}},
                   Evidence::assumed,
                   "one reading: 248 MiB (Qwen3.5)"});
}

void add_adapters(const Model& model, const LlamaCppParts& parts, const LlamaCppSettings& settings,
                  const LlamaCppPlacement& placement, std::vector<Term>& terms) {
  if (parts.adapters.empty()) return;
  std::unordered_map<std::string_view, int> devices;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    devices.emplace(model.tensors[i].name, placement.tensor_device[i]);
  }
  for (const int device : all_devices(settings)) {
    Bytes bytes = 0;
    std::int64_t n_tensors = 0;
    for (const auto& adapter : parts.adapters) {
      for (const Tensor& tensor : adapter->tensors) {
        const std::string base = tensor.name.substr(0, tensor.name.rfind(".lora_"));
        const auto found = devices.find(base);
        if ((found == devices.end() ? kHost : found->second) != device) continue;
        bytes += tensor.bytes();
        ++n_tensors;
      }
    }
    if (bytes == 0) continue;
    terms.push_back(exact_term("lora_weights", device_name(settings, device), bytes,
                               {"sum of the adapter's tensors beside their base weights",
                                {{"tensors", number(n_tensors), ""}}},
                               Evidence::exact, "llama.cpp v0.5.0, src/llama-adapter.cpp"));
  }
}

LayerCosts layer_costs(const Model& model, const LlamaCppPlacement& placement,
                       const std::vector<KvLayer>& kv, const std::vector<StateLayer>& states) {
  LayerCosts costs;
  costs.blocks.resize(model.layers.size());
  for (std::size_t il = 0; il < costs.blocks.size(); ++il) {
    costs.blocks[il].layer = static_cast<int>(il);
    costs.blocks[il].device = placement.layer_device[il];
  }
  const auto add_weight = [&](const Tensor& tensor) {
    const bool outside =
        tensor.layer < 0 || static_cast<std::size_t>(tensor.layer) >= costs.blocks.size();
    (outside ? costs.outside_weights
             : costs.blocks[static_cast<std::size_t>(tensor.layer)].weights) += tensor.bytes();
  };
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    if (placement.tensor_device[i] != kNotLoaded) add_weight(model.tensors[i]);
  }
  for (const WeightCopy& copy : placement.copies) add_weight(model.tensors[copy.tensor]);
  for (const KvLayer& layer : kv) {
    costs.blocks[static_cast<std::size_t>(layer.layer)].kv_cache += layer.bytes();
  }
  for (const StateLayer& state : states) {
    costs.blocks[static_cast<std::size_t>(state.layer)].recurrent_state += state.bytes();
  }
  return costs;
}

/// What the reader did not know, and an estimate by analogy, are said beside the numbers.
void add_warnings(const Model& model, LlamaCppEstimate& estimate) {
  for (const std::string& unknown : model.unknowns) {
    const std::size_t colon = unknown.find(':');
    // What kind of model it is leaves no doubt about the numbers.
    const std::string_view kind = std::string_view(unknown).substr(0, colon);
    if (kind == "encoder" || kind == "diffusion") continue;
    estimate.warnings.push_back({unknown.substr(0, colon), "model",
                                 colon == std::string::npos ? "" : unknown.substr(colon + 1)});
  }
  if (!estimate.compute.graph_known) {
    estimate.warnings.push_back({"graph_unknown", "model", model.architecture});
  }
}

}  // namespace

Result<LlamaCppEstimate> LlamaCppEstimator::estimate_draft(const LlamaCppSettings& target,
                                                           std::int64_t n_ctx) {
  const LlamaCppParts& parts = *target.parts;
  if (draft_model_ != parts.draft) {
    draft_model_ = parts.draft;
    draft_ = std::make_unique<LlamaCppEstimator>(*draft_model_);
  }
  LlamaCppSettings settings = target;
  settings.parts = nullptr;
  settings.load_mtp = false;
  settings.n_draft = 0;
  settings.n_ctx = n_ctx;
  settings.n_gpu_layers = parts.draft_n_gpu_layers;
  settings.type_k = parts.draft_type_k;
  settings.type_v = parts.draft_type_v;
  // Where the target's tensors go is nothing to the draft.
  settings.overrides.clear();
  settings.cpu_moe = false;
  settings.n_cpu_moe = 0;
  return draft_->estimate(settings);
}

Result<LlamaCppEstimate> LlamaCppEstimator::estimate(const LlamaCppSettings& settings,
                                                     bool explain) {
  const auto context = normalize(settings, *model_);
  if (!context) return context.error();
  const auto placed = place_weights(*model_, settings, context.value());
  if (!placed) return placed.error();
  auto compute = compute_.estimate(settings, context.value(), placed.value(), explain);
  if (!compute) return compute.error();

  LlamaCppEstimate estimate;
  estimate.context = context.value();
  estimate.warnings = context.value().warnings;
  estimate.compute = std::move(compute.value());
  const LlamaCppPlacement& placement = placed.value();
  const auto kv = kv_cache_layers(*model_, settings, estimate.context, placement);
  const auto states = recurrent_state_layers(*model_, estimate.context, placement);

  std::vector<Term>& terms = estimate.terms;
  add_weights(*model_, settings, placement, terms);
  add_kv(*model_, settings, estimate.context, kv, terms);
  add_states(*model_, settings, estimate.context, states, terms);
  add_output_buffer(*model_, settings, estimate.context, terms);
  add_compute(settings, estimate.context, estimate.compute, terms);
  add_mtp(*model_, settings, estimate.context, placement, terms);
  if (settings.parts) {
    add_mmproj(*settings.parts, settings, terms);
    add_adapters(*model_, *settings.parts, settings, placement, terms);
  }
  add_overhead(*model_, settings, estimate.context, kv, terms);
  estimate.layers = layer_costs(*model_, placement, kv, states);
  add_warnings(*model_, estimate);

  if (settings.parts && settings.parts->draft) {
    auto draft = estimate_draft(settings, estimate.context.n_ctx);
    if (!draft) return draft.error();
    for (Term& term : draft.value().terms) {
      // One process has one context per device, however many models it runs.
      if (term.id == "runtime_context" || term.id == "runtime_overhead") continue;
      term.id = "draft_" + term.id;
      terms.push_back(std::move(term));
    }
  }
  return estimate;
}

Result<LlamaCppEstimate> estimate_llama_cpp(const Model& model, const LlamaCppSettings& settings) {
  return LlamaCppEstimator(model).estimate(settings, true);
}

Bytes total_on(const LlamaCppEstimate& estimate, std::string_view device, Amount amount,
               bool reclaimable) {
  Bytes total = 0;
  for (const Term& term : estimate.terms) {
    if (term.device != device || (!reclaimable && term.id == "weights_mapped")) continue;
    total += amount == Amount::low ? term.low : amount == Amount::high ? term.high : term.bytes;
  }
  return total;
}

LlamaCppSettings default_settings(LlamaCppProgram program) {
  LlamaCppSettings settings;  // n_batch 2048, n_ubatch 512, F16 cache, flash attention automatic
  switch (program) {
    case LlamaCppProgram::server:
      settings.n_seq = 4;
      settings.kv_unified = true;
      settings.n_outputs_max = settings.n_seq;
      break;
    case LlamaCppProgram::cli:
      settings.n_outputs_max = 1;
      break;
    case LlamaCppProgram::library:
      settings.n_ctx = 512;
      settings.swa_full = true;
      break;
    case LlamaCppProgram::ollama:
      settings.n_ctx = 4096;
      settings.n_outputs_max = 1;
      break;
    case LlamaCppProgram::lm_studio:
      settings.n_ctx = 4096;
      settings.n_batch = 512;
      settings.n_seq = 4;
      settings.kv_unified = true;
      settings.n_outputs_max = settings.n_seq;
      break;
    case LlamaCppProgram::koboldcpp:
      settings.n_ctx = 8192;
      settings.n_batch = 512;
      break;
  }
  return settings;
}

}  // namespace meyasu
