#include "core/readers/safetensors_model.hpp"

#include <catch_amalgamated.hpp>

#include "tests/unit/readers/safetensors_bytes.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

struct Stored {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
};

/// The checkpoint of these tensors; offsets follow from dtypes and shapes.
Checkpoint checkpoint_of(const std::vector<Stored>& tensors, std::string_view config = "{}") {
  std::string json = "{";
  std::int64_t end = 0;
  for (const Stored& tensor : tensors) {
    std::int64_t bits = safetensors_dtype_bits(*safetensors_dtype(tensor.dtype));
    std::string shape;
    for (const std::int64_t n : tensor.shape) {
      bits *= n;
      if (!shape.empty()) shape += ',';
      shape += std::to_string(n);
    }
    if (json.size() > 1) json += ',';
    json += '"' + tensor.name + R"(":{"dtype":")" + tensor.dtype + R"(","shape":[)" + shape +
            R"(],"data_offsets":[)" + std::to_string(end) + ',' + std::to_string(end + bits / 8) +
            "]}";
    end += bits / 8;
  }
  const auto header = read_json(json + '}', end);
  REQUIRE(header.ok());
  const auto parsed = parse_json(config);
  REQUIRE(parsed.ok());
  const Checkpoint checkpoint = checkpoint_from_safetensors(header.value(), &parsed.value());
  CHECK(checkpoint.bytes() == end);
  return checkpoint;
}

const std::string kLayer = "model.layers.3.mlp.up_proj";

/// One packed weight of 512 outputs and 256 inputs.
void check_packed(const std::vector<Stored>& tensors, const std::string& format,
                  std::string_view config = "{}") {
  CAPTURE(format);
  const Checkpoint checkpoint = checkpoint_of(tensors, config);
  REQUIRE(checkpoint.model.tensors.size() == 1);
  CHECK(checkpoint.model.tensors[0].name == kLayer + ".weight");
  CHECK(checkpoint.model.n_params() == 512 * 256);
  CHECK(checkpoint.model.tensors[0].layer == 3);
  CHECK(checkpoint.model.tensors[0].role == TensorRole::feed_forward);
  CHECK(checkpoint.other_bytes == 0);
  CHECK(checkpoint.format == format);
  CHECK(checkpoint.model.unknowns.empty());
}

}  // namespace

TEST_CASE("plain checkpoints count every float and no buffer") {
  const Checkpoint checkpoint =
      checkpoint_of({{"model.embed_tokens.weight", "BF16", {100, 8}},
                     {"model.norm.weight", "F32", {8}},
                     {"visual.patch_embed.weight", "BF16", {4, 3, 2, 2, 2}},
                     {"model.rotary_emb.inv_freq", "F32", {4}},
                     {"position_ids", "I64", {16}},
                     {"h.0.attn.bias", "F32", {1, 1, 4, 4}}});
  CHECK(checkpoint.model.n_params() == 800 + 8 + 96);
  CHECK(checkpoint.other_bytes == 16 + 128 + 64);
  CHECK(checkpoint.format == "bf16");
  CHECK(checkpoint.model.tensors[0].ne == std::array<std::int64_t, 4>{8, 100, 1, 1});
  CHECK(checkpoint.model.tensors[0].role == TensorRole::embedding);
}

TEST_CASE("packed weights are unpacked in every known layout") {
  const auto named = [](const char* suffix) { return kLayer + suffix; };
  check_packed({{named(".qweight"), "I32", {32, 512}},
                {named(".qzeros"), "I32", {2, 64}},
                {named(".scales"), "F16", {2, 512}},
                {named(".g_idx"), "I32", {256}}},
               "gptq-4bit");
  check_packed({{named(".qweight"), "I32", {24, 512}}, {named(".scales"), "F16", {2, 512}}},
               "gptq-3bit", R"({"quantization_config":{"quant_method":"gptq","bits":3}})");
  check_packed({{named(".qweight"), "I32", {256, 64}},
                {named(".qzeros"), "I32", {2, 64}},
                {named(".scales"), "F16", {2, 512}}},
               "awq-4bit");
  check_packed({{named(".weight"), "U8", {65536, 1}},
                {named(".weight.absmax"), "U8", {2048}},
                {named(".weight.nested_absmax"), "F32", {8}},
                {named(".weight.nested_quant_map"), "F32", {256}},
                {named(".weight.quant_map"), "F32", {16}},
                {named(".weight.quant_state.bitsandbytes__nf4"), "U8", {80}}},
               "bnb-nf4-dq");
  check_packed({{named(".weight"), "I8", {512, 256}}, {named(".SCB"), "F32", {512}}}, "int8-bnb");
  check_packed({{named(".weight"), "I8", {512, 256}}, {named(".weight_scale"), "BF16", {512, 1}}},
               "int8-w8a8");
  check_packed(
      {{named(".weight"), "F8_E4M3", {512, 256}}, {named(".weight_scale_inv"), "F32", {4, 2}}},
      "fp8-block");
  check_packed(
      {{named(".weight"), "F8_E4M3", {512, 256}}, {named(".weight_scale"), "F32", {512, 1}}},
      "fp8-channel");
  check_packed({{named(".weight"), "F8_E4M3", {512, 256}},
                {named(".weight_scale"), "F32", {1}},
                {named(".input_scale"), "F32", {1}}},
               "fp8-tensor");
  check_packed({{named(".weight_packed"), "I32", {512, 32}},
                {named(".weight_scale"), "BF16", {512, 2}},
                {named(".weight_shape"), "I64", {2}}},
               "compressed-tensors-4bit");
  check_packed(
      {{named(".weight_packed"), "I32", {512, 64}}, {named(".weight_scale"), "BF16", {512, 1}}},
      "compressed-tensors-8bit",
      R"({"text_config":{"quantization_config":{"config_groups":)"
      R"({"group_0":{"weights":{"num_bits":8}}}}}})");
  check_packed({{named(".weight_packed"), "U8", {512, 128}},
                {named(".weight_scale"), "F8_E4M3", {512, 16}},
                {named(".weight_global_scale"), "F32", {1}}},
               "nvfp4");
  check_packed({{named(".weight"), "U8", {512, 128}},
                {named(".weight_scale"), "F8_E4M3", {512, 16}},
                {named(".weight_scale_2"), "F32", {}}},
               "nvfp4");
  check_packed({{named(".weight"), "U32", {512, 32}},
                {named(".scales"), "BF16", {512, 4}},
                {named(".biases"), "BF16", {512, 4}}},
               "mlx-4bit");
  check_packed({{named(".q_weight"), "I32", {40, 512}},
                {named(".q_invperm"), "I16", {256}},
                {named(".q_scale"), "I32", {8, 64}},
                {named(".q_groups"), "I16", {16}}},
               "exl2");
  check_packed({{named(".trellis"), "I16", {16, 32, 48}},
                {named(".suh"), "F16", {256}},
                {named(".svh"), "F16", {512}}},
               "exl3");
}

TEST_CASE("stacked MXFP4 experts keep their shape and leave the rest 16 bit") {
  const std::string experts = "model.layers.0.mlp.experts.down_proj";
  const Checkpoint checkpoint =
      checkpoint_of({{experts + "_blocks", "U8", {2, 64, 3, 16}},
                     {experts + "_scales", "U8", {2, 64, 3}},
                     {experts + "_bias", "BF16", {2, 64}},
                     {"model.layers.0.mlp.router.weight", "BF16", {2, 64}}});
  REQUIRE(checkpoint.model.tensors.size() == 3);
  CHECK(checkpoint.format == "mxfp4-experts");
  CHECK(checkpoint.model.tensors[0].name == experts);
  CHECK(checkpoint.model.tensors[0].ne == std::array<std::int64_t, 4>{96, 64, 2, 1});
  CHECK(checkpoint.model.tensors[0].role == TensorRole::routed_expert);
  CHECK(checkpoint.tensor_bytes[0] == 2 * 64 * 3 * 17);
  CHECK(checkpoint.model.tensors[2].role == TensorRole::router);
}

TEST_CASE("a packing that is not understood is counted in bytes and named") {
  const Checkpoint checkpoint = checkpoint_of({{"a.qweight", "I32", {4, 4}}});
  CHECK(checkpoint.model.tensors.empty());
  CHECK(checkpoint.other_bytes == 64);
  CHECK(checkpoint.model.unknowns == std::vector<std::string>{"packing_unknown:a.qweight"});

  // Codes whose scales have names of their own are no buffer either.
  const Checkpoint other =
      checkpoint_of({{"a.weight", "I8", {4, 4}}, {"position_ids", "I64", {1, 4}}});
  CHECK(other.other_bytes == 16 + 32);
  CHECK(other.model.unknowns == std::vector<std::string>{"packing_unknown:a.weight"});
}
