#include "core/catalog/search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

#include "core/catalog/ranked.hpp"

namespace meyasu {

namespace {

/// Decodes one code point and advances; 0xFFFD for bytes that are no UTF-8.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  constexpr char32_t kInvalid = 0xFFFD;
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(at);
  int extra = 0;
  char32_t value = lead;
  if (lead >= 0xF0U && lead < 0xF8U) {
    extra = 3;
    value = lead & 0x07U;
  } else if (lead >= 0xE0U && lead < 0xF0U) {
    extra = 2;
    value = lead & 0x0FU;
  } else if (lead >= 0xC0U && lead < 0xE0U) {
    extra = 1;
    value = lead & 0x1FU;
  } else if (lead >= 0x80U) {
    ++at;
    return kInvalid;
  }
  ++at;
  for (int i = 0; i < extra; ++i) {
    const unsigned follow = byte(at);
    if ((follow & 0xC0U) != 0x80U) return kInvalid;
    value = (value << 6U) | (follow & 0x3FU);
    ++at;
  }
  return value;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | (c >> 12U));
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (c >> 18U));
    out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  }
}

// Full-width katakana of U+FF66..U+FF9D, in that order.
constexpr std::u32string_view kHalfWidth =
    U"ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモ"
    U"ヤユヨラリルレロワン";
constexpr char32_t kLongVowel = U'ー';

/// The voiced (か -> が) or half-voiced (は -> ぱ) form of a katakana; 0 when there is none.
char32_t voiced(char32_t base, bool half) {
  if (half) return base >= U'ハ' && base <= U'ホ' && (base - U'ハ') % 3 == 0 ? base + 2 : 0;
  if (base == U'ウ') return U'ヴ';
  const bool row_ka_to_to = base >= U'カ' && base <= U'ト';
  const bool row_ha = base >= U'ハ' && base <= U'ホ' && (base - U'ハ') % 3 == 0;
  return row_ka_to_to || row_ha ? base + 1 : 0;
}

char32_t fold_code_point(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;  // full-width Latin
  if (c == 0x3000) return U' ';
  if (c >= U'A' && c <= U'Z') return c - U'A' + U'a';
  if (c >= 0xFF66 && c <= 0xFF9D) return kHalfWidth[c - 0xFF66];
  if (c >= 0x3041 && c <= 0x3096) return c + 0x60;  // hiragana
  return c;
}

struct Alias {
  std::string_view kana;
  std::string_view latin;
};

// How names are read in Japanese; longer readings stand before those they contain.
constexpr auto kAliases = std::to_array<Alias>({
    {"サイバーエージェント", "cyberagent"},
    {"タイニースワロー", "tinyswallow"},
    {"ステーブルエルエム", "stablelm"},
    {"ジャパニーズ", "japanese"},
    {"ディープシーク", "deepseek"},
    {"ストックマーク", "stockmark"},
    {"プリファード", "pfnet"},
    {"ミニマックス", "minimax"},
    {"キューウェン", "qwen"},
    {"クウェン", "qwen"},
    {"クエン", "qwen"},
    {"イライザ", "elyza"},
    {"エルザ", "elyza"},
    {"ミクストラル", "mixtral"},
    {"ミストラル", "mistral"},
    {"ネモトロン", "nemotron"},
    {"グラナイト", "granite"},
    {"ファルコン", "falcon"},
    {"サラシナ", "sarashina"},
    {"スワロー", "swallow"},
    {"リンナ", "rinna"},
    {"リナ", "rinna"},
    {"ネコマタ", "nekomata"},
    {"ベイクネコ", "bakeneko"},
    {"バケネコ", "bakeneko"},
    {"ヨウリ", "youri"},
    {"ヨウコ", "youko"},
    {"カーム", "calm"},
    {"プラモ", "plamo"},
    {"ジェンマ", "gemma"},
    {"ジェマ", "gemma"},
    {"コヒア", "cohere"},
    {"コマンド", "command"},
    {"マンバ", "mamba"},
    {"ジャンバ", "jamba"},
    {"ブルーム", "bloom"},
    {"オルモ", "olmo"},
    {"サカナ", "sakana"},
    {"ラクテン", "rakuten"},
    {"楽天", "rakuten"},
    {"フガク", "fugaku"},
    {"富岳", "fugaku"},
    {"東工大", "tokyotech"},
    {"松尾", "matsuo"},
    {"日本語", "japanese"},
    {"ファイ", "phi"},
    {"キミ", "kimi"},
    {"ラマ", "llama"},
    {"ジーピーティー", "gpt"},
});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "7b", "350m", "1t", "70億", "1.5兆", "3000万" as a number of parameters; 0 for other words.
double size_of_word(const std::string& word) {
  std::size_t end = 0;
  while (end < word.size() && (is_digit(word[end]) || word[end] == '.')) ++end;
  if (end == 0 || end > 12) return 0;
  const double number = std::strtod(word.substr(0, end).c_str(), nullptr);
  const std::string unit = word.substr(end);
  constexpr std::array<std::pair<std::string_view, double>, 9> kUnits = {{{"b", 1e9},
                                                                          {"m", 1e6},
                                                                          {"t", 1e12},
                                                                          {"万", 1e4},
                                                                          {"億", 1e8},
                                                                          {"兆", 1e12},
                                                                          {"万パラメタ", 1e4},
                                                                          {"億パラメタ", 1e8},
                                                                          {"兆パラメタ", 1e12}}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return number * factor;
  }
  return 0;
}

/// How model names write a size: 7e9 -> "7b", 1.5e9 -> "1.5b", 350e6 -> "350m".
std::string name_of_size(double size) {
  const double in_billions = size / 1e9;
  const bool small = size < 1e9 && std::round(size / 1e6) * 1e6 == size &&
                     std::round(in_billions * 10) / 10 * 1e9 != size;
  const double number = small ? size / 1e6 : in_billions;
  const double tenths = std::round(number * 10);
  std::string text = std::to_string(static_cast<std::int64_t>(tenths / 10));
  const auto rest = static_cast<std::int64_t>(tenths) % 10;
  if (rest != 0) text.append(".").append(std::to_string(rest));
  return text + (small ? "m" : "b");
}

}  // namespace

std::string fold_for_search(std::string_view text) {
  std::u32string folded;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const bool half_mark = c == 0xFF9F || c == 0x309A || c == 0x309C;
    const bool mark = half_mark || c == 0xFF9E || c == 0x3099 || c == 0x309B;
    if (mark && !folded.empty()) {
      if (const char32_t with_mark = voiced(folded.back(), half_mark)) folded.back() = with_mark;
      continue;
    }
    const char32_t plain = fold_code_point(c);
    if (plain != kLongVowel && plain != 0xFFFD) folded += plain;
  }
  std::string out;
  for (const char32_t c : folded) append_utf8(c, out);
  return out;
}

std::vector<std::string> words_of(const std::string& folded) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const char c = folded[i];
    const bool letter =
        is_digit(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80U;
    const bool point = c == '.' && i > 0 && i + 1 < folded.size() && is_digit(folded[i - 1]) &&
                       is_digit(folded[i + 1]);
    if (letter || point) {
      word += c;
    } else {
      finish();
    }
  }
  finish();
  return words;
}

CatalogSearch::CatalogSearch(const Catalog& catalog) {
  for (const Alias& alias : kAliases) {
    readings_.push_back({fold_for_search(alias.kana), std::string(alias.latin)});
  }
  for (const CatalogEntry& entry : catalog.entries()) {
    Document document;
    document.words = words_of(fold_for_search(entry.id));
    for (const std::string& word : document.words) document.joined += word;
    for (std::string& word : words_of(fold_for_search(entry.family))) {
      document.words.push_back(std::move(word));
    }
    document.name_length = entry.name.size();
    document.params = static_cast<double>(entry.params_total);
    documents_.push_back(std::move(document));
  }
}

// A name stays apart from letters beside it, but "ラマ3" is "llama3".
std::string CatalogSearch::replace_readings(std::string text) const {
  for (const auto& [reading, latin] : readings_) {
    for (std::size_t at = text.find(reading); at != std::string::npos;
         at = text.find(reading, at)) {
      const std::size_t after = at + reading.size();
      const bool gap_before = at > 0 && text[at - 1] != ' ';
      const bool gap_after = after < text.size() && !is_digit(text[after]) && text[after] != ' ';
      std::string name(gap_before ? " " : "");
      name.append(latin).append(gap_after ? " " : "");
      text.replace(at, reading.size(), name);
      at += name.size();
    }
  }
  return text;
}

std::vector<CatalogSearch::Word> CatalogSearch::query_words(std::string_view query) const {
  constexpr std::size_t kLongestQuery = 200;
  std::vector<Word> words;
  for (std::string& text :
       words_of(replace_readings(fold_for_search(query.substr(0, kLongestQuery))))) {
    Word word;
    word.size = size_of_word(text);
    word.text = word.size > 0 ? name_of_size(word.size) : std::move(text);
    words.push_back(std::move(word));
  }
  return words;
}

int CatalogSearch::score(const Document& document, const Word& word) {
  int best = 0;
  for (const std::string& candidate : document.words) {
    if (candidate == word.text) return 10;
    // A size is a size: "7b" must not find "27b" or "7b2".
    if (word.size > 0) continue;
    const std::size_t at = candidate.find(word.text);
    if (at == 0) best = std::max(best, 6);
    if (at != std::string::npos) best = std::max(best, 3);
  }
  if (word.size > 0) {
    // Names round and so do publishers: 6.74e9 and 7.24e9 are both "7b".
    const bool near = std::abs(document.params / word.size - 1) <= 0.06;
    return near ? 5 : 0;
  }
  if (best == 0 && document.joined.find(word.text) != std::string::npos) best = 4;
  return best;
}

std::vector<std::size_t> CatalogSearch::find(std::string_view query, std::size_t limit) const {
  const std::vector<Word> words = query_words(query);
  return ranked(std::span(documents_), std::span(words), limit, &CatalogSearch::score,
                [](const Document& document) { return document.name_length; });
}

}  // namespace meyasu
