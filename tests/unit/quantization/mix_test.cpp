#include "core/quantization/mix.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <set>

#include "tests/unit/quantization/llama_model.hpp"
#include "tests/unit/quantization/truth_tables.hpp"

using namespace meyasu;
using namespace meyasu::truth;

namespace {

MixOptions with_imatrix() {
  MixOptions options;
  options.imatrix = true;
  return options;
}

GgmlType type_of(const Model& model, const QuantizedMix& mix, const std::string& name) {
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    if (model.tensors[i].name == name) return mix.types[i];
  }
  FAIL("no tensor " << name);
  return GgmlType::F32;
}

}  // namespace

TEST_CASE("all measured mixes of 28 architectures are reproduced to the byte") {
  Models models;
  int checked = 0;
  for (const Row& row : rows("llamacpp_truth.csv", "tensor_bytes")) {
    const Model& model = models[row.at("model")];
    const auto ftype = ftype_from_name(row.at("quant_mix"));
    REQUIRE(ftype.has_value());
    const auto totals = MixPlan(model).totals(*ftype, {});
    INFO(row.at("model") << " " << row.at("quant_mix"));
    REQUIRE(totals.ok());
    CHECK(totals.value().tensor_bytes == std::stoll(row.at("bytes")));
    CHECK(totals.value().n_fallback ==
          static_cast<int>(number_in(row.at("note"), "fallback_tensors")));
    ++checked;
  }
  CHECK(checked == 653);
}

TEST_CASE("mixes of further architectures are reproduced to the byte") {
  Models models;
  int checked = 0;
  for (const Row& row : rows("llamacpp_more.csv", "tensor_bytes")) {
    const auto ftype = ftype_from_name(row.at("quant_mix"));
    REQUIRE(ftype.has_value());
    const auto totals = MixPlan(models[row.at("model")]).totals(*ftype, {});
    INFO(row.at("model") << " " << row.at("quant_mix"));
    REQUIRE(totals.ok());
    CHECK(totals.value().tensor_bytes == std::stoll(row.at("bytes")));
    ++checked;
  }
  CHECK(checked > 1000);
}

TEST_CASE("bits per weight equal llama.cpp's own table of Llama 3.1 8B") {
  const Model model = read_model("Llama-3.1-8B");
  const MixPlan plan(model);
  const auto n_params = static_cast<double>(model.n_params());
  int checked = 0;
  for (const Row& row : rows("llamacpp_wild.csv", "tensor_bytes_bpw")) {
    const auto ftype = ftype_from_name(row.at("quant"));
    REQUIRE(ftype.has_value());
    // IQ4_XS and IQ4_NL of that table were made without an importance matrix: with one their first
    // ffn_down would be smaller.
    const bool imatrix = *ftype != Ftype::IQ4_XS && *ftype != Ftype::IQ4_NL;
    const auto totals = plan.totals(*ftype, imatrix ? with_imatrix() : MixOptions{});
    REQUIRE(totals.ok());
    const double bpw = static_cast<double>(totals.value().tensor_bytes) * 8 / n_params;
    INFO(row.at("quant"));
    // Printed with four decimals.
    CHECK_THAT(bpw, Catch::Matchers::WithinAbs(number_in(row.at("note"), "bits_per_weight"), 6e-5));
    ++checked;
  }
  CHECK(checked == 24);
}

namespace {

/// What a published file needs to be compared: a header in tests/truth/gguf, the vocabulary if it
/// differs, and the size of its GGUF header, which is nearly all tokenizer, in MiB.
struct Published {
  std::string header;
  std::int64_t n_vocab = 0;
  double header_mib = 0;
};

double header_mib_of(const std::string& header) {
  if (header.starts_with("Llama-3")) return 7.48;
  if (header.starts_with("Qwen")) return 5.69;
  if (header == "Gemma-2-9B") return 5.78;
  if (header == "Gemma-3-4B") return 6.23;
  if (header.starts_with("gpt-oss")) return 12.40;
  if (header == "Mistral-Nemo-12B") return 7.0;
  if (header == "LFM2-1.2B") return 2.4;
  if (header == "SmolLM2-135M") return 1.7;
  if (header == "Granite-4.0-H-Tiny") return 3.5;
  if (header == "Falcon-7B") return 2.4;
  return 0.71;  // the 32,000 tokens of Llama 2
}

Published published(const Row& row) {
  const std::string& model = row.at("model");
  const std::string& file = row.at("model_file");
  Published found{model, 0, 0};
  if (model == "Llama-3-8B" || model == "Llama 3 - 8B Instruct" ||
      model == "Llama 3.1 8B Instruct") {
    found.header = "Llama-3.1-8B";
  } else if (model == "Phi-3-mini" || model == "Phi 3 mini 4k Instruct") {
    found.header = "Phi-3-mini-4k";
  } else if (model == "Gemma 2 9B Instruct") {
    found.header = "Gemma-2-9B";
  } else if (model.starts_with("Mistral-7B") || model.find("Mistral 7B") != std::string::npos ||
             model.starts_with("Zephyr")) {
    found.header = "Mistral-7B-v0.3";
    const bool more_tokens =
        file.find("enHermes") != std::string::npos || file.starts_with("openhermes") ||
        file.find("openorca") != std::string::npos || file.starts_with("Nous-Hermes");
    found.n_vocab = more_tokens ? 32002 : 32000;
    if (file.starts_with("Hermes-2-Pro")) found.n_vocab = 32032;
  }
  found.header_mib = header_mib_of(found.header);
  return found;
}

Model with_vocabulary(Model model, std::int64_t n_vocab) {
  for (Tensor& tensor : model.tensors) {
    if (tensor.name == "token_embd.weight" || tensor.name == "output.weight")
      tensor.ne[1] = n_vocab;
  }
  return model;
}

/// Rows that no rule of llama.cpp gives, with the reason.
const std::map<std::string, std::string>& known_exceptions() {
  static const std::map<std::string, std::string> exceptions = {
      {"file053", "no header of this BERT model"},
      {"file075", "no header of Phi-2"},
      {"file076", "no header of Phi-2"},
      {"file110", "a bundle of two files"},
      {"file164", "Q2_K_L of another publisher: size of Q2_K"},
      {"file219", "converted by an unmerged branch with other tensors"},
      {"file222", "converted by an unmerged branch with other tensors"},
      {"file224", "converted by an unmerged branch with other tensors"},
      {"file236", "publisher's own mix for this model"},
      {"file237", "Q2_K_L of another publisher: size of Q2_K"},
      {"file238", "publisher's own mix for this model"},
      {"file242", "publisher's own mix for this model"},
      {"file243", "publisher's own mix for this model"},
  };
  return exceptions;
}

}  // namespace

TEST_CASE("published files are reproduced but for their headers") {
  Models models;
  int checked = 0;
  int own_mix = 0;
  for (const Row& row : rows("llamacpp_wild.csv", "file_size")) {
    if (row.at("quant").starts_with("UD-")) {
      CHECK_FALSE(mix_from_name(row.at("quant")).has_value());
      ++own_mix;
      continue;
    }
    if (known_exceptions().count(row.at("id")) != 0) continue;
    const auto mix = mix_from_name(row.at("quant"));
    REQUIRE(mix.has_value());
    const Published file = published(row);
    MixOptions options = mix->options;
    // This publisher uses an importance matrix for every file; the rule that it changes in Q4_0
    // did not name the Q4_0_4_4 family.
    options.imatrix =
        row.at("model_file").starts_with("bartowski") && !row.at("quant").starts_with("Q4_0_");
    if (row.at("note").find("TheBloke") != std::string::npos) options.era = MixEra::before_2024;
    if (file.header == "Phi-3-mini-4k") options.era = MixEra::before_2026;

    Model model = models[file.header];
    if (file.n_vocab != 0) model = with_vocabulary(std::move(model), file.n_vocab);
    const auto totals = MixPlan(model).totals(mix->ftype, options);
    REQUIRE(totals.ok());

    const double mib = 1024.0 * 1024.0;
    const double estimate = static_cast<double>(totals.value().data_bytes) / mib + file.header_mib;
    const double exact_bytes = number_in(row.at("note"), "bytes");
    const double published_mib = exact_bytes > 0 ? exact_bytes / mib : std::stod(row.at("MiB"));
    // Catalogs round to 0.1 GiB, small files to 1 MiB; headers of one tokenizer differ a little.
    const double rounding = exact_bytes > 0 ? 0.0 : published_mib < 1024 ? 0.5 : 51.2;
    INFO(row.at("id") << " " << file.header << " " << row.at("quant"));
    CHECK_THAT(estimate, Catch::Matchers::WithinAbs(published_mib, rounding + 0.5));
    ++checked;
  }
  CHECK(own_mix == 23);
  CHECK(checked == 217 - 23 - static_cast<int>(known_exceptions().size()));
}

TEST_CASE("before 2024 a Q2_K file of Llama 2 had 3.35, 3.34 and 3.40 bits per weight") {
  MixOptions options;
  options.era = MixEra::before_2024;
  const auto bits = [&options](const Model& model) {
    const auto totals = MixPlan(model).totals(Ftype::Q2_K, options);
    REQUIRE(totals.ok());
    return static_cast<double>(totals.value().tensor_bytes) * 8 /
           static_cast<double>(model.n_params());
  };
  // llama.cpp README of September 2023.
  CHECK_THAT(bits(read_model("Llama-2-7B")), Catch::Matchers::WithinAbs(3.35, 0.005));
  CHECK_THAT(bits(read_model("Llama-2-13B")), Catch::Matchers::WithinAbs(3.34, 0.005));
  CHECK_THAT(bits(llama_model({80, 8192, 64, 8, 28672, 32000})),
             Catch::Matchers::WithinAbs(3.40, 0.005));
}

TEST_CASE("a 70B model keeps attn_v in more bits") {
  const Model model = llama_model(kLlama70B);
  const auto mix = quantize_mix(model, Ftype::Q4_K_S, {});
  REQUIRE(mix.ok());
  CHECK(type_of(model, mix.value(), "blk.40.attn_v.weight") == GgmlType::Q5_K);
  CHECK(type_of(model, mix.value(), "blk.40.attn_q.weight") == GgmlType::Q4_K);
}

TEST_CASE("the output tensor takes over from the embedding only when it is missing") {
  const Model untied = llama_model({4, 256, 4, 4, 512, 1024, false});
  const Model tied = llama_model({4, 256, 4, 4, 512, 1024, true});
  const auto a = quantize_mix(untied, Ftype::Q4_K_M, {});
  const auto b = quantize_mix(tied, Ftype::Q4_K_M, {});
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(type_of(untied, a.value(), "token_embd.weight") == GgmlType::Q4_K);
  CHECK(type_of(untied, a.value(), "output.weight") == GgmlType::Q6_K);
  CHECK(type_of(tied, b.value(), "token_embd.weight") == GgmlType::Q6_K);
}

TEST_CASE("an importance matrix changes the first ffn_down of Q4_0 and IQ4_XS") {
  const Model model = llama_model({16, 256, 4, 4, 512, 1024});
  const auto first_ffn_down = [&model](Ftype ftype, const MixOptions& options) {
    const auto mix = quantize_mix(model, ftype, options);
    REQUIRE(mix.ok());
    return type_of(model, mix.value(), "blk.1.ffn_down.weight");
  };
  CHECK(first_ffn_down(Ftype::Q4_0, {}) == GgmlType::Q4_0);
  CHECK(first_ffn_down(Ftype::Q4_0, with_imatrix()) == GgmlType::Q4_1);
  CHECK(first_ffn_down(Ftype::IQ4_XS, {}) == GgmlType::Q5_K);
  CHECK(first_ffn_down(Ftype::IQ4_XS, with_imatrix()) == GgmlType::IQ4_XS);
}

TEST_CASE("names of derived models get the converter's types") {
  const Model model = llama_model({4, 256, 4, 4, 512, 1024});
  const auto mix = quantize_mix(model, Ftype::F16, {});
  REQUIRE(mix.ok());
  CHECK(type_of(model, mix.value(), "blk.0.attn_norm.weight") == GgmlType::F32);
  CHECK(type_of(model, mix.value(), "blk.0.attn_q.weight") == GgmlType::F16);
}

TEST_CASE("what no mix changes is what the measured headers have in F32") {
  Models models;
  for (const std::string name :
       {"Llama-3.1-8B", "gpt-oss-20b", "Qwen3-Next-80B-A3B", "Mamba-2.8B", "LFM2-1.2B",
        "DeepSeek-V2-Lite", "Granite-4.0-H-Tiny", "Gemma-3-4B"}) {
    for (const Tensor& tensor : models[name].tensors) {
      INFO(name << " " << tensor.name);
      CHECK(stays_as_converted(tensor) == (tensor.type == GgmlType::F32));
    }
  }
}

TEST_CASE("rows that no block divides are refused by name where llama-quantize has no fallback") {
  Model model = llama_model({2, 256, 4, 4, 500, 1024});
  const auto mix = quantize_mix(model, Ftype::Q4_0, {});
  REQUIRE_FALSE(mix.ok());
  CHECK(mix.error() == Error{"quant_shape", "quant", "blk.0.ffn_down.weight"});
  // K-quants fall back twice: to 32-blocks, then to F16.
  const auto k_quant = quantize_mix(model, Ftype::Q4_K_S, {});
  REQUIRE(k_quant.ok());
  CHECK(type_of(model, k_quant.value(), "blk.0.ffn_down.weight") == GgmlType::F16);
}

TEST_CASE("publishers' large variants keep embeddings and output in Q8_0") {
  const Model model = llama_model({4, 256, 4, 4, 512, 1024});
  const auto name = mix_from_name("Q4_K_L");
  REQUIRE(name.has_value());
  CHECK(name->ftype == Ftype::Q4_K_M);
  const auto mix = quantize_mix(model, name->ftype, name->options);
  REQUIRE(mix.ok());
  CHECK(type_of(model, mix.value(), "token_embd.weight") == GgmlType::Q8_0);
  CHECK(type_of(model, mix.value(), "output.weight") == GgmlType::Q8_0);
  CHECK(type_of(model, mix.value(), "blk.1.attn_q.weight") == GgmlType::Q4_K);
}
