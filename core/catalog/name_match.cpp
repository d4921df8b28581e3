#include "core/catalog/name_match.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/catalog/search.hpp"

namespace meyasu {
namespace {

std::vector<std::string> name_words(std::string_view name) {
  return words_of(fold_for_search(name));
}

bool has_digit(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const CatalogEntry* entry_of_file(const Catalog& catalog, std::string_view file_name) {
  constexpr std::size_t kLongestName = 512;  // the search below is quadratic in the words
  const std::vector<std::string> file = name_words(file_name.substr(0, kLongestName));
  const CatalogEntry* best = nullptr;
  std::size_t best_length = 0;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!has_digit(entry.name)) continue;
    const std::vector<std::string> words = name_words(entry.name);
    if (words.size() <= best_length) continue;
    const auto at = std::search(file.begin(), file.end(), words.begin(), words.end());
    if (at == file.end()) continue;
    best = &entry;
    best_length = words.size();
  }
  return best;
}

}  // namespace meyasu
