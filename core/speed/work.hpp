// What one step of a model reads and computes, place by place: the input of every speed estimate.
// Weights are the real bytes of every tensor in its own type, not parameters times bits.
#pragma once

#include <cstdint>
#include <vector>

#include "core/inference/llama_cpp/settings.hpp"
#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Tables of which a step reads one row per token.
[[nodiscard]] bool is_looked_up(const Tensor& tensor);

/// Share of the routed experts that `n_tokens` tokens touch, each choosing k of E:
/// 1 - (1 - k/E)^(n^0.87).
[[nodiscard]] double touched_share(const FeedForward& feed_forward, double n_tokens);

/// How much a kernel has to do to unpack a weight.
enum class UnpackClass : std::uint8_t {
  half,    // F32, F16, BF16: multiplied in floating point
  byte,    // Q8_0: integer products of four
  nibble,  // Q4_0, Q4_1, IQ4_NL
  float4,  // MXFP4, NVFP4: a table of 16 values
  nested,  // Q4_K, Q5_K, Q6_K: scales of scales
  planes,  // bits in several places, or look-up tables: Q5_0, Q5_1, Q2_K, Q3_K, other IQ types
};
inline constexpr std::size_t kUnpackClasses = 6;
[[nodiscard]] UnpackClass unpack_class(GgmlType type);

/// Work of one place (a GPU, or the host). Byte counts are expected values, hence not integers.
struct PlaceWork {
  /// Weights that a step reads, by UnpackClass. Of routed experts those that are expected to be
  /// chosen (touched_share()). Looked-up tables (token embedding) are left out.
  double weights[kUnpackClasses] = {};
  double elements[kUnpackClasses] = {};  // how many these are
  double experts = 0;                    // the part of `weights` that is routed experts
  double cache = 0;      // K and V of one sequence at the depth; windows are cut to their length
  double state = 0;      // recurrent state of one sequence, read and written
  double flop = 0;       // 2 x active weights of one token, without the output head
  double head_flop = 0;  // 2 x output head
  double attention_flop = 0;  // of one token over the depth: 4 x n_head x head_dim x keys
  /// Scores of one token that are written out and read again: n_head x keys; 0 with flash
  /// attention.
  double scores = 0;
  double tokens_per_expert = 0;  // of the step's tokens, how many each routed expert gets
  int n_layer = 0;               // blocks whose weights, but for overridden ones, are here
  int n_expert_layer = 0;        // blocks whose routed experts are here

  [[nodiscard]] double weight_bytes() const {
    double sum = 0;
    for (const double bytes : weights) sum += bytes;
    return sum;
  }
};

/// GPUs in order, the host last.
using StepWork = std::vector<PlaceWork>;

/// Operations of one step, views aside; a norm and the product after it are one. Of architectures
/// without a known graph as many as similar ones have.
[[nodiscard]] double step_operations(const Model& model, const LlamaCppSettings& settings);

/// The work of a step of `n_tokens` tokens (decode: one per sequence; prefill: one micro-batch)
/// when each sequence has `depth` tokens in the cache. Errors: those of normalize() and
/// place_weights().
[[nodiscard]] Result<StepWork> step_work(const Model& model, const LlamaCppSettings& settings,
                                         double n_tokens, double depth);

}  // namespace meyasu
