#include "core/readers/config_json.hpp"

#include <algorithm>
#include <array>
#include <catch_amalgamated.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/kv_cache.hpp"
#include "core/model/derive_tensors.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;

namespace {

struct Published {
  const char* file;     // tests/truth/config/FILE.json
  std::int64_t params;  // published total; without towers whose size config.json does not tell
};

// Totals as published on the model pages; the towers of multimodal models (Gemma 3 apart) are
// taken off, and the 32 rotary values of GLM-4-9B's original checkpoint.
constexpr auto kPublished = std::to_array<Published>({
    Published{"llama-3.1-8b", 8030261248},
    Published{"mistral-7b-v0.1", 7241732096},
    Published{"mixtral-8x7b", 46702792704},
    Published{"qwen2.5-0.5b", 494032768},
    Published{"qwen1.5-moe-a2.7b", 14315784192},
    Published{"qwen3-8b", 8190735360},
    Published{"qwen3-30b-a3b", 30532122624},
    Published{"qwen3-coder-next", 79674391296},
    Published{"qwen3.5-35b-a3b", 35505251456},
    Published{"gemma-2b", 2506172416},
    Published{"gemma-2-2b", 2614341888},
    Published{"gemma-3-4b-it", 4300079472},
    Published{"gemma-3n-e4b-it", 6866696688},
    Published{"gemma-4-26b-a4b-it", 25233141760},
    Published{"gemma-4-e2b-it", 4647449891},
    Published{"phi-2", 2779683840},
    Published{"phi-3-mini-4k", 3821079552},
    Published{"phi-3.5-moe", 41873153344},
    Published{"gpt-oss-20b", 20914757184},
    Published{"deepseek-v2-lite", 15706484224},
    Published{"deepseek-v3", 684489845504},
    Published{"deepseek-v3.2", 685355329792},
    Published{"deepseek-v4-flash", 290944616402},
    Published{"glm-4.7-flash", 31221488576},
    Published{"glm-5", 753864139008},
    Published{"glm-4-9b-chat", 9399951360},
    Published{"glm-4-9b-0414", 9400279040},
    Published{"glm-4.5-air", 110468824832},
    Published{"minimax-m2", 228689764864},
    Published{"minimax-m1-80k", 456089655296},
    Published{"falcon-7b", 6921720704},
    Published{"falcon-180b", 179522565120},
    Published{"stablelm-2-1.6b", 1644515328},
    Published{"internlm2.5-7b-chat", 7737708544},
    Published{"command-r-plus", 103810674688},
    Published{"command-r7b", 8028033024},
    Published{"granite-3.3-8b", 8170864640},
    Published{"granite-3.0-1b-a400m", 1334628352},
    Published{"granite-4.0-h-tiny", 6939037248},
    Published{"granite-4.0-h-micro", 3191396096},
    Published{"nemotron-3-nano-30b-a3b", 31577937344},
    Published{"nemotron-h-8b", 8100852736},
    Published{"nemotron-super-49b", 49867145216},
    Published{"olmo-1b", 1176764416},
    Published{"olmo-2-1b", 1484916736},
    Published{"olmo-3-7b", 7298011136},
    Published{"olmoe-1b-7b", 6919161856},
    Published{"smollm3-3b", 3075098624},
    Published{"gpt2", 124439808},
    Published{"gpt-j-6b", 6050882784},
    Published{"pythia-160m", 162322944},
    Published{"mpt-7b", 6649286656},
    Published{"starcoder2-3b", 3030371328},
    Published{"opt-350m", 331196416},
    Published{"opt-125m", 125239296},
    Published{"bloom-560m", 559214592},
    Published{"mamba-130m-hf", 129135360},
    Published{"falcon-mamba-7b", 7272665088},
    Published{"mamba-codestral-7b", 7285403648},
    Published{"rwkv-4-169m", 169342464},
    Published{"rwkv7-1.5b", 1527404544},
    Published{"jamba-mini-1.5", 51570323328},
    Published{"lfm2-350m", 354483968},
    Published{"lfm2-8b-a1b", 8339929856},
    Published{"ernie-4.5-0.3b", 360748032},
    Published{"ernie-4.5-21b-a3b", 21825437888},
    Published{"hunyuan-a13b", 80393183232},
    Published{"seed-oss-36b", 36151104512},
    Published{"plamo-13b", 13099545600},
    Published{"plamo-2-1b", 1291441920},
    Published{"nekomata-14b", 14167290880},
    Published{"llama-4-scout", 107769861120},
    Published{"llama-4-maverick", 400711848960},
});

std::string read_config(const std::string& name) {
  std::ifstream file(std::string(MEYASU_TESTS_DIR) + "/truth/config/" + name + ".json");
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

Architecture architecture_of_file(const std::string& name) {
  auto architecture = architecture_from_config(read_config(name));
  REQUIRE(architecture.ok());
  return std::move(architecture.value());
}

bool has_unknown(const Architecture& a, const std::string& unknown) {
  return std::find(a.unknowns.begin(), a.unknowns.end(), unknown) != a.unknowns.end();
}

std::vector<std::string> tensor_lines(const Model& model) {
  std::vector<std::string> lines;
  for (const Tensor& tensor : model.tensors) {
    std::string line = tensor.name;
    for (const std::int64_t n : tensor.ne) line.append(" ").append(std::to_string(n));
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("config.json of every family gives the published parameter count", "[config]") {
  for (const Published& row : kPublished) {
    INFO(row.file);
    const Architecture architecture = architecture_of_file(row.file);
    CHECK(architecture.known);
    const auto count = count_parameters(architecture);
    REQUIRE(count.ok());
    CHECK(count.value().total == row.params);
  }
}

TEST_CASE("config.json and catalog derive the same tensors", "[config]") {
  struct Pair {
    const char* file;
    const char* id;
  };
  const auto catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  for (const Pair& pair :
       {Pair{"llama-3.1-8b", "meta-llama/Llama-3.1-8B"},
        Pair{"gemma-3-4b-it", "google/gemma-3-4b-it"},
        Pair{"gemma-4-e2b-it", "google/gemma-4-E2B-it"}, Pair{"gpt-oss-20b", "openai/gpt-oss-20b"},
        Pair{"deepseek-v3", "deepseek-ai/DeepSeek-V3"},
        Pair{"deepseek-v4-flash", "deepseek-ai/DeepSeek-V4-Flash"},
        Pair{"qwen3-coder-next", "Qwen/Qwen3-Coder-Next"},
        Pair{"granite-4.0-h-tiny", "ibm-granite/granite-4.0-h-tiny"},
        Pair{"nemotron-super-49b", "nvidia/Llama-3_3-Nemotron-Super-49B-v1"},
        Pair{"jamba-mini-1.5", "ai21labs/AI21-Jamba-Mini-1.5"},
        Pair{"lfm2-8b-a1b", "LiquidAI/LFM2-8B-A1B"}, Pair{"plamo-2-1b", "pfnet/plamo-2-1b"},
        Pair{"rwkv7-1.5b", "RWKV/RWKV7-Goose-World3-1.5B-HF"},
        Pair{"llama-4-maverick", "meta-llama/Llama-4-Maverick-17B-128E-Instruct"}}) {
    INFO(pair.file);
    const auto from_config = model_from_config(read_config(pair.file));
    REQUIRE(from_config.ok());
    const auto from_catalog = model_of(*catalog.value().find(pair.id));
    REQUIRE(from_catalog.ok());
    CHECK(from_config.value().architecture == from_catalog.value().architecture);
    CHECK(from_config.value().sliding_window == from_catalog.value().sliding_window);
    const auto config_lines = tensor_lines(from_config.value());
    const auto catalog_lines = tensor_lines(from_catalog.value());
    std::vector<std::string> different;
    std::set_symmetric_difference(config_lines.begin(), config_lines.end(), catalog_lines.begin(),
                                  catalog_lines.end(), std::back_inserter(different));
    CHECK(different == std::vector<std::string>{});
    const auto& a = from_config.value().layers;
    const auto& b = from_catalog.value().layers;
    REQUIRE(a.size() == b.size());
    for (std::size_t il = 0; il < a.size(); ++il) {
      INFO("block " << il);
      CHECK(a[il].kind == b[il].kind);
      CHECK(a[il].attention.span == b[il].attention.span);
      CHECK(a[il].attention.n_head_kv == b[il].attention.n_head_kv);
      CHECK(a[il].attention.head_dim_k == b[il].attention.head_dim_k);
      CHECK(a[il].attention.shares_kv == b[il].attention.shares_kv);
      CHECK(a[il].recurrent.ssm_state_elements == b[il].recurrent.ssm_state_elements);
      CHECK(a[il].recurrent.conv_state_elements == b[il].recurrent.conv_state_elements);
      CHECK(a[il].feed_forward.n_expert_used == b[il].feed_forward.n_expert_used);
    }
  }
}

TEST_CASE("vision towers are counted where the file tells their size, else named", "[config]") {
  CHECK(architecture_of_file("gemma-3-4b-it").tower_params == 4300079472 - 3880263168);
  CHECK_FALSE(has_unknown(architecture_of_file("gemma-3-4b-it"), "towers"));
  CHECK(has_unknown(architecture_of_file("llama-4-scout"), "towers"));
  CHECK(has_unknown(architecture_of_file("gemma-4-e2b-it"), "towers"));
}

TEST_CASE("the checkpoint's own format is read from quantization_config", "[config]") {
  const auto label = [](const std::string& config) {
    const auto a = architecture_from_config(
        R"({"model_type":"llama","hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,
            "vocab_size":32,"quantization_config":)" +
        config + "}");
    REQUIRE(a.ok());
    return a.value().quantization;
  };
  CHECK(label(R"({"quant_method":"gptq","bits":4,"group_size":128})") == "gptq-4bit-g128");
  CHECK(label(R"({"quant_method":"awq","bits":4,"group_size":-1})") == "awq-4bit");
  CHECK(label(R"({"quant_method":"bitsandbytes","load_in_4bit":true,
                  "bnb_4bit_quant_type":"nf4","bnb_4bit_use_double_quant":true})") == "bnb-nf4-dq");
  CHECK(label(R"({"quant_method":"bitsandbytes","load_in_8bit":true})") == "bnb-int8");
  CHECK(label(R"({"quant_method":"compressed-tensors","format":"pack-quantized"})") ==
        "compressed-tensors:pack-quantized");
  CHECK(architecture_of_file("gpt-oss-20b").quantization == "mxfp4");
  CHECK(architecture_of_file("deepseek-v3").quantization == "fp8");
  CHECK(architecture_of_file("llama-3.1-8b").quantization.empty());
}

TEST_CASE("an unknown model type gives what is certain and says what is missing", "[config]") {
  const auto model = model_from_config(
      R"({"model_type":"brand_new","hidden_size":1024,"num_hidden_layers":3,
          "num_attention_heads":16,"num_key_value_heads":4,"head_dim":96,
          "layer_types":["sliding_attention","full_attention","strange"],"sliding_window":512})");
  REQUIRE(model.ok());
  CHECK(model.value().tensors.empty());
  REQUIRE(model.value().layers.size() == 3);
  CHECK(model.value().layers[0].attention.span == AttentionSpan::sliding);
  CHECK(model.value().layers[1].attention.n_head_kv == 4);
  CHECK(model.value().layers[1].attention.head_dim_k == 96);
  CHECK(model.value().unknowns == std::vector<std::string>{"arch_unknown:brand_new",
                                                           "layer_kind:strange",
                                                           "missing:vocab_size"});
}

TEST_CASE("what is no model configuration is refused", "[config]") {
  const auto error = [](std::string_view text) {
    const auto a = architecture_from_config(text);
    return a.ok() ? Error{} : a.error();
  };
  CHECK(error("{\n\n]").code == "json_bad");
  CHECK(error("{\n\n]").detail == "3");
  CHECK(error("[]").code == "arch_unknown");
  CHECK(error("{}").code == "arch_unknown");
  CHECK(error(R"({"name":"meyasu","version":"1.0"})").code == "arch_unknown");
  CHECK(error(R"({"peft_type":"LORA","r":8})").detail == "adapter");
}

TEST_CASE("pruned blocks: no attention, or of it one matrix, which is named", "[config]") {
  const auto model = model_from_config(R"({"model_type":"nemotron-nas","num_hidden_layers":4,
      "hidden_size":64,"num_attention_heads":8,"vocab_size":32000,"block_configs":[
      {"attention":{"n_heads_in_group":4},"ffn":{"ffn_mult":4.0}},
      {"attention":{"n_heads_in_group":null,"replace_with_linear":false},"ffn":{"ffn_mult":4.0}},
      {"attention":{"n_heads_in_group":null,"replace_with_linear":true},"ffn":{"ffn_mult":4.0}},
      {"attention":{"n_heads_in_group":null,"no_op":true},"ffn":{"ffn_mult":null}}]})");
  REQUIRE(model.ok());
  const auto& layers = model.value().layers;
  REQUIRE(layers.size() == 4);
  CHECK(layers[0].kind == LayerKind::attention);
  CHECK(layers[0].attention.n_head_kv == 2);
  CHECK(layers[1].kind == LayerKind::feed_forward_only);
  CHECK(layers[2].kind == LayerKind::attention);
  CHECK(layers[3].kind == LayerKind::feed_forward_only);
  CHECK(layers[3].feed_forward.n_ff == 0);
  CHECK(model.value().unknowns == std::vector<std::string>{"layer_kind:replace_with_linear"});
}

TEST_CASE("absurd sizes end in an error value", "[config]") {
  const auto detail = [](const std::string& field) {
    const auto model = model_from_config(
        R"({"model_type":"llama","vocab_size":32000,"num_attention_heads":4,)" + field + "}");
    return model.ok() ? std::string("accepted") : model.error().detail;
  };
  CHECK(detail(R"("hidden_size":64,"num_hidden_layers":9223372036854775807)") == "n_layer");
  CHECK(detail(R"("hidden_size":-64,"num_hidden_layers":2)") == "n_embd");
  CHECK(detail(R"("hidden_size":64,"num_hidden_layers":2,"intermediate_size":1e15)") == "n_ff");
  CHECK(detail(R"("hidden_size":64,"num_hidden_layers":2,"intermediate_size":256)") == "accepted");
  // Each within its limit: a cache of such rows would pass 2^63 bytes.
  CHECK(detail(R"("hidden_size":64,"num_hidden_layers":2,"num_key_value_heads":4096,)"
               R"("head_dim":16384)") == "head_dim");
}

TEST_CASE("config.json of encoders gives the tensors and the graph of their files", "[config]") {
  struct Same {
    const char* config;
    const char* header;
  };
  constexpr auto kSame = std::to_array<Same>({
      {"bge-m3", "bge-m3"},
      {"bge-reranker-v2-m3", "bge-reranker-v2-m3"},
      {"bge-small-en-v1.5", "bge-small-en-v1.5"},
      {"nomic-embed-text-v1.5", "nomic-embed-text-v1.5"},
      {"nomic-embed-text-v2-moe", "nomic-embed-text-v2-moe"},
      {"jina-embeddings-v3", "jina-embeddings-v3"},
      {"modernbert-base", "ModernBERT-base"},
      {"gte-reranker-modernbert-base", "gte-reranker-modernbert-base"},
      {"neobert", "NeoBERT"},
      {"eurobert-210m", "EuroBERT-210m"},
  });
  for (const Same& row : kSame) {
    INFO(row.config);
    const auto derived = derive_model(architecture_of_file(row.config));
    REQUIRE(derived.ok());
    const Model file = testing::truth_model(row.header);
    Model model = derived.value();
    // How tokens become one vector stands in another file of the repository.
    for (auto& [key, value] : model.hparams) {
      if (key == "pooling_type") value = file.hparam(key, 0);
    }
    CHECK(tensor_lines(model) == tensor_lines(file));
    CHECK(model.weight_bytes() == file.weight_bytes());
    CHECK(model.architecture == file.architecture);
    CHECK(model.is_encoder);
    CHECK(model.n_ctx_train == file.n_ctx_train);
    CHECK(model.unknowns == file.unknowns);
    LlamaCppSettings settings;
    settings.n_ctx = 2048;
    const auto of_config = llama_cpp_compute_buffers(model, settings);
    const auto of_file = llama_cpp_compute_buffers(file, settings);
    REQUIRE(of_config.ok());
    CHECK(of_config.value().graph_known);
    CHECK(of_config.value().buffers.back().bytes == of_file.value().buffers.back().bytes);
    LlamaCppPlacement nowhere;
    nowhere.kv_device.assign(model.layers.size(), kHost);
    CHECK(kv_cache_layers(model, settings, {}, nowhere).empty());
  }
}

TEST_CASE("EmbeddingGemma and Jina's v2 are told from the models that they are built like",
          "[config]") {
  const auto gemma = derive_model(architecture_of_file("embeddinggemma-300m")).value();
  const Model file = testing::truth_model("embeddinggemma-300m");
  CHECK(gemma.architecture == "gemma-embedding");
  CHECK(gemma.is_encoder);
  // Its two dense layers stand in files of their own, and in GGUF files only on request.
  const Bytes dense = Bytes{2} * 2 * 768 * 3072;
  CHECK(gemma.weight_bytes() == file.weight_bytes() - dense);
  CHECK_FALSE(derive_model(architecture_of_file("gemma-3-4b-it")).value().is_encoder);

  const auto jina = derive_model(architecture_of_file("jina-embeddings-v2-base-en")).value();
  CHECK(jina.architecture == "jina-bert-v2");
  // The file of the table has gate and value apart: other names, the same weights.
  CHECK(jina.weight_bytes() == testing::truth_model("jina-embeddings-v2-base-en").weight_bytes());
}
