// Derived models must meet the rules of the mixes with the same facts as a header: heads of the
// first block, experts, block count, names.
#include <catch_amalgamated.hpp>

#include "core/catalog/catalog.hpp"
#include "core/quantization/mix.hpp"
#include "tests/unit/quantization/truth_tables.hpp"

using namespace meyasu;
using namespace meyasu::truth;

TEST_CASE("a catalog model has the measured size of every mix") {
  const auto catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  const std::map<std::string, std::string> ids = {
      {"Llama-3.1-8B", "meta-llama/Llama-3.1-8B"},
      {"Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B"},
      {"Granite-4.0-H-Tiny", "ibm-granite/granite-4.0-h-tiny"},
      {"LFM2-1.2B", "LiquidAI/LFM2-1.2B"},
      {"Qwen3-Next-80B-A3B", "Qwen/Qwen3-Next-80B-A3B-Instruct"},
      {"DeepSeek-V2-Lite", "deepseek-ai/DeepSeek-V2-Lite"},
      {"Mamba-2.8B", "state-spaces/mamba-2.8b-hf"},
      {"gpt-oss-20b", "openai/gpt-oss-20b"},
      {"Falcon-7B", "tiiuae/falcon-7b"},
      {"Mixtral-8x7B", "mistralai/Mixtral-8x7B-Instruct-v0.1"},
      {"GLM-4.5-Air", "zai-org/GLM-4.5-Air"},
      {"Phi-3-mini-4k", "microsoft/Phi-3-mini-4k-instruct"},
      {"SmolLM2-135M", "HuggingFaceTB/SmolLM2-135M"},
  };
  std::map<std::string, Model> models;
  for (const auto& [header, id] : ids) {
    const CatalogEntry* entry = catalog.value().find(id);
    INFO(id);
    REQUIRE(entry != nullptr);
    auto model = model_of(*entry);
    REQUIRE(model.ok());
    models[header] = std::move(model.value());
  }
  int checked = 0;
  for (const Row& row : rows("llamacpp_truth.csv", "tensor_bytes")) {
    const auto found = models.find(row.at("model"));
    if (found == models.end()) continue;
    const auto totals = MixPlan(found->second).totals(*ftype_from_name(row.at("quant_mix")), {});
    INFO(row.at("model") << " " << row.at("quant_mix"));
    REQUIRE(totals.ok());
    CHECK(totals.value().tensor_bytes == std::stoll(row.at("bytes")));
    ++checked;
  }
  CHECK(checked > 250);
}

TEST_CASE("what llama-quantize leaves alone keeps the type that the converter gave it") {
  const auto catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  const CatalogEntry* entry = catalog.value().find("google/gemma-3n-E2B-it");
  REQUIRE(entry != nullptr);
  const Model model = model_of(*entry).value();
  const auto mix = quantize_mix(model, Ftype::Q4_K_M, {});
  REQUIRE(mix.ok());
  const auto type_of = [&](std::string_view name) {
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
      if (model.tensors[i].name == name) return mix.value().types[i];
    }
    return GgmlType::Q4_0;
  };
  CHECK(type_of("per_layer_model_proj.weight") == GgmlType::F16);
  CHECK(type_of("altup_proj.weight") == GgmlType::F16);
  CHECK(type_of("blk.0.laurel_l.weight") == GgmlType::F16);
  CHECK(type_of("blk.0.altup_predict_coef.weight") == GgmlType::F32);
}
