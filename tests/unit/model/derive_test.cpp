#include <algorithm>
#include <array>
#include <catch_amalgamated.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/model/derive_tensors.hpp"
#include "core/readers/gguf_model.hpp"
#include "tests/unit/readers/gguf_bytes.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;

namespace {

struct Pair {
  const char* header;      // tests/truth/gguf/HEADER.gguf
  const char* catalog_id;  // entry of the same model
};

constexpr std::array kPairs = {
    Pair{"DeepSeek-V2-Lite", "deepseek-ai/DeepSeek-V2-Lite"},
    Pair{"EXAONE-4.0-1.2B", "LGAI-EXAONE/EXAONE-4.0-1.2B"},
    Pair{"EXAONE-4.0-32B", "LGAI-EXAONE/EXAONE-4.0-32B"},
    Pair{"Falcon-7B", "tiiuae/falcon-7b"},
    Pair{"GLM-4.5-Air", "zai-org/GLM-4.5-Air"},
    Pair{"Gemma-2-9B", "google/gemma-2-9b"},
    Pair{"Gemma-3-27B", "google/gemma-3-27b-it"},
    Pair{"Gemma-3-4B", "google/gemma-3-4b-it"},
    Pair{"Gemma-4-26B-A4B", "google/gemma-4-26B-A4B-it"},
    Pair{"Gemma-4-E2B", "google/gemma-4-E2B-it"},
    Pair{"Granite-4.0-H-Tiny", "ibm-granite/granite-4.0-h-tiny"},
    Pair{"LFM2-1.2B", "LiquidAI/LFM2-1.2B"},
    Pair{"Ling-mini-2.0", "inclusionAI/Ling-mini-2.0"},
    Pair{"Llama-2-13B", "meta-llama/Llama-2-13b-hf"},
    Pair{"Llama-2-7B", "meta-llama/Llama-2-7b-hf"},
    Pair{"Llama-3.1-8B", "meta-llama/Llama-3.1-8B"},
    Pair{"Llama-3.2-1B", "meta-llama/Llama-3.2-1B"},
    Pair{"Mamba-2.8B", "state-spaces/mamba-2.8b-hf"},
    Pair{"Ministral-3-8B", "mistralai/Ministral-3-8B-Instruct-2512"},
    Pair{"Mistral-7B-v0.3", "mistralai/Mistral-7B-Instruct-v0.3"},
    Pair{"Mistral-Nemo-12B", "mistralai/Mistral-Nemo-Instruct-2407"},
    Pair{"Mixtral-8x7B", "mistralai/Mixtral-8x7B-Instruct-v0.1"},
    Pair{"Phi-3-mini-4k", "microsoft/Phi-3-mini-4k-instruct"},
    Pair{"Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"},
    Pair{"Qwen2.5-14B", "Qwen/Qwen2.5-14B"},
    Pair{"Qwen2.5-7B", "Qwen/Qwen2.5-7B"},
    Pair{"Qwen3-0.6B", "Qwen/Qwen3-0.6B"},
    Pair{"Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B"},
    Pair{"Qwen3-8B", "Qwen/Qwen3-8B"},
    Pair{"Qwen3-Next-80B-A3B", "Qwen/Qwen3-Next-80B-A3B-Instruct"},
    Pair{"SmolLM2-135M", "HuggingFaceTB/SmolLM2-135M"},
    Pair{"Yi-34B", "01-ai/Yi-34B"},
    Pair{"gpt-oss-20b", "openai/gpt-oss-20b"},
};

Model header_model(const std::string& name) {
  const auto header = testing::read_gguf(testing::read_test_file("truth/gguf/" + name + ".gguf"));
  REQUIRE(header.ok());
  auto model = model_from_gguf(header.value());
  REQUIRE(model.ok());
  return std::move(model.value());
}

std::string line_of(const Tensor& tensor) {
  std::ostringstream line;
  line << tensor.name;
  for (int i = 0; i < tensor.n_dims; ++i) line << ' ' << tensor.ne[static_cast<std::size_t>(i)];
  line << ' ' << ggml_type_name(tensor.type);
  return line.str();
}

std::vector<std::string> lines_of(const Model& model) {
  std::vector<std::string> lines;
  for (const Tensor& tensor : model.tensors) lines.push_back(line_of(tensor));
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> without(const std::vector<std::string>& all,
                                 const std::vector<std::string>& some) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

std::string layer_text(const Layer& layer) {
  std::ostringstream text;
  const auto put = [&](std::int64_t value) { text << ' ' << value; };
  put(static_cast<int>(layer.kind));
  const Attention& a = layer.attention;
  if (layer.kind == LayerKind::attention) {
    for (const std::int64_t value :
         {a.n_head, a.n_head_kv, a.head_dim_k, a.head_dim_v, a.indexer_head_dim}) {
      put(value);
    }
    put(static_cast<int>(a.span));
    put(a.shares_kv ? 1 : 0);
    if (a.mla) {
      for (const std::int64_t value :
           {a.mla->q_lora_rank, a.mla->kv_lora_rank, a.mla->qk_nope_head_dim,
            a.mla->qk_rope_head_dim, a.mla->v_head_dim}) {
        put(value);
      }
    }
  } else {
    const Recurrent& r = layer.recurrent;
    text << " state";
    for (const std::int64_t value : {r.d_conv, r.conv_state_elements, r.ssm_state_elements}) {
      put(value);
    }
  }
  const FeedForward& ff = layer.feed_forward;
  text << " ff";
  for (const std::int64_t value :
       {ff.n_ff, ff.n_expert, ff.n_expert_used, ff.n_ff_exp, ff.n_ff_shexp}) {
    put(value);
  }
  put(layer.is_mtp ? 1 : 0);
  return text.str();
}

}  // namespace

namespace {

void check_same_model(const Model& derived, const Model& header) {
  CHECK(without(lines_of(header), lines_of(derived)) == std::vector<std::string>{});
  CHECK(without(lines_of(derived), lines_of(header)) == std::vector<std::string>{});
  CHECK(derived.architecture == header.architecture);
  CHECK(derived.n_vocab == header.n_vocab);
  CHECK(derived.n_embd == header.n_embd);
  CHECK(derived.sliding_window == header.sliding_window);
  for (const char* key :
       {"expert_weights_norm", "expert_weights_scale", "expert_gating_func", "expert_group_count",
        "attn_logit_softcapping", "final_logit_softcapping", "use_parallel_residual"}) {
    INFO(key);
    CHECK(derived.hparam(key, 0) == header.hparam(key, 0));
  }
  CHECK(derived.hparam("rope.scaling.finetuned", 1) == header.hparam("rope.scaling.finetuned", 1));
  CHECK(derived.hparam("rope.dimension_count", 0) == header.hparam("rope.dimension_count", 0));
  REQUIRE(derived.layers.size() == header.layers.size());
  for (std::size_t il = 0; il < header.layers.size(); ++il) {
    INFO("block " << il);
    CHECK(layer_text(derived.layers[il]) == layer_text(header.layers[il]));
  }
}

Architecture catalog_architecture(const char* id) {
  const auto catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  const CatalogEntry* entry = catalog.value().find(id);
  REQUIRE(entry != nullptr);
  return architecture_of(*entry);
}

}  // namespace

TEST_CASE("DeepSeek V4 of the catalog keeps what its file keeps", "[derive]") {
  const Model derived = derive_model(catalog_architecture("deepseek-ai/DeepSeek-V4-Flash")).value();
  const Model stored = testing::truth_model("DeepSeek-V4-Flash");
  REQUIRE(derived.layers.size() == stored.layers.size());
  CHECK(derived.sliding_window == stored.sliding_window);
  CHECK(derived.hparam("rope.dimension_count", 0) == stored.hparam("rope.dimension_count", 0));
  for (std::size_t il = 0; il < stored.layers.size(); ++il) {
    const Layer& layer = derived.layers[il];
    const Layer& same = stored.layers[il];
    REQUIRE(layer.attention.compressed.has_value());
    CHECK(layer.attention.compressed->ratio == same.attention.compressed->ratio);
    CHECK(layer.attention.indexer_head_dim == same.attention.indexer_head_dim);
    CHECK(layer.recurrent.conv_state_elements == same.recurrent.conv_state_elements);
  }
}

TEST_CASE("tensors and layers derived from the catalog equal those of the model's own file",
          "[derive]") {
  for (const Pair& pair : kPairs) {
    INFO(pair.catalog_id);
    const auto derived = derive_model(catalog_architecture(pair.catalog_id));
    REQUIRE(derived.ok());
    check_same_model(derived.value(), header_model(pair.header));
  }
}

TEST_CASE("weights have the type that the converter gives them", "[derive]") {
  const auto type_of = [](const Model& model, const char* name) {
    const Tensor* tensor = model.find_tensor(name);
    REQUIRE(tensor != nullptr);
    return tensor->type;
  };
  const Model hashed = derive_model(catalog_architecture("deepseek-ai/DeepSeek-V4-Flash")).value();
  CHECK(type_of(hashed, "blk.0.ffn_gate_tid2eid.weight") == GgmlType::I32);
  const Model gemma = derive_model(catalog_architecture("google/gemma-3n-E2B-it")).value();
  CHECK(type_of(gemma, "blk.0.altup_router.weight") == GgmlType::F16);
  CHECK(type_of(gemma, "blk.0.altup_predict_coef.weight") == GgmlType::F32);
  CHECK(type_of(gemma, "per_layer_model_proj.weight") == GgmlType::F16);
  const Model rwkv = derive_model(catalog_architecture("RWKV/RWKV7-Goose-World3-1.5B-HF")).value();
  CHECK(type_of(rwkv, "blk.1.time_mix_w1.weight") == GgmlType::F32);
  CHECK(type_of(rwkv, "blk.1.time_mix_w2.weight") == GgmlType::F32);
  CHECK(type_of(rwkv, "blk.1.time_mix_a1.weight") == GgmlType::F16);
  CHECK(type_of(rwkv, "blk.1.time_mix_lerp_fused.weight") == GgmlType::F32);
}

TEST_CASE("RWKV-7's first block has unread weights that no publisher counts", "[derive]") {
  const Architecture architecture = catalog_architecture("RWKV/RWKV7-Goose-World3-1.5B-HF");
  const Model derived = derive_model(architecture).value();
  const Model file = header_model("RWKV-7-World-0.4B");
  const auto of_block = [](const Model& model, const std::string& prefix) {
    std::vector<std::string> names;
    for (const Tensor& tensor : model.tensors) {
      if (tensor.name.starts_with(prefix)) names.push_back(tensor.name);
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  for (const char* block : {"blk.0.", "blk.1."}) {
    CHECK(of_block(derived, block) == of_block(file, block));
  }
  const Tensor* unread = derived.find_tensor("blk.0.time_mix_v1.weight");
  REQUIRE(unread != nullptr);
  CHECK(unread->ne[1] == architecture.rwkv7->iclr);
  CHECK(count_parameters(architecture).value().total ==
        derived.n_params() - 2048 - 2 * unread->elements());
}

TEST_CASE("only the blocks that score for themselves hold an indexer and cache its keys",
          "[derive]") {
  Architecture architecture = catalog_architecture("zai-org/GLM-5.2");
  architecture.mtp.reset();  // the file leaves the prediction block out
  const auto derived = derive_model(architecture);
  REQUIRE(derived.ok());
  const Model header = header_model("GLM-5.2");
  CHECK(lines_of(derived.value()) == lines_of(header));
  REQUIRE(derived.value().layers.size() == header.layers.size());
  for (std::size_t il = 0; il < header.layers.size(); ++il) {
    INFO("block " << il);
    CHECK(derived.value().layers[il].attention.indexer_head_dim ==
          header.layers[il].attention.indexer_head_dim);
  }
}

TEST_CASE("an older file with expanded MLA is derived when absorption is off", "[derive]") {
  Architecture architecture = catalog_architecture("deepseek-ai/DeepSeek-V2-Lite");
  REQUIRE(architecture.mla.has_value());
  architecture.mla->absorbed = false;
  const auto derived = derive_model(architecture);
  REQUIRE(derived.ok());
  check_same_model(derived.value(), header_model("DeepSeek-V2-Lite-noabsorb"));
}

TEST_CASE("a family without an entry keeps layers and cache, but gets no made-up tensors",
          "[derive]") {
  Architecture architecture = family_defaults("no_such_family");
  architecture.n_layer = 2;
  architecture.n_embd = 64;
  architecture.n_head = 4;
  architecture.n_head_kv = 2;
  architecture.head_dim = 16;
  const auto model = derive_model(architecture);
  REQUIRE(model.ok());
  CHECK(model.value().tensors.empty());
  CHECK(model.value().unknowns == std::vector<std::string>{"arch_unknown:no_such_family"});
  REQUIRE(model.value().layers.size() == 2);
  CHECK(model.value().layers[1].attention.n_head_kv == 2);
}

TEST_CASE("sizes that no model has are refused, naming the size", "[derive]") {
  const Architecture good = catalog_architecture("meta-llama/Llama-3.1-8B");
  const auto refused = [](const Architecture& architecture) {
    const auto model = derive_model(architecture);
    return model.ok() ? std::string("accepted") : model.error().detail;
  };
  Architecture bad = good;
  bad.n_layer = 513;
  CHECK(refused(bad) == "n_layer");
  bad = good;
  bad.n_embd = -1;
  CHECK(refused(bad) == "n_embd");
  bad = good;
  bad.n_vocab = INT64_MAX;
  CHECK(refused(bad) == "n_vocab");
  bad = good;
  bad.moe = MoeSpec{};
  bad.moe->n_expert = 8;
  bad.moe->n_ff_exp = 64;
  bad.moe->layer_step = 0;
  CHECK(refused(bad) == "layer_step");
  bad = good;
  bad.blocks.assign(32, BlockKind::mamba2);
  CHECK(refused(bad) == "ssm");
}
