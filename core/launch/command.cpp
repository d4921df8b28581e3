#include <algorithm>

#include "core/launch/launch.hpp"

namespace meyasu {

void Command::flag(std::string_view name) {
  lines.push_back(words.size());
  words.emplace_back(name);
}

void Command::flag(std::string_view name, std::string value) {
  flag(name);
  words.push_back(std::move(value));
}

std::string Command::text(Shell shell) const {
  const std::string_view next_line = shell == Shell::posix ? " \\\n  " : " `\n  ";
  std::string result;
  for (const auto& [name, value] : environment) {
    result += shell == Shell::posix ? name + "=" + quoted(value, shell) + " "
                                    : "$env:" + name + "=" + quoted(value, shell) + "\n";
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool begins = std::find(lines.begin(), lines.end(), i) != lines.end();
    if (i > 0) result += begins ? next_line : std::string_view(" ");
    result += quoted(words[i], shell);
  }
  return result;
}

}  // namespace meyasu
