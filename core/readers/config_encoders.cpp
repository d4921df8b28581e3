// config.json of encoders: BERT and its relatives.
// Source: conversion/bert.py of llama.cpp as of 2026-08, and the configuration classes of Hugging
// Face transformers for what files leave out.
#include <algorithm>
#include <string>

#include "core/model/architecture.hpp"
#include "core/readers/config_fields.hpp"

namespace meyasu {
namespace {

/// Rerankers are sequence classifiers, most with one label: the score.
void read_classifier(const ConfigFields& fields, Architecture& a) {
  const JsonValue* classes = fields.find("architectures");
  if (classes == nullptr || classes->items().empty()) return;
  if (!classes->items().front().text().ends_with("ForSequenceClassification")) return;
  const JsonValue* labels = fields.find("id2label");
  const auto named = labels == nullptr ? 0 : static_cast<std::int64_t>(labels->items().size());
  constexpr std::int64_t kUnstated = 2;  // of the configuration class
  a.n_label = named > 0 ? named : fields.integer("num_labels", kUnstated);
}

/// Positions before the padding token's are never used; converters cut their rows off.
void skip_padding(const ConfigFields& fields, Architecture& a) {
  const std::int64_t skipped = bounded(fields.integer("pad_token_id", 1)) + 1;
  const std::int64_t rows = bounded(a.n_ctx_train);
  a.n_ctx_train = rows > skipped ? rows - skipped : -1;
}

}  // namespace

void set_pooling(Architecture& a, Pooling pooling) {
  if (a.n_label > 0) pooling = Pooling::rank;
  a.hparams.emplace_back("pooling_type", static_cast<double>(pooling));
}

void read_bert(const ConfigFields& fields, Architecture& a) {
  constexpr std::int64_t kTokenTypes = 2;  // sentence A and B
  a.n_token_types = fields.integer("type_vocab_size", kTokenTypes);
  read_classifier(fields, a);
  if (fields.text("position_embedding_type") == "alibi") {
    // Jina's v2: no positions, a gated network whose projection is one tensor.
    a.gguf_arch = "jina-bert-v2";
    const std::string kind = fields.text("feed_forward_type");
    a.mlp_gated = a.fused_gate_up = kind == "geglu" || kind == "reglu";
    if (a.mlp_gated) {
      a.mlp_bias = false;
      a.mlp_down_bias = true;
    }
    if (a.n_label > 0) note_layer_kind(a, "classifier");
    a.n_label = 0;
  } else {
    a.n_positions = a.n_ctx_train;
  }
  set_pooling(a, Pooling::mean);
}

void read_roberta(const ConfigFields& fields, Architecture& a) {
  a.n_token_types = fields.integer("type_vocab_size", 1);
  skip_padding(fields, a);
  read_classifier(fields, a);
  a.has_pooler = a.pooler_bias = true;
  if (fields.has("lora_adaptations")) {
    // Jina's v3: rotary positions. Its adapters become files of their own.
    a.gguf_arch = "jina-bert-v3";
    a.fused_qkv = true;
  } else {
    a.n_positions = a.n_ctx_train;
  }
  set_pooling(a, Pooling::mean);
}

void read_nomic_bert(const ConfigFields& fields, Architecture& a) {
  constexpr std::int64_t kTrained = 2048;
  constexpr std::int64_t kExtended = 8192;
  a.n_token_types = fields.integer("type_vocab_size", 2);
  a.qkv_bias = a.o_bias = fields.flag("qkv_proj_bias", false);
  a.mlp_bias = fields.flag("mlp_fc1_bias", false);
  a.mlp_gated = fields.text("activation_function") == "swiglu";
  // As the converter states it: what the two published shapes were trained for.
  const bool usual = fields.integer("max_trained_positions", kTrained) == kTrained;
  if (usual && a.n_ctx_train == kExtended) {
    a.n_ctx_train = kTrained;
  } else if (usual && a.n_ctx_train == kTrained) {
    constexpr std::int64_t kOfMoe = 512;
    a.n_ctx_train = kOfMoe;
  }
  if (const std::int64_t every = bounded(fields.integer("moe_every_n_layers")); every != 0) {
    a.gguf_arch = "nomic-bert-moe";
    MoeSpec moe;
    moe.n_expert = fields.integer("num_experts");
    moe.n_expert_used = fields.integer("moe_top_k");
    moe.n_ff_exp = a.n_ff;
    moe.gated = false;
    moe.layer_step = every;
    moe.layer_offset = 1;
    a.moe = moe;
  }
  set_pooling(a, Pooling::mean);
}

void read_modern_bert(const ConfigFields& fields, Architecture& a) {
  a.first_norm_is_identity = true;
  a.sliding_window = fields.integer("local_attention", a.sliding_window);
  const std::int64_t every = bounded(fields.integer("global_attn_every_n_layers", 3));
  if (a.blocks.empty() && every > 0) {
    const std::int64_t n = std::clamp<std::int64_t>(a.n_layer, 0, kMaxConfigBlocks);
    for (std::int64_t il = 0; il < n; ++il) {
      a.blocks.push_back(il % every == 0 ? BlockKind::full : BlockKind::sliding);
    }
  }
  read_classifier(fields, a);
  a.has_pooler = a.pooler_norm = true;
  set_pooling(a, Pooling::mean);
}

void read_neo_bert(const ConfigFields& fields, Architecture& a) {
  // SwiGLU's usual two thirds, in steps of 8 (the model's own code).
  constexpr std::int64_t kStep = 8;
  const std::int64_t width = bounded(a.n_ff);
  a.n_ff = width < 0 ? -1 : (2 * width / 3 + kStep - 1) / kStep * kStep;
  a.n_ctx_train = fields.integer("max_length", a.n_ctx_train);
  set_pooling(a, Pooling::first_token);
}

void read_euro_bert(const ConfigFields&, Architecture& a) {
  set_pooling(a, Pooling::mean);
}

}  // namespace meyasu
