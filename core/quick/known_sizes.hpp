// Models whose name states a size that is not the number of stored parameters.
#pragma once

#include <string_view>

namespace meyasu {

/// Sizes in billions: parameters of the safetensors files on Hugging Face.
struct KnownSize {
  std::string_view key;  // part of the name: lower-case tokens joined by '-'
  double total_billions = 0;
  double active_billions = 0;  // 0: all of them
  /// The name gives the total, only rounded: 120b for 116.8. The form keeps the name's figure.
  bool name_is_rounded = false;
};

/// The entry whose key is part of `joined_tokens` at token borders, or null.
[[nodiscard]] const KnownSize* find_known_size(std::string_view joined_tokens);

}  // namespace meyasu
