// Words that the tables of training share.
#pragma once

#include <string_view>

#include "core/training/settings.hpp"

namespace validate {

/// "q+k+v+o+gate+up+down", "q,v", "all linear", "q+k+v+o+mlp+head", module names of Hugging Face
/// and of Qwen: as bits. 0: none named.
[[nodiscard]] unsigned lora_targets(std::string_view text);

/// The number after `tag` ("r=32", "rank32"), or `fallback`.
[[nodiscard]] double number_after(std::string_view text, std::string_view tag, double fallback);

}  // namespace validate
