// The order of search results, shared by the catalogs of models and of hardware.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/units/sort.hpp"

namespace meyasu {

/// Indices of the documents that match every word, best sum of scores first, at most `limit`.
/// `score(document, word)` is 0 where a word does not match; among equals the shorter
/// `length(document)` comes first (the base model before its variants, "RTX 4090" before "RTX 4090
/// Laptop"), then the order of the catalog. Without words: all, in the order of the catalog.
template <class Document, class Word, class Score, class Length>
[[nodiscard]] std::vector<std::size_t> ranked(std::span<const Document> documents,
                                              std::span<const Word> words, std::size_t limit,
                                              Score score, Length length) {
  struct Hit {
    int score;
    std::size_t length;
    std::size_t index;
  };
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    int total = 0;
    bool all = true;
    for (const Word& word : words) {
      const int one = score(documents[i], word);
      all = all && one > 0;
      total += one;
    }
    if (all) hits.push_back({total, words.empty() ? 0 : length(documents[i]), i});
  }
  sort_items(hits, [](const Hit& a, const Hit& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.length != b.length) return a.length < b.length;
    return a.index < b.index;
  });
  std::vector<std::size_t> found;
  for (const Hit& hit : hits) {
    if (found.size() == limit) break;
    found.push_back(hit.index);
  }
  return found;
}

}  // namespace meyasu
