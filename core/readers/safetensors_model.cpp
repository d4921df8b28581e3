#include "core/readers/safetensors_model.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "core/units/sort.hpp"

namespace meyasu {
namespace {

using Dtype = SafetensorsDtype;
using Shape = std::vector<std::int64_t>;  // outermost dimension first

/// Stored tensors by name.
class Lookup {
 public:
  explicit Lookup(const SafetensorsHeader& header) : header_(header) {
    order_ = sorted_numbers(header.tensors.size(), [&](std::size_t a, std::size_t b) {
      return header.tensors[a].name < header.tensors[b].name;
    });
  }
  [[nodiscard]] const SafetensorsTensor* find(std::string_view base,
                                              std::string_view suffix) const {
    const std::string name = std::string(base) + std::string(suffix);
    const auto found = std::lower_bound(
        order_.begin(), order_.end(), name,
        [&](std::size_t i, const std::string& n) { return header_.tensors[i].name < n; });
    if (found == order_.end() || header_.tensors[*found].name != name) return nullptr;
    return &header_.tensors[*found];
  }

 private:
  const SafetensorsHeader& header_;
  std::vector<std::size_t> order_;
};

/// Names of the tensor that holds the codes, and of those that belong to it.
constexpr auto kMainSuffixes = std::to_array<std::string_view>(
    {".qweight", ".weight_packed", "_blocks", ".q_weight", ".trellis", ".W_q", ".weight"});
constexpr auto kCompanionSuffixes =
    std::to_array<std::string_view>({".qzeros",
                                     ".scales",
                                     ".g_idx",
                                     ".weight_scale",
                                     ".weight_scale_inv",
                                     ".weight_scale_2",
                                     ".weight_shape",
                                     ".weight_zero_point",
                                     ".weight_g_idx",
                                     ".weight_global_scale",
                                     ".input_global_scale",
                                     ".input_scale",
                                     ".weight.absmax",
                                     ".weight.quant_map",
                                     ".weight.nested_absmax",
                                     ".weight.nested_quant_map",
                                     ".weight.quant_state.bitsandbytes__nf4",
                                     ".weight.quant_state.bitsandbytes__fp4",
                                     ".SCB",
                                     ".weight_format",
                                     "_scales",
                                     ".biases",
                                     ".q_scale",
                                     ".q_scale_max",
                                     ".q_groups",
                                     ".q_group_map",
                                     ".q_invperm",
                                     ".q_perm",
                                     ".suh",
                                     ".svh",
                                     ".su",
                                     ".sv",
                                     ".mcg",
                                     ".mul1",
                                     ".scale",
                                     ".zero"});

bool is_float8(Dtype dtype) {
  return dtype == Dtype::F8_E4M3 || dtype == Dtype::F8_E5M2 || dtype == Dtype::F8_E4M3FNUZ ||
         dtype == Dtype::F8_E5M2FNUZ;
}

std::optional<GgmlType> plain_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::F32:
      return GgmlType::F32;
    case Dtype::F64:
      return GgmlType::F64;
    case Dtype::F16:
      return GgmlType::F16;
    case Dtype::BF16:
      return GgmlType::BF16;
    default:
      return std::nullopt;
  }
}

std::int64_t dimension(const SafetensorsTensor* tensor, std::size_t at) {
  return tensor != nullptr && at < tensor->shape.size() ? tensor->shape[at] : 0;
}

/// What a packed weight is when unpacked. No shape: the layout is not understood.
struct Unpacked {
  std::string name;
  std::string format;
  Shape shape;
};

/// The quantization_config of a config.json, wherever its writer put it.
const JsonValue* find_quantization(const JsonValue* config) {
  if (config == nullptr) return nullptr;
  for (const char* key : {"quantization_config", "compression_config", "quantization"}) {
    if (const JsonValue* found = config->find(key); found != nullptr && found->is_object()) {
      return found;
    }
  }
  return find_quantization(config->find("text_config"));
}

std::int64_t number_in(const JsonValue* object, std::string_view key) {
  const JsonValue* value = object == nullptr ? nullptr : object->find(key);
  return value == nullptr ? 0 : value->as_integer().value_or(0);
}

/// Bits per code that are possible at all; 0 when shapes or configs say anything else.
std::int64_t valid_bits(std::int64_t bits) {
  return bits >= 1 && bits <= 8 ? bits : 0;
}

std::string with_bits(std::string_view method, std::int64_t bits) {
  return std::string(method) + '-' + std::to_string(bits) + "bit";
}

/// GPTQ packs the K inputs of a column into int32 words, AWQ the N outputs of a row.
Unpacked unpack_qweight(const SafetensorsTensor& main, std::string_view base, const Lookup& lookup,
                        const JsonValue* quantization) {
  const std::int64_t n = dimension(lookup.find(base, ".scales"), 1);
  const SafetensorsTensor* zeros = lookup.find(base, ".qzeros");
  Unpacked weight{std::string(base) + ".weight", "", {}};
  if (n == 0 || main.shape.size() != 2 || n > SafetensorsLimits::kData) return weight;
  std::int64_t bits = valid_bits(number_in(quantization, "bits"));
  const bool is_awq = main.shape[1] != n;
  if (bits == 0) bits = valid_bits(is_awq ? main.shape[1] * 32 / n : dimension(zeros, 1) * 32 / n);
  if (bits == 0) return weight;
  weight.format = with_bits(is_awq ? "awq" : "gptq", bits);
  weight.shape = {n, is_awq ? main.shape[0] : main.shape[0] * 32 / bits};
  return weight;
}

Unpacked unpack_compressed(const SafetensorsTensor& main, std::string_view base,
                           const Lookup& lookup, const JsonValue* quantization) {
  Unpacked weight{std::string(base) + ".weight", "", {}};
  if (main.shape.size() != 2) return weight;
  if (main.dtype == Dtype::U8) {  // two FP4 codes a byte
    weight.format = lookup.find(base, ".weight_global_scale") != nullptr ? "nvfp4" : "mxfp4";
    weight.shape = {main.shape[0], main.shape[1] * 2};
    return weight;
  }
  std::int64_t bits = 4;
  if (const JsonValue* groups =
          quantization == nullptr ? nullptr : quantization->find("config_groups");
      groups != nullptr && !groups->items().empty()) {
    bits = valid_bits(number_in(groups->items()[0].find("weights"), "num_bits"));
  }
  if (bits == 0) return weight;
  weight.format = with_bits("compressed-tensors", bits);
  weight.shape = {main.shape[0], main.shape[1] * 32 / bits};
  return weight;
}

Unpacked unpack_weight(const SafetensorsTensor& main, std::string_view base, const Lookup& lookup,
                       const JsonValue* quantization) {
  Unpacked weight{main.name, "", {}};
  if (is_float8(main.dtype)) {
    weight.shape = main.shape;
    weight.format = lookup.find(base, ".weight_scale_inv") != nullptr      ? "fp8-block"
                    : dimension(lookup.find(base, ".weight_scale"), 0) > 1 ? "fp8-channel"
                                                                           : "fp8-tensor";
  } else if (main.dtype == Dtype::I8 && (lookup.find(base, ".SCB") != nullptr ||
                                         lookup.find(base, ".weight_scale") != nullptr)) {
    weight.shape = main.shape;
    weight.format = lookup.find(base, ".SCB") != nullptr ? "int8-bnb" : "int8-w8a8";
  } else if (main.dtype == Dtype::U8 && lookup.find(base, ".weight.absmax") != nullptr) {
    const bool fp4 = lookup.find(base, ".weight.quant_state.bitsandbytes__fp4") != nullptr;
    weight.shape = {main.elements * 2};
    weight.format = fp4 ? "bnb-fp4" : "bnb-nf4";
    if (lookup.find(base, ".weight.nested_absmax") != nullptr) weight.format += "-dq";
  } else if (main.dtype == Dtype::U8 && lookup.find(base, ".weight_scale") != nullptr &&
             !main.shape.empty()) {  // ModelOpt: two codes a byte along the row
    weight.shape = main.shape;
    weight.shape.back() *= 2;
    weight.format = "nvfp4";
  } else if (main.dtype == Dtype::U32 && lookup.find(base, ".scales") != nullptr &&
             !main.shape.empty()) {
    // MLX. The group is 64 unless config.json says otherwise.
    const std::int64_t group = std::max<std::int64_t>(number_in(quantization, "group_size"), 0);
    const SafetensorsTensor* scales = lookup.find(base, ".scales");
    const std::int64_t groups = scales->shape.empty() ? 0 : scales->shape.back();
    constexpr std::int64_t kLargestGroup = 4096;
    const std::int64_t row = groups * (group > 0 && group <= kLargestGroup ? group : 64);
    if (row > 0 && groups <= SafetensorsLimits::kData / kLargestGroup) {
      weight.shape = main.shape;
      const std::int64_t bits = main.shape.back() * 32 / row;
      weight.shape.back() = row;
      weight.format = with_bits("mlx", bits);
    }
  }
  return weight;
}

/// Nothing for a tensor that holds no packed codes.
std::optional<Unpacked> unpack(const SafetensorsTensor& main, const Lookup& lookup,
                               const JsonValue* quantization) {
  const std::string_view name = main.name;
  for (const std::string_view suffix : kMainSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string_view base = name.substr(0, name.size() - suffix.size());
    Unpacked weight{std::string(base) + ".weight", "", {}};
    if (suffix == ".qweight") return unpack_qweight(main, base, lookup, quantization);
    if (suffix == ".weight_packed") return unpack_compressed(main, base, lookup, quantization);
    if (suffix == ".weight") {
      weight = unpack_weight(main, base, lookup, quantization);
      if (weight.format.empty()) return std::nullopt;
      return weight;
    }
    if (suffix == "_blocks" && main.dtype == Dtype::U8 && main.shape.size() >= 3 &&
        lookup.find(base, "_scales") != nullptr) {
      // [..., rows, K / 32, 16 bytes of two codes] (gpt-oss).
      weight.name = std::string(base);
      weight.format = "mxfp4-experts";
      weight.shape.assign(main.shape.begin(), main.shape.end() - 1);
      weight.shape.back() *= main.shape.back() * 2;
      return weight;
    }
    if (suffix == ".q_weight") {
      weight.format = "exl2";
      weight.shape = {dimension(&main, 1), dimension(lookup.find(base, ".q_invperm"), 0)};
      if (weight.shape[1] == 0) weight.shape.clear();
      return weight;
    }
    if (suffix == ".trellis" && main.shape.size() == 3) {  // tiles of 16 x 16
      weight.format = "exl3";
      weight.shape = {main.shape[1] * 16, main.shape[0] * 16};
      return weight;
    }
    if (suffix == ".W_q") {
      const JsonValue* params =
          quantization == nullptr ? nullptr : quantization->find("weight_quant_params");
      const std::int64_t bits = valid_bits(number_in(params, "nbits"));
      weight.format = with_bits("hqq", bits);
      if (bits > 0) weight.shape = {main.bytes * 8 / bits};
      return weight;
    }
  }
  return std::nullopt;
}

/// The tensor that `name` is a part of, or nullptr.
const SafetensorsTensor* find_owner(std::string_view name, const Lookup& lookup) {
  for (const std::string_view suffix : kCompanionSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string_view base = name.substr(0, name.size() - suffix.size());
    for (const std::string_view main : kMainSuffixes) {
      if (const SafetensorsTensor* owner = lookup.find(base, main)) return owner;
    }
  }
  return nullptr;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Tables that networks compute and some checkpoints store all the same.
bool is_buffer(const SafetensorsTensor& tensor) {
  return tensor.name.ends_with("rotary_emb.inv_freq") || tensor.name.ends_with("masked_bias") ||
         (tensor.name.ends_with(".attn.bias") && tensor.shape.size() == 4);
}

/// Number of the block in a name such as "model.layers.12.mlp.up_proj.weight"; -1 outside.
int block_of(std::string_view name) {
  for (const std::string_view marker : {"layers.", "layer.", "blocks.", "h."}) {
    const std::size_t found = name.find(marker);
    if (found == std::string_view::npos || (found > 0 && name[found - 1] != '.')) continue;
    int number = -1;
    for (std::size_t i = found + marker.size(); i < name.size(); ++i) {
      if (name[i] < '0' || name[i] > '9' || number > 100'000) break;
      number = std::max(number, 0) * 10 + (name[i] - '0');
    }
    if (number >= 0) return number;
  }
  return -1;
}

/// Adds a weight; more than four dimensions (3-D convolutions) are folded into the outermost.
/// False when the bytes cannot hold that many elements.
bool add_weight(Checkpoint& checkpoint, std::string name, const Shape& shape, GgmlType type,
                Bytes bytes) {
  Tensor tensor;
  std::int64_t elements = 1;
  for (const std::int64_t n : shape) {
    // Empty dimensions count as 1, so that no product of some of the dimensions overflows.
    if (__builtin_mul_overflow(elements, std::max<std::int64_t>(n, 1), &elements)) return false;
  }
  // No packing goes below half a bit; shapes of separate parts may contradict each other.
  constexpr std::int64_t kMostPerByte = 16;
  if (elements / kMostPerByte > bytes) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    tensor.ne[std::min<std::size_t>(i, 3)] *= shape[shape.size() - 1 - i];
  }
  tensor.n_dims = static_cast<int>(std::min<std::size_t>(shape.size(), 4));
  tensor.type = type;
  tensor.role = role_of_hugging_face_name(name);
  tensor.layer = block_of(name);
  tensor.name = std::move(name);
  checkpoint.model.tensors.push_back(std::move(tensor));
  checkpoint.tensor_bytes.push_back(bytes);
  return true;
}

void note_unknown(Checkpoint& checkpoint, const std::string& name) {
  if (checkpoint.model.unknowns.empty()) {
    checkpoint.model.unknowns.push_back("packing_unknown:" + name);
  }
}

/// The format with the most parameters.
std::string most_common(std::vector<std::pair<std::string, std::int64_t>>& parameters) {
  sort_items(parameters, std::less<>{});
  std::string best;
  std::int64_t most = 0;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    sum += parameters[i].second;
    if (i + 1 < parameters.size() && parameters[i + 1].first == parameters[i].first) continue;
    if (sum > most) {
      most = sum;
      best = parameters[i].first;
    }
    sum = 0;
  }
  return best;
}

}  // namespace

Bytes Checkpoint::bytes() const {
  return std::accumulate(tensor_bytes.begin(), tensor_bytes.end(), other_bytes);
}

Checkpoint checkpoint_from_safetensors(const SafetensorsHeader& header, const JsonValue* config) {
  Checkpoint checkpoint;
  checkpoint.model.provenance = Provenance::header;
  const JsonValue* quantization = find_quantization(config);
  const Lookup lookup(header);

  // Bytes of the parts, to be added to the weight they belong to.
  std::vector<Bytes> parts(header.tensors.size(), 0);
  std::vector<bool> is_part(header.tensors.size(), false);
  for (std::size_t i = 0; i < header.tensors.size(); ++i) {
    const SafetensorsTensor* owner = find_owner(header.tensors[i].name, lookup);
    if (owner == nullptr || !unpack(*owner, lookup, quantization)) continue;
    is_part[i] = true;
    parts[static_cast<std::size_t>(owner - header.tensors.data())] += header.tensors[i].bytes;
  }

  std::vector<std::pair<std::string, std::int64_t>> packed;
  std::vector<std::pair<std::string, std::int64_t>> plain;
  for (std::size_t i = 0; i < header.tensors.size(); ++i) {
    if (is_part[i]) continue;
    const SafetensorsTensor& tensor = header.tensors[i];
    const Bytes bytes = tensor.bytes + parts[i];
    if (const auto weight = unpack(tensor, lookup, quantization)) {
      if (weight->shape.empty() ||
          !add_weight(checkpoint, weight->name, weight->shape, GgmlType::BF16, bytes)) {
        note_unknown(checkpoint, tensor.name);
        checkpoint.other_bytes += bytes;
        continue;
      }
      packed.emplace_back(weight->format, checkpoint.model.tensors.back().elements());
      continue;
    }
    const auto type = plain_type(tensor.dtype);
    if (!type || is_buffer(tensor) ||
        !add_weight(checkpoint, tensor.name, tensor.shape, *type, bytes)) {
      // Whole numbers under the name of a weight are codes of some packing.
      if (!type && tensor.name.ends_with(".weight")) note_unknown(checkpoint, tensor.name);
      checkpoint.other_bytes += bytes;
      continue;
    }
    plain.emplace_back(ggml_type_name(*type), tensor.elements);
  }
  checkpoint.format = most_common(packed.empty() ? plain : packed);
  return checkpoint;
}

TensorRole role_of_hugging_face_name(std::string_view name) {
  struct PartAndRole {
    std::string_view part;
    TensorRole role;
  };
  // The first part that occurs decides.
  constexpr std::array kParts = {
      PartAndRole{"visual.", TensorRole::vision},
      PartAndRole{"vision", TensorRole::vision},
      PartAndRole{"audio", TensorRole::vision},
      PartAndRole{"multi_modal", TensorRole::vision},
      PartAndRole{"mtp.", TensorRole::mtp},
      PartAndRole{"eh_proj", TensorRole::mtp},
      PartAndRole{"norm", TensorRole::norm},
      PartAndRole{".ln_", TensorRole::norm},
      PartAndRole{"ln_f", TensorRole::norm},
      PartAndRole{"shared_expert_gate", TensorRole::router},
      PartAndRole{"shared_expert", TensorRole::shared_expert},
      PartAndRole{"shared_mlp", TensorRole::shared_expert},
      PartAndRole{".router", TensorRole::router},
      PartAndRole{"mlp.gate.", TensorRole::router},
      PartAndRole{"block_sparse_moe.gate.", TensorRole::router},
      PartAndRole{"e_score_correction_bias", TensorRole::router},
      PartAndRole{".experts", TensorRole::routed_expert},
      PartAndRole{"embed_positions", TensorRole::position},
      PartAndRole{"position_embeddings", TensorRole::position},
      PartAndRole{"wpe.", TensorRole::position},
      PartAndRole{"embed_tokens", TensorRole::embedding},
      PartAndRole{"word_embeddings", TensorRole::embedding},
      PartAndRole{"wte.", TensorRole::embedding},
      PartAndRole{"embed_in", TensorRole::embedding},
      PartAndRole{"lm_head", TensorRole::output_head},
      PartAndRole{"embed_out", TensorRole::output_head},
      PartAndRole{"linear_attn", TensorRole::recurrent},
      PartAndRole{"mamba", TensorRole::recurrent},
      PartAndRole{"mixer.", TensorRole::recurrent},
      PartAndRole{"conv.", TensorRole::recurrent},
      PartAndRole{"attn", TensorRole::attention},
      PartAndRole{"attention", TensorRole::attention},
      PartAndRole{"mlp", TensorRole::feed_forward},
      PartAndRole{"feed_forward", TensorRole::feed_forward},
      PartAndRole{"ffn", TensorRole::feed_forward},
      PartAndRole{".fc", TensorRole::feed_forward},
  };
  for (const auto& [part, role] : kParts) {
    if (contains(name, part)) return role;
  }
  return TensorRole::other;
}

}  // namespace meyasu
