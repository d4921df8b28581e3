#include "core/inference/llama_cpp/placement.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/inference/llama_cpp/graph_model.hpp"
#include "core/inference/llama_cpp/weight_pattern.hpp"

namespace meyasu {
namespace {

// The pattern of --cpu-moe and --n-cpu-moe (common/common.h).
constexpr std::string_view kRoutedExperts = R"(\.ffn_(up|down|gate|gate_up)_(ch|)exps)";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Where llama.cpp counts a weight that belongs to no block (llama-arch.cpp, tensor infos).
enum class Place { input, first_layer, every_layer, output };

Place place_outside_blocks(const Model& model, std::string_view name, LlamaCppRelease release) {
  for (const std::string_view input :
       {"token_embd.", "position_embd.", "token_types.", "per_layer_token_embd."}) {
    if (name.starts_with(input)) return Place::input;
  }
  if (name.starts_with("rope_freqs.") || name.starts_with("rope_factors_")) {
    return Place::every_layer;
  }
  if (name.starts_with("token_embd_norm.")) {
    if (release < LlamaCppRelease::v0_5_0) return Place::input;
    // LFM2 keeps its final norm under this name.
    return model.architecture.starts_with("lfm2") ? Place::output : Place::first_layer;
  }
  if (name.starts_with("per_layer_model_proj.") || name.starts_with("per_layer_proj_norm.")) {
    return Place::first_layer;
  }
  return Place::output;
}

/// Gemma 4 rotates by given factors in its full layers only.
bool reads_rope_factors(const Model& model, std::size_t il) {
  return model.architecture != "gemma4" || model.layers[il].attention.span == AttentionSpan::full;
}

/// Whether a model without a head of its own multiplies by a second copy of the token table.
bool loads_table_twice(const Model& model) {
  const FamilyTraits* family = find_family(model.architecture);
  return family == nullptr || family->tied_head == TiedHead::copy;
}

/// The device of block `il`: the last n_gpu_layers of blocks + output go to the GPUs, cut where
/// the cumulative share passes. Single precision, as the runtime computes it.
class LayerSplit {
 public:
  LayerSplit(const LlamaCppSettings& settings, std::int64_t n_blocks, std::int64_t n_gpu_layers)
      : first_(std::max<std::int64_t>(n_blocks + 1 - n_gpu_layers, 0)),
        n_offloaded_(std::min(n_gpu_layers, n_blocks + 1)) {
    const std::size_t n_devices = settings.devices.size();
    const bool free_known = std::all_of(settings.devices.begin(), settings.devices.end(),
                                        [](const LlamaCppDevice& it) { return it.free > 0; });
    float sum = 0;
    for (std::size_t i = 0; i < n_devices; ++i) {
      if (!settings.tensor_split.empty()) {
        sum += i < settings.tensor_split.size() ? static_cast<float>(settings.tensor_split[i]) : 0;
      } else {
        sum += free_known ? static_cast<float>(settings.devices[i].free) : 1.0F;
      }
      shares_.push_back(sum);
    }
    for (float& share : shares_) share /= sum;
  }

  [[nodiscard]] int device(std::int64_t il) const {
    if (il < first_ || n_offloaded_ <= 0) return kHost;
    const float at = static_cast<float>(il - first_) / static_cast<float>(n_offloaded_);
    const auto device = std::upper_bound(shares_.begin(), shares_.end(), at) - shares_.begin();
    return static_cast<int>(std::min<std::ptrdiff_t>(device, std::ssize(shares_) - 1));
  }

 private:
  std::int64_t first_;
  std::int64_t n_offloaded_;
  std::vector<float> shares_;
};

struct CompiledOverride {
  WeightPattern pattern;
  int device = kHost;
  std::int64_t first_blocks = -1;  // >= 0: only blocks before this one
};

std::optional<int> device_number(const LlamaCppSettings& settings, std::string_view name) {
  if (name == "CPU" || name == "host") return kHost;
  for (std::size_t i = 0; i < settings.devices.size(); ++i) {
    if (settings.devices[i].name == name) return static_cast<int>(i);
  }
  return std::nullopt;
}

Result<std::vector<CompiledOverride>> compile_overrides(const LlamaCppSettings& settings) {
  std::vector<CompiledOverride> compiled;
  for (const TensorOverride& entry : settings.overrides) {
    auto pattern = WeightPattern::compile(entry.pattern);
    if (!pattern) return pattern.error();
    const auto device = device_number(settings, entry.device);
    if (!device) return Error{"override_device", "overrides", entry.device};
    compiled.push_back({std::move(pattern.value()), *device, -1});
  }
  if (settings.cpu_moe || settings.n_cpu_moe > 0) {
    auto pattern = WeightPattern::compile(kRoutedExperts);
    if (!pattern) return pattern.error();
    compiled.push_back(
        {std::move(pattern.value()), kHost, settings.cpu_moe ? -1 : settings.n_cpu_moe});
  }
  return compiled;
}

std::optional<int> overridden(const std::vector<CompiledOverride>& overrides,
                              const Tensor& tensor) {
  for (const CompiledOverride& entry : overrides) {
    const bool in_range =
        entry.first_blocks < 0 || (tensor.layer >= 0 && tensor.layer < entry.first_blocks);
    if (in_range && entry.pattern.matches(tensor.name)) return entry.device;
  }
  return std::nullopt;
}

void place_tensors(const Model& model, const LlamaCppSettings& settings,
                   const std::vector<CompiledOverride>& overrides, LlamaCppPlacement& placement) {
  const auto layer_device = [&](int il) {
    const auto index = static_cast<std::size_t>(std::max(il, 0));
    return index < placement.layer_device.size() ? placement.layer_device[index] : kHost;
  };
  std::optional<std::size_t> token_table;
  bool has_output = false;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    int device = kHost;
    if (tensor.layer >= 0) {
      const auto block = static_cast<std::size_t>(tensor.layer);
      const bool skipped = block < model.layers.size() && model.layers[block].is_mtp;
      device = skipped && !settings.load_mtp ? kNotLoaded : layer_device(tensor.layer);
    } else {
      switch (place_outside_blocks(model, tensor.name, settings.release)) {
        case Place::input:
          device = kHost;
          break;
        case Place::output:
          device = placement.output_device;
          break;
        case Place::first_layer:
          device = layer_device(0);
          break;
        case Place::every_layer: {
          std::size_t il = 0;
          while (il + 1 < model.layers.size() && !reads_rope_factors(model, il)) ++il;
          device = layer_device(static_cast<int>(il));
          break;
        }
      }
      if (tensor.name == "token_embd.weight") token_table = i;
      if (tensor.name == "output.weight") has_output = true;
    }
    if (device != kNotLoaded) device = overridden(overrides, tensor).value_or(device);
    placement.tensor_device.push_back(device);
    if (tensor.layer < 0 &&
        place_outside_blocks(model, tensor.name, settings.release) == Place::every_layer) {
      std::vector<int> seen = {device};
      for (std::size_t il = 0; il < placement.layer_device.size(); ++il) {
        const int other = placement.layer_device[il];
        if (!reads_rope_factors(model, il)) continue;
        if (std::find(seen.begin(), seen.end(), other) != seen.end()) continue;
        seen.push_back(other);
        placement.copies.push_back({i, other, false});
      }
    }
  }
  if (loads_table_twice(model) && token_table && !has_output && placement.output_device != kHost) {
    placement.copies.push_back({*token_table, placement.output_device, false});
  }
}

// GPU host buffers come before the repacking type in the runtime's list, so only builds without
// such a device repack.
void choose_repacked(const Model& model, const LlamaCppSettings& settings,
                     LlamaCppPlacement& placement) {
  placement.repacked.assign(model.tensors.size(), false);
  if (!settings.repack || !settings.devices.empty()) return;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (placement.tensor_device[i] != kHost || !is_repackable(tensor)) continue;
    if (tensor.name == "token_embd.weight") {
      // Looked up, so it stays; a tied output layer multiplies by a repacked second copy.
      if (loads_table_twice(model) && model.find_tensor("output.weight") == nullptr) {
        placement.copies.push_back({i, kHost, true});
      }
      continue;
    }
    placement.repacked[i] = true;
  }
}

void add_buffers(const Model& model, const LlamaCppSettings& settings,
                 LlamaCppPlacement& placement) {
  std::vector<Bytes> on_device(settings.devices.size(), 0);
  Bytes on_host = 0;
  Bytes repacked = 0;
  const auto add = [&](const Tensor& tensor, int device, bool is_repacked) {
    if (device >= 0) {
      const LlamaCppDevice& target = settings.devices[static_cast<std::size_t>(device)];
      on_device[static_cast<std::size_t>(device)] +=
          round_up(bytes_in_buffer(tensor, target), target.alignment);
    } else if (device == kHost) {
      (is_repacked ? repacked : on_host) += round_up(tensor.bytes(), kHostAlignment);
    }
  };
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    add(model.tensors[i], placement.tensor_device[i], placement.repacked[i]);
  }
  for (const WeightCopy& copy : placement.copies) {
    add(model.tensors[copy.tensor], copy.device, copy.repacked);
  }

  const bool mapped = settings.mmap && settings.real_load;
  if (mapped && on_host > 0) {
    Bytes offset = 0;
    Bytes first = -1;
    Bytes end = 0;
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      const Bytes bytes = model.tensors[i].bytes();
      if (placement.tensor_device[i] == kHost && !placement.repacked[i]) {
        if (first < 0) first = offset;
        end = offset + bytes;
      }
      offset += round_up(bytes, kHostAlignment);
    }
    if (first >= 0) on_host = end - first;
  }

  for (std::size_t i = 0; i < on_device.size(); ++i) {
    if (on_device[i] > 0) {
      placement.buffers.push_back({static_cast<int>(i), WeightBufferKind::device, on_device[i]});
    }
  }
  if (on_host > 0) {
    placement.buffers.push_back(
        {kHost, mapped ? WeightBufferKind::mapped : WeightBufferKind::host, on_host});
  }
  if (repacked > 0) placement.buffers.push_back({kHost, WeightBufferKind::repacked, repacked});
}

}  // namespace

Bytes bytes_in_buffer(const Tensor& tensor, const LlamaCppDevice& device) {
  const bool cuda_kernels =
      device.backend == LlamaCppBackend::cuda || device.backend == LlamaCppBackend::rocm;
  constexpr std::int64_t kRowPiece = 512;  // MATRIX_ROW_PADDING
  const std::int64_t rest = tensor.ne[0] % kRowPiece;
  const bool quantized = block_layout(tensor.type).block > 1;
  if (!cuda_kernels || !quantized || rest == 0) return tensor.bytes();
  return tensor.bytes() + row_bytes(tensor.type, kRowPiece - rest);
}

bool is_repackable(const Tensor& tensor) {
  constexpr std::int64_t kRowsAtOnce = 8;
  switch (tensor.type) {
    case GgmlType::Q4_0:
    case GgmlType::Q4_K:
    case GgmlType::Q2_K:
    case GgmlType::IQ4_NL:
    case GgmlType::MXFP4:
      break;
    default:
      return false;
  }
  // Stacked experts are multiplied with an index, which the kernels know; other stacked weights
  // (attn_k_b, attn_v_b of MLA) are not.
  const bool product = tensor.n_dims == 2 || (tensor.n_dims == 3 && contains(tensor.name, "exps"));
  return product && tensor.ne[1] % kRowsAtOnce == 0;
}

Result<LlamaCppPlacement> place_weights(const Model& model, const LlamaCppSettings& settings,
                                        const LlamaCppContext& context) {
  const auto overrides = compile_overrides(settings);
  if (!overrides) return overrides.error();

  LlamaCppPlacement placement;
  const auto n_blocks = static_cast<std::int64_t>(model.layers.size());
  const LayerSplit split(settings, n_blocks, context.n_gpu_layers);
  for (std::int64_t il = 0; il < n_blocks; ++il) {
    placement.layer_device.push_back(split.device(il));
  }
  placement.output_device = split.device(n_blocks);
  placement.kv_device = placement.layer_device;
  if (!settings.offload_kv) placement.kv_device.assign(model.layers.size(), kHost);
  placement.has_overrides =
      !settings.overrides.empty() || settings.cpu_moe || settings.n_cpu_moe > 0;
  placement.all_layers_offloaded = context.n_gpu_layers > n_blocks;

  place_tensors(model, settings, overrides.value(), placement);
  choose_repacked(model, settings, placement);
  add_buffers(model, settings, placement);
  return placement;
}

}  // namespace meyasu
