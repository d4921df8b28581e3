// Which ggml type llama-quantize gives to each tensor of a model, and so the exact bytes of a GGUF
// file of any mix. Rules: src/llama-quant.cpp of llama.cpp v0.5.0 (tensor_allows_quantization,
// llama_tensor_get_type_impl, tensor_type_fallback). They go by GGUF tensor names, so the model
// must carry those (a GGUF header, or a list derived from an architecture).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/model/model.hpp"
#include "core/quantization/ftype.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Which llama-quantize made a file. Before early 2026 fused attn_qkv and MLA's attn_kv_b had rules
/// of their own instead of attn_v's: phi3, falcon, gpt-neox, old DeepSeek files. Before 2024 Q2_K
/// was larger, it kept ffn_gate and ffn_up in Q3_K (3.35 bits per weight of Llama 2 7B, not 3.01).
enum class MixEra : std::uint8_t { current, before_2026, before_2024 };

/// llama-quantize's options that change bytes. `*_type` are --output-tensor-type and
/// --token-embedding-type ("Q4_K_L" is Q4_K_M with both set to Q8_0).
struct MixOptions {
  bool imatrix = false;
  MixEra era = MixEra::current;
  std::optional<GgmlType> output_type;
  std::optional<GgmlType> token_embedding_type;
};

/// `tensor_bytes` is what llama.cpp prints as "quant size"; `data_bytes` is the data section of the
/// file, where every tensor is padded to 32 bytes. `n_fallback` tensors had rows that the block of
/// their type does not divide and got another type.
struct MixTotals {
  Bytes tensor_bytes = 0;
  Bytes data_bytes = 0;
  int n_fallback = 0;
};

/// `types` is parallel to Model::tensors.
struct QuantizedMix {
  std::vector<GgmlType> types;
  MixTotals totals;
};

/// A mix with the options that its published name implies.
struct MixName {
  Ftype ftype = Ftype::Q4_K_M;
  MixOptions options;
};

/// Reads the names of ftype_from_name and the publishers' "Q2_K_L", "Q3_K_XL", "Q4_K_L", "Q5_K_L",
/// "Q6_K_L" (bartowski: embeddings and output in Q8_0). Nothing for "UD-..." files: their types
/// are chosen tensor by tensor, only the file's header knows them.
[[nodiscard]] std::optional<MixName> mix_from_name(std::string_view name);

/// Whether no mix changes the type that convert_hf_to_gguf.py wrote: vectors, what is not called
/// "weight" (biases of experts, SSM decay), norms, routers, convolutions and other small or
/// sensitive matrices. Nearly all are F32 (conversion/base.py).
[[nodiscard]] bool stays_as_converted(const Tensor& tensor);

/// The tensors of one model, sorted and classified once, to be quantized in many mixes. The model
/// must outlive the plan.
class MixPlan {
 public:
  explicit MixPlan(const Model& model);

  /// Bytes only, without allocating. Error `quant_shape` (detail: tensor name) where llama-quantize
  /// stops: a row that the mix's block does not divide and for which there is no fallback.
  [[nodiscard]] Result<MixTotals> totals(Ftype ftype, const MixOptions& options) const;
  [[nodiscard]] Result<QuantizedMix> quantize(Ftype ftype, const MixOptions& options) const;

 private:
  enum class Category : std::uint8_t {
    output,
    token_embd,
    attn_qkv,
    attn_kv_b,
    attn_v,
    attn_k,
    attn_q,
    attn_output,
    ffn_up,
    ffn_gate,
    ffn_down,
    other
  };
  struct Entry {
    std::int64_t row = 0;     // ne[0]
    std::int64_t n_rows = 0;  // product of the others
    std::uint32_t index = 0;  // in Model::tensors
    std::int32_t layer = -1;
    Category category = Category::other;
    GgmlType stored = GgmlType::F16;  // the type it keeps when it is not quantized
    bool quantizable = false;
    bool stacked = false;  // ne[2] > 1: experts, and MLA's per-head matrices
  };
  struct Counters {
    int attn_v = 0;
    int ffn_down = 0;
    int ffn_gate = 0;
    int ffn_up = 0;
  };

  static Category category_of(std::string_view name);
  GgmlType choose(const Entry& entry, const FtypeInfo& info, const MixOptions& options,
                  Counters& seen) const;
  GgmlType choose_below_3_bits(const Entry& entry, Ftype ftype, GgmlType type,
                               const MixOptions& options, Counters& seen) const;
  GgmlType choose_attn_v(Ftype ftype, GgmlType type, const MixOptions& options, int seen) const;
  GgmlType choose_ffn_down(const Entry& entry, Ftype ftype, GgmlType type,
                           const MixOptions& options, int seen) const;
  GgmlType choose_attn_output(Ftype ftype, GgmlType type) const;
  /// Calls each(entry, type) in llama-quantize's order; false when that program would stop.
  template <class Each>
  Result<MixTotals> for_each(Ftype ftype, const MixOptions& options, Each&& each) const;

  const Model* model_;
  std::vector<Entry> entries_;
  std::int64_t n_layer_ = 0;  // all blocks, MTP included
  std::int64_t n_expert_ = 0;
  std::int64_t n_gqa_ = 0;  // query heads per KV head of the first block; 0 if it has none
  int n_attn_v_ = 0;
  bool tied_ = true;
  bool falcon_ = false;
  bool is_70b_ = false;
  bool bailingmoe3_ = false;
};

/// One mix of one model; use MixPlan for several.
[[nodiscard]] Result<QuantizedMix> quantize_mix(const Model& model, Ftype ftype,
                                                const MixOptions& options);

}  // namespace meyasu
