// Builds the worst-case graph of a batch for one architecture: which operations the runtime would
// run, in its order. One file per family of blocks: attention, feed-forward, recurrent; the order
// of blocks and the head are in graph_builder.cpp.
//
// Source: src/llama-graph.cpp and src/models/*.cpp of llama.cpp release v0.5.0; llama-cpp-graph.md
// sections 5 to 7 of our references. Shapes in comments are [ne0, ne1, ...]; U is the number of
// tokens, E n_embd.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/inference/llama_cpp/graph.hpp"
#include "core/inference/llama_cpp/graph_model.hpp"
#include "core/inference/llama_cpp/placement.hpp"
#include "core/inference/llama_cpp/settings.hpp"

namespace meyasu {

/// What a graph depends on besides the model.
struct GraphRequest {
  std::int64_t n_tokens = 0;     // U, a multiple of n_seq
  std::int64_t n_seq = 1;        // sequences in the batch, n_tokens / n_seq tokens each
  std::int64_t n_outputs = 0;    // rows of logits
  std::int64_t n_stream = 1;     // KV streams
  std::int64_t n_cells = 0;      // KV cells per stream
  std::int64_t n_positions = 0;  // in the cache, for what is laid out by position
  std::int64_t n_cells_swa = 0;  // the same of window layers; 0: no cache of their own
  bool flash_attention = true;
  bool v_transposed = false;
  GgmlType type_k = GgmlType::F16;
  GgmlType type_v = GgmlType::F16;
  bool long_context = false;  // longer than trained: the "long" rope factors
  LlamaCppRelease release = kNewestRelease;
  const LlamaCppPlacement* placement = nullptr;
  BackendId cpu = 0;  // number of the CPU backend = number of GPUs
};

class GraphBuilder {
 public:
  /// Clears `graph` and builds into it. `model.traits` must not be null.
  GraphBuilder(Graph& graph, const GraphModel& model, const GraphRequest& request);

  struct Mark {
    TensorId id = kNoTensor;
    std::int16_t layer = -1;
  };
  /// Norms with a weight, which the runtime pins to their layer's device.
  [[nodiscard]] const std::vector<Mark>& norms() const { return norms_; }
  [[nodiscard]] const std::vector<Mark>& flash_attentions() const { return flash_; }
  /// Results of attention without flash attention, pinned to the CPU with -nkvo.
  [[nodiscard]] const std::vector<Mark>& attention_results() const { return merged_; }
  /// Backend of the weights of block `il`.
  [[nodiscard]] BackendId layer_backend(std::int64_t il) const;

 private:
  struct Cache {
    std::int64_t n_cells = 0;
    TensorId k_idxs = kNoTensor;
    TensorId v_idxs = kNoTensor;
    TensorId mask = kNoTensor;
    TensorId k_rotation = kNoTensor;
    TensorId v_rotation = kNoTensor;
  };
  /// What block-sparse attention reads besides the caches.
  struct BlockInputs {
    TensorId local_bias = kNoTensor;        // [blocks, U]
    TensorId position_mask = kNoTensor;     // [positions, U]
    TensorId cell_of_position = kNoTensor;  // [positions, streams]
    TensorId block_of_cell = kNoTensor;     // [cells, streams]
    TensorId mask = kNoTensor;              // that of the cache, in full precision
  };
  struct Qkv {
    TensorId q = kNoTensor;
    TensorId k = kNoTensor;
    TensorId v = kNoTensor;
  };

  // graph_builder.cpp
  void build();
  [[nodiscard]] BlockForm form() const;  // of block il_
  TensorId embeddings();
  void head(TensorId x);
  void make_inputs();
  TensorId hadamard_input(std::int64_t head);
  void make_cache_inputs(Cache& cache, std::int64_t n_cells, std::size_t part);
  [[nodiscard]] Prune prune_where() const;
  [[nodiscard]] bool scales_residual() const;
  [[nodiscard]] bool ends_loop() const;
  TensorId norm_loop(TensorId x);
  void prune(std::initializer_list<TensorId*> tensors);
  /// Nothing where the model has no such norm, unless its norms have no weights at all.
  TensorId block_norm(TensorId x, WeightName name);
  TensorId sequential_block(TensorId x);
  TensorId parallel_block(TensorId x);
  TensorId hybrid_block(TensorId x);
  TensorId mamba_block(TensorId x);
  TensorId lfm2_block(TensorId x);
  TensorId gated_delta_block(TensorId x);
  TensorId beside_block(TensorId x);
  TensorId mixer_only_block(TensorId x);
  TensorId chameleon_block(TensorId x);
  TensorId without_image_logits(TensorId logits);

  // graph_builder_gemma.cpp
  TensorId block_inputs(TensorId x);
  TensorId plane(TensorId x);
  TensorId per_block_part(TensorId x);
  TensorId gemma_attention(TensorId x);
  TensorId gemma3n_block(TensorId x);
  TensorId gemma4_block(TensorId x);
  TensorId magnitude(TensorId x);
  TensorId altup_project(WeightName name, TensorId x, TensorId target);
  TensorId altup_begin(TensorId x);
  TensorId altup_end(TensorId x);
  TensorId altup_modalities(TensorId x);
  TensorId altup_predict(TensorId x);
  TensorId altup_correct(TensorId predictions, TensorId activated);
  TensorId largest_of_rows(TensorId x);

  // graph_builder_encoder.cpp
  TensorId encoder_embeddings(TensorId x);
  TensorId bert_block(TensorId x);
  void encoder_head(TensorId x);
  TensorId pool(TensorId x);
  TensorId mean_of_tokens(TensorId x);
  TensorId classify(TensorId x);

  // graph_builder_t5.cpp
  void make_t5_inputs();
  TensorId position_bias();
  TensorId cross_attention(TensorId x);
  TensorId t5_block(TensorId x);

  // weights and products, graph_builder.cpp
  [[nodiscard]] const WeightRefs& refs(WeightName name) const;
  [[nodiscard]] bool has(WeightName name) const { return refs(name).weight >= 0; }
  [[nodiscard]] const Layer& layer() const {
    return model_.model->layers[static_cast<std::size_t>(il_)];
  }
  TensorId tensor_of(std::int32_t index, BackendId backend);
  TensorId tensor_of(std::int32_t index);
  TensorId weight(WeightName name) { return tensor_of(refs(name).weight); }
  /// w * x [+ bias] [* scale]
  TensorId linear(WeightName name, TensorId x, bool with_bias = true);
  TensorId linear_id(WeightName name, TensorId x, TensorId ids);
  TensorId norm(TensorId x, WeightName name);
  TensorId norm(TensorId x, WeightName name, NormKind kind);

  // graph_builder_attention.cpp
  Qkv project_qkv(TensorId x);
  TensorId rope(TensorId x);
  [[nodiscard]] bool uses_rope() const;
  TensorId rope_factors();
  TensorId rotate(TensorId x, TensorId rotation);
  TensorId self_attention(TensorId x);
  TensorId latent_attention(TensorId x);
  TensorId gated_attention(TensorId x);
  TensorId gate_attention(TensorId x, TensorId out);
  /// q [head_k, n_head, U], k [head_k, n_head_kv, U], v [head_v, n_head_kv, U] -> [E, U]
  TensorId attend(const Qkv& qkv, bool project);
  TensorId attend_latent(TensorId q, TensorId k, TensorId v, TensorId chosen);
  TensorId attend_to_batch(const Qkv& qkv);
  TensorId scores_to_values(TensorId q, TensorId k, TensorId v, bool v_is_transposed,
                            const Cache& cache);
  [[nodiscard]] std::size_t cache_layer() const;
  TensorId cache_of(GgmlType type, std::int64_t width, const Cache& cache);
  TensorId store_k(TensorId k, const Cache& cache);
  TensorId store_v(TensorId v, const Cache& cache);
  /// Of a whole cache: [head, n_head, n_cells, streams].
  TensorId cells_of(TensorId all, std::int64_t head, std::int64_t n_head, std::int64_t n_cells);
  Cache& cache_of_layer();

  // graph_builder_sparse.cpp
  TensorId choose_cells(TensorId x, TensorId compressed_q);
  TensorId of_streams(TensorId shares);
  TensorId best_cells(TensorId q, TensorId keys, TensorId shares, TensorId mask);
  TensorId mask_of(TensorId chosen, TensorId mask, GgmlType opened);
  [[nodiscard]] bool attends_to_blocks() const;
  void make_block_inputs();
  TensorId attend_to_blocks(TensorId x, const Qkv& projected);
  TensorId block_mask(TensorId index_q, TensorId index_cells);
  TensorId attend_by_group(TensorId q, TensorId k_cells, TensorId v_cells, TensorId mask);

  // graph_builder_deepseek4.cpp
  /// Keys in the making: a cache, the state that feeds it, and which rows a batch reads and writes.
  struct Compressor {
    Cache cache;                     // of compressed keys; its indices are rows written
    TensorId places = kNoTensor;     // of the tokens within their window, [U]
    TensorId read = kNoTensor;       // rows of state and batch that make a key
    TensorId positions = kNoTensor;  // of the keys written
    TensorId kept_from = kNoTensor;  // tokens that the state keeps,
    TensorId kept_to = kNoTensor;    // and where
    std::int64_t ratio = 0;
    std::int64_t state_rows = 0;  // per sequence
    std::int64_t n_keys = 0;      // that the batch completes
  };
  struct CompressorWeights {
    WeightName keys;
    WeightName gate;
    WeightName places;
    WeightName norm;
  };
  /// A block's input, and how its result returns to the streams.
  struct Mixed {
    TensorId x = kNoTensor;     // [E, U]
    TensorId post = kNoTensor;  // [streams, U]
    TensorId comb = kNoTensor;  // [streams, streams, U]
  };
  void make_compressed_inputs();
  Compressor make_compressor(std::int64_t ratio, GgmlType mask, std::int64_t rotated_head);
  TensorId begin_streams(TensorId x);
  TensorId deepseek4_block(TensorId x);
  Mixed mix_streams(TensorId x, WeightName fn, WeightName scale, WeightName base);
  TensorId join_streams(TensorId x);
  TensorId with_rotated_tail(TensorId x, TensorId positions);
  TensorId compressed_attention(TensorId x);
  TensorId compress(TensorId x, const Compressor& made, const CompressorWeights& names,
                    std::int64_t head);
  TensorId weighted_keys(const Compressor& made, TensorId keys, TensorId scores, std::int64_t head);
  TensorId choose_keys(TensorId x, TensorId compressed_q, TensorId indexer_all);
  TensorId grouped_output(TensorId out);

  // graph_builder_feed_forward.cpp
  void clamp_gated(TensorId& gate, TensorId& up);
  TensorId feed_forward(TensorId x);
  TensorId dense(TensorId x, WeightName gate, WeightName up, WeightName down);
  TensorId activate(TensorId x);
  enum class ExpertSet : std::uint8_t { routed, chunks };
  [[nodiscard]] std::int64_t used_experts(ExpertSet set);
  TensorId experts(TensorId x, ExpertSet set = ExpertSet::routed);
  TensorId route(TensorId x, TensorId& ids, ExpertSet set);
  TensorId limit_to_groups(TensorId selection);

  // graph_builder_recurrent.cpp
  struct StateRows {
    TensorId cache = kNoTensor;  // all rows, F32
    TensorId rows = kNoTensor;   // reshaped to [elements, rows]
  };
  StateRows clear_state(TensorId cache, std::int64_t elements);
  void keep_other_states(const StateRows& state);
  TensorId load_state(TensorId cache, std::int64_t elements);
  TensorId state_cache(std::int64_t elements);
  TensorId mamba1(TensorId x);
  TensorId mamba2(TensorId x);
  TensorId plamo2_mixer(TensorId x);
  TensorId short_conv(TensorId x);
  TensorId delta_net(TensorId x);
  TensorId kimi_delta(TensorId x);

  // graph_builder_rwkv.cpp
  TensorId rwkv_block(TensorId x);
  TensorId shifted(TensorId x, TensorId first);
  TensorId channel_mix(TensorId x, TensorId previous);
  TensorId time_mix6(TensorId x, TensorId previous);
  TensorId time_mix7(TensorId x, TensorId previous);
  TensorId wkv(std::initializer_list<TensorId> sources, TensorId cache);
  TensorId norm_heads(TensorId x);

  Graph& g_;
  const GraphModel& model_;
  const FamilyTraits& traits_;
  const GraphRequest& request_;
  std::int64_t n_embd_ = 0;
  std::int64_t il_ = -1;
  bool last_ = false;

  TensorId block_inputs_ = kNoTensor;
  TensorId embedding_skip_ = kNoTensor;
  TensorId deepstack_ = kNoTensor;      // token rows, padded by the widths of image features
  TensorId router_logits_ = kNoTensor;  // where they are made before the block's attention
  TensorId positions_ = kNoTensor;
  TensorId out_ids_ = kNoTensor;
  TensorId attn_scale_ = kNoTensor;
  TensorId state_ids_ = kNoTensor;        // rows of the batch's sequences
  TensorId other_state_ids_ = kNoTensor;  // rows of all others: empty
  TensorId first_value_ = kNoTensor;      // RWKV-7: of block 0, mixed into those of all others
  std::vector<TensorId> rope_factors_;    // one tensor per backend, read by all its layers
  Cache full_;
  Cache window_;
  Cache indexer_;  // keys of the sparse-attention indexer
  TensorId chosen_cells_ = kNoTensor;
  BlockInputs blocks_;
  TensorId tokens_ = kNoTensor;
  Compressor overlapping_;        // one key for 4 tokens, from 8
  Compressor heavy_;              // one key for 128 tokens
  Compressor indexed_;            // the indexer's, as the overlapping
  Cache batch_;                   // no cache: keys are those of the batch
  Cache batch_window_;            // the same of window layers: another mask
  TensorId buckets_ = kNoTensor;  // T5: of the distances, [keys, U]
  TensorId bias_ = kNoTensor;     // added to the scores of the attention at hand
  TensorId encoded_ = kNoTensor;  // T5: the encoder's result, [E, tokens of the text]
  Cache cross_;                   // the mask over it
  std::vector<Mark> norms_;
  std::vector<Mark> flash_;
  std::vector<Mark> merged_;
};

}  // namespace meyasu
