// Words of a command line, safe for whatever a file is called.
#pragma once

#include <string>
#include <string_view>

namespace meyasu {

enum class Shell { posix, powershell };

/// `word` so that the shell hands it to the program as it is, whatever it contains (POSIX.1-2017,
/// 2.2 Quoting; PowerShell about_Quoting_Rules). Words of harmless characters stay bare.
[[nodiscard]] std::string quoted(std::string_view word, Shell shell);

/// A Python string literal (ASCII escapes; UTF-8 stays).
[[nodiscard]] std::string python_literal(std::string_view text);

}  // namespace meyasu
