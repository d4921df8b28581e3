#include "core/readers/shard_name.hpp"

#include <algorithm>

namespace meyasu {
namespace {

constexpr std::size_t kDigits = 5;
constexpr std::string_view kOf = "-of-";

std::string five_digits(int number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

std::optional<int> parse_five_digits(std::string_view text) {
  int number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number;
}

}  // namespace

std::string shard_name(std::string_view prefix, int number, int count, std::string_view suffix) {
  return std::string(prefix) + '-' + five_digits(number) + std::string(kOf) + five_digits(count) +
         std::string(suffix);
}

std::optional<ShardName> parse_shard_name(std::string_view file_name, std::string_view suffix) {
  const std::size_t tail_size = 1 + kDigits + kOf.size() + kDigits + suffix.size();
  if (file_name.size() <= tail_size || !file_name.ends_with(suffix)) return std::nullopt;
  const std::string_view tail = file_name.substr(file_name.size() - tail_size);
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf) return std::nullopt;
  const auto number = parse_five_digits(tail.substr(1, kDigits));
  const auto count = parse_five_digits(tail.substr(1 + kDigits + kOf.size(), kDigits));
  if (!number || !count || *number < 1 || *number > *count) return std::nullopt;
  return ShardName{std::string(file_name.substr(0, file_name.size() - tail_size)), *number, *count};
}

std::string list_of_names(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 8;
  std::string list;
  for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) {
    if (i > 0) list += ", ";
    list += names[i];
  }
  if (names.size() > kNamed) list += ", +" + std::to_string(names.size() - kNamed);
  return list;
}

}  // namespace meyasu
