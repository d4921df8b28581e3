// Putting numbers and names into text.
#pragma once

#include <string>
#include <string_view>

namespace validate {

/// printf into a string, at most 511 characters.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// `text` as a JSON string, with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace validate
