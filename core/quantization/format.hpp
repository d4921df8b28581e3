// Weight formats of servers and GPU runtimes (FP8, INT8, GPTQ, AWQ, bitsandbytes, HQQ, NVFP4,
// MXFP4, EXL2/EXL3, MLX): which tensors are quantized, what stays 16 bit, and the exact bytes with
// scales, zero points and packing. GGUF files are the business of mix.hpp.
//
// A linear layer is a matrix of N rows (outputs) of K elements (inputs): ne[1] and ne[0]. Stacked
// experts are ne[2] such matrices. Quantizers leave embeddings, the output head, norms, biases,
// routers, convolutions and vision towers in 16 bit, with the exceptions noted at FormatMethod.
// Counted are the weights as they lie in memory; buffers such as a RoPE table belong to runtimes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model.hpp"
#include "core/units/bytes.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class FormatMethod : std::uint8_t {
  fp32,
  fp16,
  bf16,
  fp8_tensor,   // one fp32 scale per matrix
  fp8_channel,  // one fp32 scale per row
  fp8_block,    // one fp32 scale per 128 x 128 block (DeepSeek-V3, arXiv 2412.19437)
  int8_bnb,     // LLM.int8(): one fp32 absmax per row (arXiv 2208.07339)
  int8_w8a8,    // SmoothQuant family: one fp32 scale per row (arXiv 2211.10438)
  gptq,         // arXiv 2210.17323
  awq,          // arXiv 2306.00978
  hqq,
  bnb_nf4,  // QLoRA, arXiv 2305.14314
  bnb_fp4,
  nvfp4,
  mxfp4,          // OCP Microscaling v1.0, every linear layer
  mxfp4_experts,  // gpt-oss: routed experts only, all else 16 bit
  exl2,           // output head quantized too, with bits of its own
  exl3,
  mlx,  // embeddings, head and (8 bit) routers quantized too
};

/// `bits` per code; for EXL the average of the file, scales included. `group`: elements of a row
/// that share a scale, 0 = the whole row. Fields that a method does not have are ignored.
struct WeightFormat {
  FormatMethod method = FormatMethod::bf16;
  double bits = 16;
  std::int64_t group = 0;
  bool zeros = false;         // GPTQ: asymmetric, zero points kept (AWQ and HQQ always keep them)
  bool act_order = false;     // GPTQ: desc_act, an int32 group index per input
  bool double_quant = false;  // bitsandbytes: absmax quantized to 8 bits in turn
  double head_bits = 6;       // EXL: bits of the output head
};

/// `group` -1, as configs spell it, is the whole row.
[[nodiscard]] constexpr WeightFormat gptq(int bits, std::int64_t group, bool zeros = false,
                                          bool act_order = false) {
  return {.method = FormatMethod::gptq,
          .bits = static_cast<double>(bits),
          .group = group > 0 ? group : 0,
          .zeros = zeros,
          .act_order = act_order};
}
[[nodiscard]] constexpr WeightFormat awq(std::int64_t group = 128) {
  return {.method = FormatMethod::awq, .bits = 4, .group = group};
}
[[nodiscard]] constexpr WeightFormat hqq(int bits = 4, std::int64_t group = 64) {
  return {.method = FormatMethod::hqq, .bits = static_cast<double>(bits), .group = group};
}
[[nodiscard]] constexpr WeightFormat bnb_4bit(FormatMethod nf4_or_fp4, bool double_quant) {
  return {.method = nf4_or_fp4, .bits = 4, .group = 64, .double_quant = double_quant};
}
[[nodiscard]] constexpr WeightFormat exl(FormatMethod exl2_or_exl3, double bits,
                                         double head_bits = 6) {
  return {.method = exl2_or_exl3, .bits = bits, .head_bits = head_bits};
}
[[nodiscard]] constexpr WeightFormat mlx(int bits, std::int64_t group = 64) {
  return {.method = FormatMethod::mlx, .bits = static_cast<double>(bits), .group = group};
}
/// Methods without parameters of their own: floats, FP8, INT8, NVFP4, MXFP4.
[[nodiscard]] constexpr WeightFormat plain_format(FormatMethod method) {
  switch (method) {
    case FormatMethod::fp32:
      return {.method = method, .bits = 32};
    case FormatMethod::fp8_tensor:
    case FormatMethod::fp8_channel:
    case FormatMethod::fp8_block:
    case FormatMethod::int8_bnb:
    case FormatMethod::int8_w8a8:
      return {.method = method, .bits = 8};
    case FormatMethod::nvfp4:
      return {.method = method, .bits = 4, .group = 16};
    case FormatMethod::mxfp4:
    case FormatMethod::mxfp4_experts:
      return {.method = method, .bits = 4, .group = 32};
    case FormatMethod::fp16:
    case FormatMethod::bf16:
    case FormatMethod::gptq:  // from here on: of no use without parameters
    case FormatMethod::awq:
    case FormatMethod::hqq:
    case FormatMethod::bnb_nf4:
    case FormatMethod::bnb_fp4:
    case FormatMethod::exl2:
    case FormatMethod::exl3:
    case FormatMethod::mlx:
      break;
  }
  return {.method = method, .bits = 16};
}

/// The usual settings, the rows of the table of formats.
inline constexpr std::array kUsualFormats = {
    plain_format(FormatMethod::fp32),
    plain_format(FormatMethod::fp16),
    plain_format(FormatMethod::bf16),
    plain_format(FormatMethod::fp8_tensor),
    plain_format(FormatMethod::fp8_channel),
    plain_format(FormatMethod::fp8_block),
    plain_format(FormatMethod::int8_bnb),
    plain_format(FormatMethod::int8_w8a8),
    gptq(8, -1),
    gptq(4, 128),
    gptq(4, 32),
    gptq(3, 128),
    awq(128),
    hqq(4, 64),
    bnb_4bit(FormatMethod::bnb_nf4, false),
    bnb_4bit(FormatMethod::bnb_nf4, true),
    plain_format(FormatMethod::nvfp4),
    plain_format(FormatMethod::mxfp4),
    plain_format(FormatMethod::mxfp4_experts),
    exl(FormatMethod::exl2, 4.0),
    exl(FormatMethod::exl3, 3.0),
    exl(FormatMethod::exl3, 4.0),
    mlx(3),
    mlx(4),
    mlx(6),
    mlx(8),
};

/// "gptq-4bit-g128", stable: links and messages use it. `format_name`: "GPTQ 4-bit g128".
[[nodiscard]] std::string format_id(const WeightFormat& format);
[[nodiscard]] std::string format_name(const WeightFormat& format);
/// Paper, specification or file of the runtime that defines the layout.
[[nodiscard]] std::string_view format_source(FormatMethod method);

/// Bytes of one linear layer of `n` outputs and `k` inputs: codes, scales, zero points, indices.
[[nodiscard]] Bytes matrix_bytes(const WeightFormat& format, std::int64_t k, std::int64_t n);

struct FormatWeight {
  Bytes quantized_bytes = 0;
  Bytes kept_bytes = 0;  // tensors left in 16 bit (32 for fp32)
  std::int64_t quantized_params = 0;
  std::int64_t kept_params = 0;

  [[nodiscard]] Bytes bytes() const { return quantized_bytes + kept_bytes; }
};

/// The formula of a FormatWeight with its numbers.
[[nodiscard]] Formula format_formula(const WeightFormat& format, const FormatWeight& weight);

/// The matrices of one model, equal shapes counted together, to be weighed in many formats.
/// Independent of tensor names' dialect; goes by TensorRole and shape.
class FormatPlan {
 public:
  explicit FormatPlan(const Model& model);
  /// Does not allocate.
  [[nodiscard]] FormatWeight weigh(const WeightFormat& format) const;
  [[nodiscard]] bool has_routed_experts() const;

 private:
  enum class Kind : std::uint8_t { linear, routed_expert, router, embedding, head, kept };
  struct Shape {
    Kind kind = Kind::linear;
    std::int64_t k = 0;
    std::int64_t n = 0;
    std::int64_t count = 0;
  };

  static Kind kind_of(const Tensor& tensor);
  static FormatWeight weigh_matrix(const WeightFormat& format, Kind kind, std::int64_t k,
                                   std::int64_t n);
  friend std::vector<Bytes> tensor_bytes_in(const Model& model, const WeightFormat& format);
  void add(Kind kind, std::int64_t k, std::int64_t n, std::int64_t count);

  std::vector<Shape> shapes_;
  std::int64_t kept_params_ = 0;  // vectors, norms, convolutions, vision
  bool has_head_ = false;
};

/// Bytes of each of Model::tensors in `format`, for runtimes that split a model over GPUs. Their
/// sum is FormatPlan::weigh, but for EXL's extra head of tied models, which no tensor stands for.
[[nodiscard]] std::vector<Bytes> tensor_bytes_in(const Model& model, const WeightFormat& format);

}  // namespace meyasu
