#include "core/readers/gguf_model.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <functional>
#include <map>
#include <sstream>

#include "core/model/tensor_name.hpp"
#include "tests/unit/readers/gguf_bytes.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

using Row = std::map<std::string, std::string>;

/// One row per model of the measured table; only the columns before the quoted ones.
std::map<std::string, Row> truth_rows() {
  std::ifstream file(std::string(MEYASU_TESTS_DIR) + "/truth/llamacpp_truth.csv");
  const auto fields_of = [](const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    return fields;
  };
  std::string line;
  std::getline(file, line);
  const auto columns = fields_of(line);
  std::map<std::string, Row> rows;
  while (std::getline(file, line)) {
    const auto fields = fields_of(line);
    if (rows.count(fields[1]) != 0) continue;
    for (std::size_t i = 0; i < 16; ++i) rows[fields[1]][columns[i]] = fields[i];
  }
  return rows;
}

template <class Predicate>
std::vector<int> layers_where(const Model& model, Predicate predicate) {
  std::vector<int> found;
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    if (predicate(model.layers[il])) found.push_back(static_cast<int>(il));
  }
  return found;
}

bool is_full(const Layer& layer) {
  return layer.kind == LayerKind::attention && layer.attention.span == AttentionSpan::full;
}

/// A header with keys only; `write` puts `n_kv` pairs besides the architecture.
Result<Model> model_of(std::string_view architecture, std::uint64_t n_kv,
                       const std::function<void(GgufBytes&)>& write) {
  GgufBytes file;
  file.start(0, n_kv + 1).kv_string("general.architecture", architecture);
  write(file);
  file.pad();
  const auto header = read_gguf(file.bytes);
  REQUIRE(header.ok());
  return model_from_gguf(header.value());
}

void common_keys(GgufBytes& file, const std::string& arch, std::uint32_t n_layer) {
  file.kv_u32(arch + ".block_count", n_layer);
  file.kv_u32(arch + ".embedding_length", 2048);
  file.kv_u32(arch + ".attention.head_count", 16);
}

}  // namespace

TEST_CASE("every measured header gives the model that was measured") {
  const auto rows = truth_rows();
  REQUIRE(rows.size() == 28);
  for (const auto& [name, row] : rows) {
    CAPTURE(name);
    const Model model = truth_model(name);
    const auto expected = [&cells = row](const char* column) {
      return std::stoll(cells.at(column));
    };
    CHECK(model.unknowns.empty());
    CHECK(model.provenance == Provenance::header);
    CHECK(model.architecture == row.at("arch"));
    CHECK(model.n_params() == expected("n_params"));
    CHECK(model.n_embd == expected("n_embd"));
    CHECK(model.n_vocab == expected("n_vocab"));
    CHECK(model.n_ctx_train == expected("n_ctx_train"));
    CHECK(static_cast<long long>(model.layers.size()) == expected("n_layer"));
    CHECK(static_cast<long long>(model.hparam("feed_forward_length", 0)) == expected("n_ff"));
    // The windows of Phi-3 and Mistral are not used by the runtime: 0 in the table as well.
    CHECK(model.sliding_window == expected("n_swa"));

    long long n_head = 0;
    long long n_head_kv = 0;
    long long head_dim = 0;
    long long n_expert = 0;
    long long n_expert_used = 0;
    long long n_ff_exp = 0;
    for (const Layer& layer : model.layers) {
      if (layer.kind == LayerKind::attention) {
        n_head = layer.attention.n_head;
        n_head_kv = layer.attention.n_head_kv;
        head_dim =
            layer.attention.mla ? layer.attention.mla->v_head_dim : layer.attention.head_dim_k;
      }
      n_expert = std::max<long long>(n_expert, layer.feed_forward.n_expert);
      n_expert_used = std::max<long long>(n_expert_used, layer.feed_forward.n_expert_used);
      n_ff_exp = std::max<long long>(n_ff_exp, layer.feed_forward.n_ff_exp);
    }
    CHECK(n_head == expected("n_head"));
    CHECK(n_head_kv == expected("n_head_kv"));
    CHECK(head_dim == expected("head_dim"));
    CHECK(n_expert == expected("n_expert"));
    CHECK(n_expert_used == expected("n_expert_used"));
    CHECK(n_ff_exp == expected("n_ff_exp"));
  }
}

TEST_CASE("full-attention layers follow the pattern of each architecture") {
  // llama-cpp.md section 5: gemma2 and gpt-oss il % 2 == 1, gemma3 il % 6 == 5.
  CHECK(layers_where(truth_model("gpt-oss-20b"), is_full) ==
        std::vector<int>{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23});
  CHECK(layers_where(truth_model("Gemma-3-4B"), is_full) == std::vector<int>{5, 11, 17, 23, 29});
  CHECK(layers_where(truth_model("Gemma-3-27B"), is_full).size() == 10);
  CHECK(layers_where(truth_model("Gemma-2-9B"), is_full).size() == 21);
  CHECK(layers_where(truth_model("Qwen3-8B"), is_full).size() == 36);
  CHECK(layers_where(truth_model("Phi-3-mini-4k"), is_full).size() == 32);
}

TEST_CASE("hybrid models mix attention layers and layers with a state") {
  const Model qwen = truth_model("Qwen3-Next-80B-A3B");
  CHECK(layers_where(qwen, is_full) ==
        std::vector<int>{3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47});
  double state = 0;
  for (const Layer& layer : qwen.layers) {
    state += static_cast<double>(layer.recurrent.conv_state_elements +
                                 layer.recurrent.ssm_state_elements) *
             4;
  }
  CHECK(state / (1 << 20) == Catch::Approx(75.38).margin(0.005));  // printed by llama.cpp

  const Model granite = truth_model("Granite-4.0-H-Tiny");
  CHECK(layers_where(granite, is_full).size() == 4);
  CHECK(granite.layers[0].kind == LayerKind::mamba2);
  CHECK(granite.layers[0].recurrent.head_dim == 64);  // 3072 / 48 heads
  CHECK(granite.layers[5].kind == LayerKind::attention);

  const Model lfm = truth_model("LFM2-1.2B");
  CHECK(layers_where(lfm, [](const Layer& l) { return l.kind == LayerKind::short_conv; }).size() ==
        10);
  CHECK(lfm.layers[0].recurrent.conv_state_elements == 2 * 2048);
  CHECK(lfm.layers[0].recurrent.ssm_state_elements == 0);

  const Model mamba = truth_model("Mamba-2.8B");
  CHECK(mamba.layers[63].kind == LayerKind::mamba1);
  CHECK(mamba.layers[63].recurrent.conv_state_elements == 3 * 5120);
  CHECK(mamba.layers[63].recurrent.ssm_state_elements == 16 * 5120);
}

TEST_CASE("MLA is absorbed only in files made for it") {
  const Model absorbed = truth_model("DeepSeek-V2-Lite");
  REQUIRE(absorbed.layers[3].attention.mla.has_value());
  CHECK(absorbed.layers[3].attention.mla->absorbed);
  CHECK(absorbed.layers[3].attention.mla->kv_lora_rank == 512);
  CHECK(absorbed.layers[3].attention.mla->qk_rope_head_dim == 64);
  CHECK(absorbed.layers[3].attention.mla->qk_nope_head_dim == 128);
  CHECK(absorbed.layers[3].attention.mla->v_head_dim == 128);
  const Model expanded = truth_model("DeepSeek-V2-Lite-noabsorb");
  CHECK_FALSE(expanded.layers[3].attention.mla->absorbed);
  CHECK(expanded.layers[3].attention.mla->qk_nope_head_dim == 128);
  CHECK(expanded.layers[3].attention.mla->v_head_dim == 128);
}

TEST_CASE("feed-forward widths come from the tensors of each block") {
  const Model deepseek = truth_model("DeepSeek-V2-Lite");
  CHECK(deepseek.layers[0].feed_forward.n_ff == 10944);
  CHECK(deepseek.layers[0].feed_forward.n_expert == 0);
  CHECK(deepseek.layers[1].feed_forward.n_ff == 0);
  CHECK(deepseek.layers[1].feed_forward.n_ff_exp == 1408);
  CHECK(deepseek.layers[1].feed_forward.n_ff_shexp == 2 * 1408);
  CHECK(truth_model("Phi-3-mini-4k").layers[0].feed_forward.n_ff == 8192);
}

TEST_CASE("the MTP block of GLM-4.5-Air is marked and owns its tensors") {
  const Model model = truth_model("GLM-4.5-Air");
  CHECK(layers_where(model, [](const Layer& l) { return l.is_mtp; }) == std::vector<int>{46});
  CHECK(std::all_of(model.tensors.begin(), model.tensors.end(), [](const Tensor& tensor) {
    return (tensor.role == TensorRole::mtp) == (tensor.layer == 46);
  }));
}

TEST_CASE("tied embeddings are those without an output tensor") {
  CHECK(truth_model("Gemma-3-4B").tied_embeddings);
  CHECK(truth_model("Llama-3.2-1B").tied_embeddings);
  CHECK_FALSE(truth_model("Llama-3.1-8B").tied_embeddings);
}

TEST_CASE("no tensor of the measured headers is without a role, except rotary factors") {
  for (const auto& [name, row] : truth_rows()) {
    CAPTURE(name);
    for (const Tensor& tensor : truth_model(name).tensors) {
      CAPTURE(tensor.name);
      CHECK((tensor.role == TensorRole::other) == (tensor.name == "rope_freqs.weight"));
    }
  }
}

TEST_CASE("tensor names tell block and role") {
  CHECK(block_of_tensor("blk.0.attn_q.weight") == 0);
  CHECK(block_of_tensor("blk.127.ssm_a") == 127);
  CHECK(block_of_tensor("enc.blk.3.attn_q.weight") == 3);
  CHECK_FALSE(block_of_tensor("token_embd.weight").has_value());
  CHECK_FALSE(block_of_tensor("blk.attn_q").has_value());
  CHECK_FALSE(block_of_tensor("blk.5").has_value());
  CHECK_FALSE(block_of_tensor("blk.99999999999999999999.x").has_value());

  const std::map<std::string, TensorRole> roles = {
      {"token_embd.weight", TensorRole::embedding},
      {"token_embd_norm.weight", TensorRole::norm},
      {"position_embd.weight", TensorRole::position},
      {"output.weight", TensorRole::output_head},
      {"output_norm.bias", TensorRole::norm},
      {"v.blk.0.attn_q.weight", TensorRole::vision},
      {"mm.0.weight", TensorRole::vision},
      {"rope_freqs.weight", TensorRole::other},
      {"blk.1.attn_kv_a_mqa.weight", TensorRole::attention},
      {"blk.1.attn_kv_a_norm.weight", TensorRole::norm},
      {"blk.1.attn_sinks.weight", TensorRole::attention},
      {"blk.1.post_ffw_norm.weight", TensorRole::norm},
      {"blk.1.ssm_conv1d.bias", TensorRole::recurrent},
      {"blk.1.ssm_norm.weight", TensorRole::norm},
      {"blk.1.shortconv.in_proj.weight", TensorRole::recurrent},
      {"blk.1.time_mix_w1.weight", TensorRole::recurrent},
      {"blk.1.channel_mix_key.weight", TensorRole::feed_forward},
      {"blk.1.ffn_up.weight", TensorRole::feed_forward},
      {"blk.1.ffn_up_exps.weight", TensorRole::routed_expert},
      {"blk.1.ffn_down_exps.bias", TensorRole::routed_expert},
      {"blk.1.ffn_gate_up_exps.weight", TensorRole::routed_expert},
      {"blk.1.ffn_gate.7.weight", TensorRole::routed_expert},
      {"blk.1.ffn_up_shexp.weight", TensorRole::shared_expert},
      {"blk.1.ffn_gate_inp.weight", TensorRole::router},
      {"blk.1.ffn_gate_inp_shexp.weight", TensorRole::router},
      {"blk.1.exp_probs_b.bias", TensorRole::router},
      {"blk.1.nextn.enorm.weight", TensorRole::mtp},
  };
  for (const auto& [name, role] : roles) {
    CAPTURE(name);
    CHECK(role_of_tensor(name) == role);
  }
}

TEST_CASE("window keys: a pattern array decides, a number is the period, 0 is no window") {
  const auto full_layers = [](std::string_view arch, std::uint64_t n_kv,
                              const std::function<void(GgufBytes&, const std::string&)>& write) {
    const std::string prefix(arch);
    const auto model = model_of(arch, n_kv + 3, [&](GgufBytes& file) {
      common_keys(file, prefix, 8);
      write(file, prefix);
    });
    REQUIRE(model.ok());
    return layers_where(model.value(), is_full);
  };
  const auto window = [](GgufBytes& f, const std::string& a) {
    f.kv_u32(a + ".attention.sliding_window", 512);
  };
  CHECK(full_layers("cohere2", 1, window) == std::vector<int>{3, 7});
  CHECK(full_layers("laguna", 1, window) == std::vector<int>{0, 4});
  CHECK(full_layers("smallthinker", 1, window) == std::vector<int>{0, 4});
  CHECK(full_layers("olmo2", 1, window) == std::vector<int>{3, 7});
  CHECK(full_layers("gemma3n", 1, window) == std::vector<int>{4});
  CHECK(full_layers("plamo3", 1, window) == std::vector<int>{7});
  CHECK(full_layers("llama", 1, window).size() == 8);
  CHECK(full_layers("qwen2", 1, window).size() == 8);
  CHECK(full_layers("olmo2", 0, [](GgufBytes&, const std::string&) {}).size() == 8);
  CHECK(full_layers("exaone4", 0, [](GgufBytes&, const std::string&) {}).size() == 8);
  CHECK(full_layers("llama4", 0, [](GgufBytes&, const std::string&) {}) == std::vector<int>{3, 7});
  CHECK(full_layers("llama4", 1, [](GgufBytes& f, const std::string& a) {
          f.kv_u32(a + ".attention.sliding_window", 0);
        }).size() == 8);
  CHECK(full_layers("gemma3", 2, [&](GgufBytes& f, const std::string& a) {
          window(f, a);
          f.kv_u32(a + ".attention.sliding_window_pattern", 2);
        }) == std::vector<int>{1, 3, 5, 7});
  CHECK(full_layers("modern-bert", 1, window) == std::vector<int>{0, 3, 6});
  CHECK(full_layers("gemma4", 2, [&](GgufBytes& f, const std::string& a) {
          window(f, a);
          f.kv_array(a + ".attention.sliding_window_pattern", GgufValueType::boolean, 8);
          f.raw(std::string_view("\1\0\1\1\0\1\1\1", 8));
        }) == std::vector<int>{1, 4});
}

TEST_CASE("Llama 4 has chunks of 8192 tokens") {
  const auto model = model_of("llama4", 3, [](GgufBytes& file) { common_keys(file, "llama4", 4); });
  CHECK(model.value().layers[0].attention.span == AttentionSpan::chunked);
  CHECK(model.value().sliding_window == 8192);
}

TEST_CASE("layers that share a cache own none") {
  const auto shared = [](const Layer& layer) { return layer.attention.shares_kv; };
  const auto gemma4 = model_of("gemma4", 6, [](GgufBytes& file) {
    common_keys(file, "gemma4", 4);
    file.kv_u32("gemma4.attention.sliding_window", 512);
    file.kv_u32("gemma4.attention.shared_kv_layers", 2);
    file.kv_u32("gemma4.attention.sliding_window_pattern", 2);
  });
  CHECK(layers_where(gemma4.value(), shared) == std::vector<int>{2, 3});
  const auto gemma3n =
      model_of("gemma3n", 3, [](GgufBytes& file) { common_keys(file, "gemma3n", 30); });
  CHECK(layers_where(gemma3n.value(), shared).size() == 10);
  const auto bert = model_of("bert", 3, [](GgufBytes& file) { common_keys(file, "bert", 3); });
  CHECK(layers_where(bert.value(), shared).size() == 3);
  CHECK(bert.value().unknowns == std::vector<std::string>{"encoder:bert"});
  CHECK(bert.value().is_encoder);
  const auto dream = model_of("dream", 3, [](GgufBytes& file) { common_keys(file, "dream", 3); });
  CHECK(layers_where(dream.value(), shared).size() == 3);
  CHECK(dream.value().unknowns == std::vector<std::string>{"diffusion:dream"});
  CHECK_FALSE(dream.value().is_encoder);
  // The runtime has no exception for this encoder: it gets a cache.
  const auto embed =
      model_of("llama-embed", 3, [](GgufBytes& file) { common_keys(file, "llama-embed", 3); });
  CHECK(layers_where(embed.value(), shared).empty());
  CHECK(embed.value().is_encoder);
}

TEST_CASE("Nemotron-H: state, attention or feed-forward, one per layer") {
  const auto model = model_of("nemotron_h", 9, [](GgufBytes& file) {
    const std::string a = "nemotron_h";
    common_keys(file, a, 3);
    file.kv_array(a + ".attention.head_count_kv", GgufValueType::i32, 3).u32(0).u32(8).u32(0);
    file.kv_array(a + ".feed_forward_length", GgufValueType::i32, 3).u32(0).u32(0).u32(9000);
    file.kv_u32(a + ".ssm.conv_kernel", 4).kv_u32(a + ".ssm.inner_size", 8192);
    file.kv_u32(a + ".ssm.state_size", 128).kv_u32(a + ".ssm.group_count", 8);
  });
  REQUIRE(model.ok());
  CHECK(model.value().layers[0].kind == LayerKind::mamba2);
  CHECK(model.value().layers[0].recurrent.conv_state_elements == 3 * (8192 + 2 * 8 * 128));
  CHECK(model.value().layers[1].kind == LayerKind::attention);
  CHECK(model.value().layers[2].kind == LayerKind::feed_forward_only);
}

TEST_CASE("Falcon-H1 layers have attention and a state") {
  const auto model = model_of("falcon-h1", 6, [](GgufBytes& file) {
    const std::string a = "falcon-h1";
    common_keys(file, a, 2);
    file.kv_u32(a + ".ssm.conv_kernel", 4).kv_u32(a + ".ssm.inner_size", 1024);
    file.kv_u32(a + ".ssm.state_size", 64);
  });
  CHECK(model.value().layers[0].kind == LayerKind::attention);
  CHECK(model.value().layers[0].attention.n_head == 16);
  CHECK(model.value().layers[0].recurrent.ssm_state_elements == 1024 * 64);
}

TEST_CASE("RWKV and Kimi delta attention keep the state llama.cpp allocates") {
  const auto rwkv = model_of("rwkv7", 3, [](GgufBytes& file) {
    file.kv_u32("rwkv7.block_count", 1).kv_u32("rwkv7.embedding_length", 2048);
    file.kv_u32("rwkv7.wkv.head_size", 64);
  });
  CHECK(rwkv.value().unknowns.empty());
  CHECK(rwkv.value().layers[0].kind == LayerKind::rwkv);
  CHECK(rwkv.value().layers[0].recurrent.conv_state_elements == 2 * 2048);
  CHECK(rwkv.value().layers[0].recurrent.ssm_state_elements == 2048 * 64);

  const auto kimi = model_of("kimi-linear", 9, [](GgufBytes& file) {
    const std::string a = "kimi-linear";
    common_keys(file, a, 2);
    file.kv_array(a + ".attention.head_count_kv", GgufValueType::i32, 2).u32(0).u32(1);
    file.kv_u32(a + ".ssm.conv_kernel", 4).kv_u32(a + ".kda.head_dim", 128);
    file.kv_u32(a + ".attention.kv_lora_rank", 512);
    file.kv_u32(a + ".attention.key_length_mla", 192);
    file.kv_u32(a + ".rope.dimension_count", 64);
  });
  const auto& layers = kimi.value().layers;
  CHECK(layers[0].kind == LayerKind::linear_attention);
  CHECK(layers[0].recurrent.conv_state_elements == 3 * 3 * 16 * 128);
  CHECK(layers[0].recurrent.ssm_state_elements == 16 * 128 * 128);
  CHECK(layers[1].kind == LayerKind::attention);
  CHECK(layers[1].attention.mla->absorbed);
}

TEST_CASE("an unknown architecture gives what is certain and is named") {
  const auto model = model_of("brand-new", 5, [](GgufBytes& file) {
    common_keys(file, "brand-new", 2);
    file.kv_u32("brand-new.attention.head_count_kv", 4);
    file.key("brand-new.rope.freq_base", GgufValueType::f32).u32(0x3F800000U);
  });
  REQUIRE(model.ok());
  CHECK(model.value().unknowns == std::vector<std::string>{"arch_unknown:brand-new"});
  CHECK(model.value().n_embd == 2048);
  CHECK(model.value().layers[1].attention.n_head_kv == 4);
  CHECK(model.value().layers[1].attention.head_dim_k == 128);
  CHECK(model.value().hparam("rope.freq_base", 0) == 1.0);
}

TEST_CASE("missing keys are named, projectors and adapters are not models") {
  const auto nothing = model_of("llama", 0, [](GgufBytes&) {});
  REQUIRE(nothing.ok());
  CHECK(nothing.value().unknowns == std::vector<std::string>{"missing:block_count"});
  CHECK(nothing.value().layers.empty());
  CHECK(model_of("clip", 0, [](GgufBytes&) {}).value().unknowns ==
        std::vector<std::string>{"projector"});
  CHECK(model_of("llama", 1, [](GgufBytes& file) { file.kv_string("general.type", "adapter"); })
            .value()
            .unknowns == std::vector<std::string>{"adapter"});
}

TEST_CASE("the vocabulary is counted from the token list when no key states it") {
  const auto model = model_of("llama", 4, [](GgufBytes& file) {
    common_keys(file, "llama", 1);
    file.kv_array("tokenizer.ggml.tokens", GgufValueType::string, 3);
    file.string("a").string("b").string("c");
  });
  CHECK(model.value().n_vocab == 3);
}

TEST_CASE("sizes beyond every limit are damage at the key's position") {
  const auto refused = [](const std::string& key, std::uint32_t value) {
    const auto model = model_of("mamba2", 3, [&](GgufBytes& file) {
      file.kv_u32("mamba2.block_count", key == "block_count" ? value : 4);
      file.kv_u32("mamba2.embedding_length", 64);
      file.kv_u32("mamba2." + (key == "block_count" ? "x" : key), value);
    });
    return !model.ok() && model.error().code == "damaged" && !model.error().detail.empty();
  };
  CHECK(refused("block_count", 513));
  CHECK(refused("ssm.inner_size", 1U << 31));
  CHECK(refused("ssm.group_count", 1U << 31));
  CHECK(refused("ssm.conv_kernel", 257));
  CHECK(refused("context_length", 0xFFFFFFFFU));
  CHECK_FALSE(refused("context_length", 1U << 20));
  // A negative count.
  const auto negative = model_of("llama", 1, [](GgufBytes& file) {
    file.key("llama.block_count", GgufValueType::i32).put(std::int32_t{-1});
  });
  CHECK(negative.error() == Error{"damaged", "gguf", "77"});
}

TEST_CASE("heads and widths that are within their limits, but not together, are damage") {
  const auto model_with = [](const std::string& architecture, std::uint32_t n_head,
                             std::uint32_t n_head_kv, std::uint32_t head) {
    return model_of(architecture, 5, [&](GgufBytes& file) {
      file.kv_u32(architecture + ".block_count", 2);
      file.kv_u32(architecture + ".embedding_length", 64);
      file.kv_u32(architecture + ".attention.head_count", n_head);
      file.kv_u32(architecture + ".attention.head_count_kv", n_head_kv);
      file.kv_u32(architecture + ".attention.key_length", head);
    });
  };
  const auto damaged = [](const Result<Model>& model) {
    return !model.ok() && model.error().code == "damaged";
  };
  CHECK(model_with("llama", 128, 8, 576).ok());
  CHECK(damaged(model_with("llama", 8192, 8, 1U << 10)));
  // A cache of such rows would pass 2^63 bytes.
  CHECK(damaged(model_with("llama", 1, 8192, 1U << 20)));
}

TEST_CASE("numbers that no key of a model has do not become hparams") {
  const auto model = model_of("bert", 5, [](GgufBytes& file) {
    common_keys(file, "bert", 1);
    file.key("bert.pooling_type", GgufValueType::f32).u32(0x7F800000U);                // infinity
    file.key("bert.expert_group_count", GgufValueType::f64).u64(0x7E37E43C8800759CU);  // 1e300
  });
  REQUIRE(model.ok());
  CHECK(model.value().hparam("pooling_type", -1) == -1);
  CHECK(model.value().hparam("expert_group_count", -1) == -1);

  const auto vectors = model_of("bert", 4, [](GgufBytes& file) {
    common_keys(file, "bert", 1);
    file.kv_u32("bert.embedding_length_out", 1U << 30);
  });
  REQUIRE_FALSE(vectors.ok());
  CHECK(vectors.error().code == "damaged");
}
