// Conformance vectors: inputs and term-by-term outputs as JSON, for other projects to test against.
// README.md here describes the format.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace meyasu::vectors {

/// Names of the files, without ".json".
inline constexpr std::array<std::string_view, 3> kFiles = {"weights", "llama_cpp", "serving"};

/// The text of one of them; empty for another name.
[[nodiscard]] std::string text_of(std::string_view file);

}  // namespace meyasu::vectors
