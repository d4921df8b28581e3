// What llama.cpp's tensor names say (src/llama-arch.cpp, LLM_TENSOR_NAMES): block and purpose.
#pragma once

#include <optional>
#include <string_view>

#include "core/model/tensor.hpp"

namespace meyasu {

/// "blk.12.attn_q.weight" -> 12; nothing for tensors outside the blocks.
[[nodiscard]] std::optional<int> block_of_tensor(std::string_view name);

/// Purpose by name alone; unknown names are TensorRole::other. A name cannot tell that a whole
/// block belongs to multi-token prediction, or that a linear-attention layer owns an attn_gate.
[[nodiscard]] TensorRole role_of_tensor(std::string_view name);

}  // namespace meyasu
