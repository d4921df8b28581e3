// Finding a catalog entry by what a person types: name, family, size, in Latin letters or kana.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/catalog.hpp"

namespace meyasu {

/// One spelling for all ways to write the same word: letters in lower case, full-width Latin and
/// half-width kana in their usual width, hiragana as katakana, long-vowel marks dropped.
/// Bytes that are no UTF-8 are skipped.
[[nodiscard]] std::string fold_for_search(std::string_view text);

/// Folded text cut into words: they end at anything but letters and digits, and a point between
/// digits stays ("2.5").
[[nodiscard]] std::vector<std::string> words_of(const std::string& folded);

/// An index over a catalog, which must outlive it. Built once; a search takes microseconds.
class CatalogSearch {
 public:
  explicit CatalogSearch(const Catalog& catalog);

  /// Positions in catalog.entries(), best first, at most `limit`. Every word of the query must
  /// match (in any order): in id or family, or as a size ("7b", "70億", "0.5B"). Sizes also match
  /// entries whose parameter count is within 6 %. An empty query gives the catalog's own order.
  [[nodiscard]] std::vector<std::size_t> find(std::string_view query, std::size_t limit) const;

 private:
  struct Document {
    std::vector<std::string> words;  // of id and family
    std::string joined;              // the id's words without gaps: "metallamallama3.18b"
    std::size_t name_length = 0;     // bytes of the entry's name
    double params = 0;
  };
  struct Reading {
    std::string kana;  // folded
    std::string latin;
  };
  struct Word {
    std::string text;
    double size = 0;  // parameters, when the word is a size
  };

  [[nodiscard]] std::string replace_readings(std::string text) const;
  [[nodiscard]] std::vector<Word> query_words(std::string_view query) const;
  [[nodiscard]] static int score(const Document& document, const Word& word);

  std::vector<Document> documents_;
  std::vector<Reading> readings_;
};

}  // namespace meyasu
