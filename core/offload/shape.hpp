// What the planner needs of a model: the sizes of an average block.
#pragma once

#include <vector>

#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Sizes of one block, averaged over all blocks (hybrids and mixtures have unlike ones). Elements,
/// not bytes: the planner computes in 16 bit unless it compresses.
/// Source: FlexGen (arXiv 2303.06865) section 4.2 for OPT; other models put in their real matrices,
/// `n_head_kv * head_dim` in place of the width, and the experts that one token passes.
struct OffloadShape {
  int n_layer = 0;
  double n_embd = 0;
  double n_ff = 0;  // width that one token passes; experts: those used
  double n_head = 0;
  double matrix_elements = 0;         // all matrices of a block
  double active_matrix_elements = 0;  // those that one token passes
  double kv_elements = 0;             // cache of one token in one block
  double attention_width = 0;         // (head_dim_k + head_dim_v) / 2 * n_head
  /// Matrices of the attention and of the feed-forward group of a block, in the order in which
  /// they are placed; biases and norms are left out.
  std::vector<double> attention_matrices;
  std::vector<double> feed_forward_matrices;
  /// Outside the blocks: token table, positions, head (once where tied), in elements.
  double outer_elements = 0;
  double embedding_elements = 0;
  double position_elements = 0;
  bool tied_embeddings = false;
  bool projected_embeddings = false;  // the token table is narrower than the blocks
  bool post_norm = false;             // blocks normalise behind their sums; no norm at the end
};

/// Error (code, field): shape_unknown model, for a model without layers or tensors.
[[nodiscard]] Result<OffloadShape> offload_shape(const Model& model);

}  // namespace meyasu
