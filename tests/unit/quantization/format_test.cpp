#include "core/quantization/format.hpp"

#include <catch_amalgamated.hpp>
#include <set>

#include "tests/unit/quantization/llama_model.hpp"
#include "tests/unit/quantization/truth_tables.hpp"

using namespace meyasu;
using namespace meyasu::truth;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

double bits(const WeightFormat& format, std::int64_t k = 4096, std::int64_t n = 4096) {
  return static_cast<double>(matrix_bytes(format, k, n)) * 8 / static_cast<double>(k * n);
}

}  // namespace

TEST_CASE("bits per linear weight are those of the formats' definitions") {
  CHECK_THAT(bits(plain_format(FormatMethod::fp8_tensor)), WithinAbs(8, 1e-5));
  CHECK_THAT(bits(plain_format(FormatMethod::fp8_channel)), WithinAbs(8 + 32.0 / 4096, 1e-9));
  CHECK_THAT(bits(plain_format(FormatMethod::fp8_block)), WithinAbs(8 + 32.0 / 16384, 1e-9));
  CHECK_THAT(bits(plain_format(FormatMethod::int8_bnb)), WithinAbs(8 + 32.0 / 4096, 1e-9));
  CHECK_THAT(bits(gptq(4, 128)), WithinAbs(4.125, 1e-9));
  CHECK_THAT(bits(gptq(4, 128, true)), WithinAbs(4.15625, 1e-9));
  CHECK_THAT(bits(gptq(4, 32)), WithinAbs(4.5, 1e-9));
  CHECK_THAT(bits(gptq(4, 32, true)), WithinAbs(4.625, 1e-9));
  CHECK_THAT(bits(gptq(4, -1)), WithinAbs(4 + 16.0 / 4096, 1e-9));
  CHECK_THAT(bits(gptq(3, 128)), WithinAbs(3.125, 1e-9));
  CHECK_THAT(bits(gptq(4, 128, false, true)), WithinAbs(4.125 + 32.0 / 4096, 1e-9));
  CHECK_THAT(bits(awq()), WithinAbs(4.15625, 1e-9));
  CHECK_THAT(bits(awq(64)), WithinAbs(4.3125, 1e-9));
  CHECK_THAT(bits(hqq()), WithinAbs(4.5, 1e-9));
  CHECK_THAT(bits(bnb_4bit(FormatMethod::bnb_nf4, false)), WithinAbs(4.5, 1e-4));
  CHECK_THAT(bits(bnb_4bit(FormatMethod::bnb_fp4, true)), WithinAbs(4.127, 5e-4));
  CHECK_THAT(bits(plain_format(FormatMethod::nvfp4)), WithinAbs(4.5, 1e-5));
  CHECK_THAT(bits(plain_format(FormatMethod::mxfp4)), WithinAbs(4.25, 1e-9));
  CHECK_THAT(bits(exl(FormatMethod::exl3, 3.5)), WithinAbs(3.5, 1e-9));
  CHECK_THAT(bits(mlx(4)), WithinAbs(4.5, 1e-9));
  CHECK_THAT(bits(mlx(8, 32)), WithinAbs(9, 1e-9));
}

TEST_CASE("blocks at the edge of a matrix are stored whole") {
  CHECK(matrix_bytes(plain_format(FormatMethod::fp8_block), 130, 129) == 130 * 129 + 4 * 2 * 2);
  CHECK(matrix_bytes(gptq(4, 128), 192, 64) == 192 * 64 / 2 + 2 * 64 * 2);
}

TEST_CASE("weights that vLLM logged are met within 0.5 %") {
  // Logs include the RoPE table: positions x head_dim x 2 bytes.
  const auto rope = [](double positions) { return positions * 128 * 2; };
  const auto gib = [](Bytes bytes, double extra) {
    return (static_cast<double>(bytes) + extra) / static_cast<double>(kGiB);
  };
  const FormatPlan qwen(read_model("Qwen2.5-7B"));
  CHECK_THAT(gib(qwen.weigh(awq()).bytes(), rope(32768)), WithinRel(5.2032, 0.005));
  const FormatPlan llama_70b(llama_model(kLlama70B));
  CHECK_THAT(gib(llama_70b.weigh(plain_format(FormatMethod::int8_w8a8)).bytes(), rope(131072)),
             WithinRel(67.7229, 0.005));
  const FormatPlan llama_8b(read_model("Llama-3.1-8B"));
  CHECK_THAT(gib(llama_8b.weigh(plain_format(FormatMethod::bf16)).bytes(), rope(131072)),
             WithinRel(14.9888, 0.0005));
}

TEST_CASE("published GPTQ files of Llama 2 13B are met within 0.5 %") {
  // TheBloke/Llama-2-13B-GPTQ, table of files; checkpoints keep zero points and group indices.
  const FormatPlan plan(read_model("Llama-2-13B"));
  const auto gb = [&plan](std::int64_t group) {
    return to_gb(plan.weigh(gptq(4, group, true, true)).bytes());
  };
  CHECK_THAT(gb(128), WithinRel(7.26, 0.005));
  CHECK_THAT(gb(64), WithinRel(7.51, 0.005));
  CHECK_THAT(gb(32), WithinRel(8.00, 0.005));
}

TEST_CASE("gpt-oss-20b in MXFP4 has the published size of its checkpoint") {
  // 12.8 GiB, gpt-oss model card (arXiv 2508.10925), table 1.
  const FormatPlan plan(read_model("gpt-oss-20b"));
  const Bytes bytes = plan.weigh(plain_format(FormatMethod::mxfp4_experts)).bytes();
  CHECK_THAT(to_gib(bytes), WithinAbs(12.8, 0.05));
}

TEST_CASE("embeddings, head, norms and routers stay 16 bit in server formats") {
  const Model model = read_model("Qwen3-30B-A3B");
  const FormatWeight weight = FormatPlan(model).weigh(awq());
  std::int64_t kept = 0;
  for (const Tensor& tensor : model.tensors) {
    const bool is_kept = tensor.name == "token_embd.weight" || tensor.name == "output.weight" ||
                         tensor.name.find("norm") != std::string::npos ||
                         tensor.name.find("ffn_gate_inp") != std::string::npos;
    if (is_kept) kept += tensor.elements();
  }
  CHECK(weight.kept_params == kept);
  CHECK(weight.kept_bytes == 2 * kept);
  CHECK(weight.kept_params + weight.quantized_params == model.n_params());
}

TEST_CASE("MLX quantizes embeddings and head as well") {
  const FormatWeight weight = FormatPlan(read_model("Llama-3.1-8B")).weigh(mlx(4));
  CHECK(weight.kept_params == 65 * 4096 + 64);  // norms and rotary factors
  CHECK_THAT(static_cast<double>(weight.bytes()) * 8 / 8030261312.0, WithinAbs(4.5, 0.001));
}

TEST_CASE("EXL stores a head of its own for tied embeddings") {
  const Model tied = llama_model({2, 256, 4, 4, 512, 1024, true});
  const Model untied = llama_model({2, 256, 4, 4, 512, 1024, false});
  const WeightFormat format = exl(FormatMethod::exl3, 4.0, 6);
  CHECK(FormatPlan(tied).weigh(format).bytes() == FormatPlan(untied).weigh(format).bytes());
}

TEST_CASE("every usual format has its own id and name") {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const WeightFormat& format : kUsualFormats) {
    ids.insert(format_id(format));
    names.insert(format_name(format));
    CHECK_FALSE(format_source(format.method).empty());
  }
  CHECK(ids.size() == kUsualFormats.size());
  CHECK(names.size() == kUsualFormats.size());
}
