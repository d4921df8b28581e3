#include "core/quantization/format.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/quantization/mix.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kFp8Block = 128;          // DeepSeek-V3 §3.3.2
constexpr std::int64_t kBnbBlock = 64;           // bitsandbytes functional.py, quantize_4bit
constexpr std::int64_t kBnbNestedBlock = 256;    // the same, compress_statistics
constexpr std::int64_t kBnbCodeBytes = 64;       // fp32 table of the 16 values, one per layer
constexpr std::int64_t kNvfp4Block = 16;         // fp8 scale per 16 values, fp32 per matrix
constexpr std::int64_t kMxBlock = 32;            // OCP MX: 8-bit exponent per 32 values
constexpr WeightFormat kMlxRouter = mlx(8, 64);  // quant_predicate of mlx_lm's MoE models

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Codes of `bits` bits packed into 32-bit words.
std::int64_t packed_bytes(std::int64_t values, std::int64_t bits) {
  return ceil_div(values * bits, 32) * 4;
}

Bytes average_bytes(double bits, std::int64_t params) {
  return static_cast<Bytes>(std::llround(bits * static_cast<double>(params) / 8.0));
}

bool is_plain(FormatMethod method) {
  return method == FormatMethod::fp32 || method == FormatMethod::fp16 ||
         method == FormatMethod::bf16;
}

bool is_exl(FormatMethod method) {
  return method == FormatMethod::exl2 || method == FormatMethod::exl3;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// Vectors, small matrices and MTP embeddings: what every quantizer leaves alone, in either dialect
/// of names.
bool is_left_alone(const Tensor& tensor) {
  const std::string_view name = tensor.name;
  if (name.ends_with("bias") || name.find("conv1d") != std::string_view::npos) return true;
  // MTP blocks repeat the embedding and the head, which stay 16 bit.
  if (name.find("nextn.embed_tokens") != std::string_view::npos ||
      name.find("nextn.shared_head_head") != std::string_view::npos) {
    return true;
  }
  const bool is_vector = tensor.ne[1] * tensor.ne[2] * tensor.ne[3] == 1;
  // Stacked experts have names without ".weight" in some Hugging Face checkpoints.
  if (tensor.role == TensorRole::routed_expert) return is_vector;
  return stays_as_converted(tensor);
}

/// What one matrix costs, in the terms of the header: K inputs, N outputs.
std::string matrix_expression(const WeightFormat& format) {
  const std::string b = number(format.bits);
  const std::string groups =
      format.group == 0 ? "1" : "ceil(K/" + std::to_string(format.group) + ")";
  switch (format.method) {
    case FormatMethod::fp32:
      return "4*N*K";
    case FormatMethod::fp16:
    case FormatMethod::bf16:
      return "2*N*K";
    case FormatMethod::fp8_tensor:
      return "N*K + 4";
    case FormatMethod::fp8_channel:
    case FormatMethod::int8_bnb:
    case FormatMethod::int8_w8a8:
      return "N*K + 4*N";
    case FormatMethod::fp8_block:
      return "N*K + 4*ceil(N/128)*ceil(K/128)";
    case FormatMethod::gptq: {
      std::string text = "N*K*" + b + "/8 + " + groups + "*N*2";
      if (format.zeros) text += " + " + groups + "*N*" + b + "/8";
      if (format.act_order) text += " + 4*K";
      return text;
    }
    case FormatMethod::awq:
      return "N*K*4/8 + " + groups + "*N*(2 + 4/8)";
    case FormatMethod::hqq:
      return "N*K*" + b + "/8 + " + groups + "*N*(2 + 2)";
    case FormatMethod::bnb_nf4:
    case FormatMethod::bnb_fp4:
      return format.double_quant ? "N*K/2 + ceil(N*K/64) + 4*ceil(N*K/64/256) + 4 + 64"
                                 : "N*K/2 + 4*ceil(N*K/64) + 64";
    case FormatMethod::nvfp4:
      return "N*K/2 + N*ceil(K/16) + 4";
    case FormatMethod::mxfp4:
    case FormatMethod::mxfp4_experts:
      return "N*K/2 + N*ceil(K/32)";
    case FormatMethod::exl2:
    case FormatMethod::exl3:
      return "N*K*" + b + "/8, head N*K*" + number(format.head_bits) + "/8";
    case FormatMethod::mlx:
      return "N*K*" + b + "/8 + N*" + groups + "*(2 + 2)";
  }
  return {};
}

/// Bytes of a parameter that stays unquantized.
Bytes kept_width(const WeightFormat& format) {
  return format.method == FormatMethod::fp32 ? 4 : 2;
}

}  // namespace

std::string format_id(const WeightFormat& format) {
  const std::string bits = number(format.bits) + "bit";
  const std::string group = format.group > 0 ? "-g" + std::to_string(format.group) : "-row";
  switch (format.method) {
    case FormatMethod::fp32:
      return "fp32";
    case FormatMethod::fp16:
      return "fp16";
    case FormatMethod::bf16:
      return "bf16";
    case FormatMethod::fp8_tensor:
      return "fp8-tensor";
    case FormatMethod::fp8_channel:
      return "fp8-channel";
    case FormatMethod::fp8_block:
      return "fp8-block";
    case FormatMethod::int8_bnb:
      return "int8-bnb";
    case FormatMethod::int8_w8a8:
      return "int8-w8a8";
    case FormatMethod::gptq:
      return "gptq-" + bits + group + (format.zeros ? "-asym" : "") +
             (format.act_order ? "-act" : "");
    case FormatMethod::awq:
      return "awq-" + bits + group;
    case FormatMethod::hqq:
      return "hqq-" + bits + group;
    case FormatMethod::bnb_nf4:
      return format.double_quant ? "bnb-nf4-dq" : "bnb-nf4";
    case FormatMethod::bnb_fp4:
      return format.double_quant ? "bnb-fp4-dq" : "bnb-fp4";
    case FormatMethod::nvfp4:
      return "nvfp4";
    case FormatMethod::mxfp4:
      return "mxfp4";
    case FormatMethod::mxfp4_experts:
      return "mxfp4-experts";
    case FormatMethod::exl2:
      return "exl2-" + number(format.bits) + "bpw";
    case FormatMethod::exl3:
      return "exl3-" + number(format.bits) + "bpw";
    case FormatMethod::mlx:
      return "mlx-" + bits + group;
  }
  return {};
}

std::string format_name(const WeightFormat& format) {
  const std::string bits = number(format.bits) + "-bit";
  const std::string group = format.group > 0 ? " g" + std::to_string(format.group) : " per row";
  switch (format.method) {
    case FormatMethod::fp32:
      return "FP32";
    case FormatMethod::fp16:
      return "FP16";
    case FormatMethod::bf16:
      return "BF16";
    case FormatMethod::fp8_tensor:
      return "FP8 per tensor";
    case FormatMethod::fp8_channel:
      return "FP8 per channel";
    case FormatMethod::fp8_block:
      return "FP8 128x128 blocks";
    case FormatMethod::int8_bnb:
      return "LLM.int8() (bitsandbytes)";
    case FormatMethod::int8_w8a8:
      return "INT8 W8A8";
    case FormatMethod::gptq:
      return "GPTQ " + bits + group + (format.zeros ? " asym" : "") +
             (format.act_order ? " act-order" : "");
    case FormatMethod::awq:
      return "AWQ " + bits + group;
    case FormatMethod::hqq:
      return "HQQ " + bits + group;
    case FormatMethod::bnb_nf4:
      return format.double_quant ? "bitsandbytes NF4 + double quant" : "bitsandbytes NF4";
    case FormatMethod::bnb_fp4:
      return format.double_quant ? "bitsandbytes FP4 + double quant" : "bitsandbytes FP4";
    case FormatMethod::nvfp4:
      return "NVFP4";
    case FormatMethod::mxfp4:
      return "MXFP4";
    case FormatMethod::mxfp4_experts:
      return "MXFP4 experts only";
    case FormatMethod::exl2:
      return "EXL2 " + number(format.bits) + " bpw";
    case FormatMethod::exl3:
      return "EXL3 " + number(format.bits) + " bpw";
    case FormatMethod::mlx:
      return "MLX " + bits + group;
  }
  return {};
}

std::string_view format_source(FormatMethod method) {
  switch (method) {
    case FormatMethod::fp32:
    case FormatMethod::fp16:
    case FormatMethod::bf16:
      return "IEEE 754-2019; bfloat16 is its upper half";
    case FormatMethod::fp8_tensor:
    case FormatMethod::fp8_channel:
      return "vllm model_executor/layers/quantization/compressed_tensors (w8a8_fp8)";
    case FormatMethod::fp8_block:
      return "DeepSeek-V3 (arXiv 2412.19437) §3.3.2";
    case FormatMethod::int8_bnb:
      return "LLM.int8() (arXiv 2208.07339); bitsandbytes nn/modules.py Int8Params";
    case FormatMethod::int8_w8a8:
      return "SmoothQuant (arXiv 2211.10438); vllm compressed_tensors (w8a8_int8)";
    case FormatMethod::gptq:
      return "GPTQ (arXiv 2210.17323); vllm model_executor/layers/quantization/gptq.py";
    case FormatMethod::awq:
      return "AWQ (arXiv 2306.00978); vllm model_executor/layers/quantization/awq.py";
    case FormatMethod::hqq:
      return "mobiusml/hqq, hqq/core/quantize.py";
    case FormatMethod::bnb_nf4:
    case FormatMethod::bnb_fp4:
      return "QLoRA (arXiv 2305.14314) §3; bitsandbytes functional.py quantize_4bit";
    case FormatMethod::nvfp4:
      return "NVIDIA TensorRT Model Optimizer, NVFP4QTensor";
    case FormatMethod::mxfp4:
      return "OCP Microscaling Formats v1.0";
    case FormatMethod::mxfp4_experts:
      return "gpt-oss model card (arXiv 2508.10925); OCP Microscaling Formats v1.0";
    case FormatMethod::exl2:
      return "turboderp-org/exllamav2 doc/convert.md";
    case FormatMethod::exl3:
      return "turboderp-org/exllamav3 doc/convert.md";
    case FormatMethod::mlx:
      return "ml-explore/mlx, mlx.core.quantize (affine); mlx_lm/convert.py";
  }
  return {};
}

Bytes matrix_bytes(const WeightFormat& format, std::int64_t k, std::int64_t n) {
  const std::int64_t params = k * n;
  const auto bits = static_cast<std::int64_t>(format.bits);
  const std::int64_t groups = format.group > 0 ? ceil_div(k, format.group) : 1;
  switch (format.method) {
    case FormatMethod::fp32:
      return params * 4;
    case FormatMethod::fp16:
    case FormatMethod::bf16:
      return params * 2;
    case FormatMethod::fp8_tensor:
      return params + 4;
    case FormatMethod::fp8_channel:
    case FormatMethod::int8_bnb:
    case FormatMethod::int8_w8a8:
      return params + 4 * n;
    case FormatMethod::fp8_block:
      return params + 4 * ceil_div(n, kFp8Block) * ceil_div(k, kFp8Block);
    case FormatMethod::gptq: {
      // qweight packs along the inputs, qzeros along the outputs. Symmetric kernels drop qzeros.
      Bytes bytes = packed_bytes(k, bits) * n + groups * n * 2;
      if (format.zeros) bytes += groups * packed_bytes(n, bits);
      if (format.act_order) bytes += 4 * k;
      return bytes;
    }
    case FormatMethod::awq:
      return k * packed_bytes(n, bits) + groups * (n * 2 + packed_bytes(n, bits));
    case FormatMethod::hqq:
      return ceil_div(params * bits, 8) + groups * n * 4;
    case FormatMethod::bnb_nf4:
    case FormatMethod::bnb_fp4: {
      const std::int64_t blocks = ceil_div(params, kBnbBlock);
      const Bytes codes = ceil_div(params, 2) + kBnbCodeBytes;
      // Nested: 8-bit absmax, an fp32 absmax per 256 of them, and their mean as fp32 offset.
      if (format.double_quant) return codes + blocks + 4 * ceil_div(blocks, kBnbNestedBlock) + 4;
      return codes + 4 * blocks;
    }
    case FormatMethod::nvfp4:
      return ceil_div(k, 2) * n + n * ceil_div(k, kNvfp4Block) + 4;
    case FormatMethod::mxfp4:
    case FormatMethod::mxfp4_experts:
      return ceil_div(k, 2) * n + n * ceil_div(k, kMxBlock);
    case FormatMethod::exl2:
    case FormatMethod::exl3:
      return average_bytes(format.bits, params);
    case FormatMethod::mlx:
      return n * (packed_bytes(k, bits) + groups * 4);
  }
  return 0;
}

Formula format_formula(const WeightFormat& format, const FormatWeight& weight) {
  Formula formula;
  if (is_plain(format.method)) {
    formula.expression = format.method == FormatMethod::fp32 ? "4 * P" : "2 * P";
    formula.inputs = {{"P", static_cast<double>(weight.kept_params), ""}};
    return formula;
  }
  formula.expression = "sum over quantized matrices (" + matrix_expression(format) + ") + 2 * kept";
  formula.inputs = {{"quantized", static_cast<double>(weight.quantized_params), ""},
                    {"kept", static_cast<double>(weight.kept_params), ""}};
  return formula;
}

FormatPlan::Kind FormatPlan::kind_of(const Tensor& tensor) {
  const std::int64_t count = tensor.ne[2] * tensor.ne[3];
  if (tensor.role == TensorRole::router && tensor.ne[1] > 1 && count == 1) return Kind::router;
  if (is_left_alone(tensor)) return Kind::kept;
  switch (tensor.role) {
    case TensorRole::embedding:
      return Kind::embedding;
    case TensorRole::output_head:
      return Kind::head;
    case TensorRole::routed_expert:
      return Kind::routed_expert;
    case TensorRole::attention:
    case TensorRole::recurrent:
    case TensorRole::feed_forward:
    case TensorRole::shared_expert:
    case TensorRole::mtp:
      return Kind::linear;
    default:
      return Kind::kept;
  }
}

FormatPlan::FormatPlan(const Model& model) {
  for (const Tensor& tensor : model.tensors) {
    const Kind kind = kind_of(tensor);
    if (kind == Kind::kept) {
      kept_params_ += tensor.elements();
      continue;
    }
    has_head_ = has_head_ || kind == Kind::head;
    add(kind, tensor.ne[0], tensor.ne[1], tensor.ne[2] * tensor.ne[3]);
  }
}

void FormatPlan::add(Kind kind, std::int64_t k, std::int64_t n, std::int64_t count) {
  for (Shape& shape : shapes_) {
    if (shape.kind == kind && shape.k == k && shape.n == n) {
      shape.count += count;
      return;
    }
  }
  shapes_.push_back({kind, k, n, count});
}

bool FormatPlan::has_routed_experts() const {
  return std::any_of(shapes_.begin(), shapes_.end(),
                     [](const Shape& shape) { return shape.kind == Kind::routed_expert; });
}

FormatWeight FormatPlan::weigh_matrix(const WeightFormat& format, Kind kind, std::int64_t k,
                                      std::int64_t n) {
  WeightFormat used = format;
  bool quantized = !is_plain(format.method);
  switch (kind) {
    case Kind::linear:
      quantized = quantized && format.method != FormatMethod::mxfp4_experts;
      break;
    case Kind::routed_expert:
      break;
    case Kind::router:
      quantized = format.method == FormatMethod::mlx;
      used = kMlxRouter;
      break;
    case Kind::embedding:
      quantized = format.method == FormatMethod::mlx;
      break;
    case Kind::head:
      quantized = format.method == FormatMethod::mlx || is_exl(format.method);
      used.bits = is_exl(format.method) ? format.head_bits : format.bits;
      break;
    case Kind::kept:
      quantized = false;
      break;
  }
  // MLX skips matrices whose rows are not whole groups (mlx_lm/convert.py).
  if (used.method == FormatMethod::mlx && k % used.group != 0) quantized = false;

  FormatWeight weight;
  if (quantized) {
    weight.quantized_params = k * n;
    weight.quantized_bytes = matrix_bytes(used, k, n);
  } else {
    weight.kept_params = k * n;
    weight.kept_bytes = k * n * kept_width(format);
  }
  return weight;
}

FormatWeight FormatPlan::weigh(const WeightFormat& format) const {
  FormatWeight weight;
  weight.kept_params = kept_params_;
  weight.kept_bytes = kept_params_ * kept_width(format);
  for (const Shape& shape : shapes_) {
    const FormatWeight one = weigh_matrix(format, shape.kind, shape.k, shape.n);
    weight.quantized_bytes += one.quantized_bytes * shape.count;
    weight.quantized_params += one.quantized_params * shape.count;
    weight.kept_bytes += one.kept_bytes * shape.count;
    weight.kept_params += one.kept_params * shape.count;
    // EXL stores a quantized head of its own when the model has none (tied embeddings).
    if (shape.kind == Kind::embedding && !has_head_ && is_exl(format.method)) {
      weight.quantized_bytes += average_bytes(format.head_bits, shape.k * shape.n * shape.count);
    }
  }
  return weight;
}

std::vector<Bytes> tensor_bytes_in(const Model& model, const WeightFormat& format) {
  std::vector<Bytes> bytes;
  bytes.reserve(model.tensors.size());
  for (const Tensor& tensor : model.tensors) {
    const FormatWeight one =
        FormatPlan::weigh_matrix(format, FormatPlan::kind_of(tensor), tensor.ne[0], tensor.ne[1]);
    bytes.push_back(one.bytes() * tensor.ne[2] * tensor.ne[3]);
  }
  return bytes;
}

}  // namespace meyasu
