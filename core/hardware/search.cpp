#include "core/hardware/search.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <utility>

#include "core/catalog/ranked.hpp"
#include "core/catalog/search.hpp"

namespace meyasu {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kKana = {{
    {"ジーフォース", "geforce"},
    {"エヌビディア", "nvidia"},
    {"ラデオン", "radeon"},
    {"ライゼン", "ryzen"},
    {"インテル", "intel"},
    {"アップル", "apple"},
    {"マック", "apple"},
    {"クアドロ", "quadro"},
    {"テスラ", "tesla"},
    {"ジェットソン", "jetson"},
}};

std::string replace_readings(std::string text) {
  for (const auto& [kana, latin] : kKana) {
    const std::string reading = fold_for_search(kana);
    const std::size_t at = text.find(reading);
    if (at == std::string::npos) continue;
    std::string replaced = text.substr(0, at);
    replaced += ' ';
    replaced += latin;
    replaced += ' ';
    replaced += text.substr(at + reading.size());
    text = std::move(replaced);
  }
  return text;
}

/// "24gb" and "24gib" as 24; 0 for other words.
int size_of_word(const std::string& word) {
  std::size_t end = 0;
  while (end < word.size() && word[end] >= '0' && word[end] <= '9') ++end;
  const std::string unit = word.substr(end);
  const bool is_size = end > 0 && end < 5 && (unit == "gb" || unit == "gib");
  return is_size ? std::atoi(word.substr(0, end).c_str()) : 0;
}

/// "2", "2x", "x2", "×2", "2枚", "2台" as 2; 0 for other words. A bare number needs a sign beside
/// it.
int count_of_word(const std::string& word, bool bare) {
  constexpr std::array<std::string_view, 4> kSigns = {"x", "×", "枚", "台"};
  std::string digits = word;
  bool has_sign = bare;
  for (const std::string_view sign : kSigns) {
    if (digits.size() <= sign.size()) continue;
    if (digits.starts_with(sign)) {
      digits.erase(0, sign.size());
    } else if (digits.ends_with(sign)) {
      digits.resize(digits.size() - sign.size());
    } else {
      continue;
    }
    has_sign = true;
    break;
  }
  constexpr int kMost = 16;
  const bool is_number =
      has_sign && digits.size() <= 2 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int count = is_number ? std::atoi(digits.c_str()) : 0;
  return count <= kMost ? count : 0;
}

bool is_sign(const std::string& word) {
  return word == "x" || word == "×" || word == "枚" || word == "台";
}

bool has_word(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

DeviceQuery read_device_query(std::string_view query) {
  constexpr std::size_t kLongestQuery = 200;
  DeviceQuery result;
  const std::vector<std::string> words = words_of(fold_for_search(query.substr(0, kLongestQuery)));
  bool counted = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool sign_after = i + 1 < words.size() && is_sign(words[i + 1]);
    const bool sign_before = i > 0 && is_sign(words[i - 1]);
    const int count = counted ? 0 : count_of_word(words[i], sign_after || sign_before);
    if (count > 0) {
      result.count = count;
      counted = true;
    } else if (!is_sign(words[i])) {
      if (!result.text.empty()) result.text += ' ';
      result.text += words[i];
    }
  }
  return result;
}

DeviceSearch::DeviceSearch(const DeviceCatalog& catalog) {
  for (const Device& device : catalog.devices()) {
    Document document;
    // PCIe, RAM and disks have no maker worth typing.
    document.has_vendor = device.vendor != "generic";
    if (document.has_vendor) document.words = words_of(fold_for_search(device.vendor));
    for (std::string& word : words_of(fold_for_search(device.name))) {
      document.words.push_back(std::move(word));
    }
    // Drivers leave out the size and what stands in brackets.
    document.driver_words = words_of(
        fold_for_search(device.vendor + " " + device.name.substr(0, device.name.find('('))));
    std::erase_if(document.driver_words,
                  [](const std::string& word) { return size_of_word(word) > 0; });
    for (const std::string& word : document.words) {
      document.joined += word;
      if (size_of_word(word) == 0) document.length += word.size();
    }
    document.sizes_gib = device.memory_options_gib;
    document.sizes_gib.push_back(static_cast<int>(device.memory / kGiB));
    documents_.push_back(std::move(document));
  }
}

int DeviceSearch::score(const Document& document, const std::string& word) {
  int best = 0;
  for (const std::string& candidate : document.words) {
    if (candidate == word) return 10;
    const std::size_t at = candidate.find(word);
    if (at == 0) best = std::max(best, 6);
    if (at != std::string::npos) best = std::max(best, 3);
  }
  if (const int size = size_of_word(word); size > 0) {
    const auto& sizes = document.sizes_gib;
    return std::find(sizes.begin(), sizes.end(), size) != sizes.end() ? 8 : 0;
  }
  if (best == 0 && document.joined.find(word) != std::string::npos) best = 4;
  return best;
}

std::vector<std::size_t> DeviceSearch::find(std::string_view query, std::size_t limit) const {
  const std::vector<std::string> words = words_of(replace_readings(read_device_query(query).text));
  return ranked(
      std::span(documents_), std::span(words), limit, &DeviceSearch::score,
      [](const Document& document) { return document.length * 1000 + document.joined.size(); });
}

std::vector<std::size_t> DeviceSearch::named_in(std::string_view text) const {
  constexpr std::size_t kLongestText = 500;
  const std::vector<std::string> said = words_of(fold_for_search(text.substr(0, kLongestText)));
  std::vector<std::size_t> found;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    std::size_t length = 0;
    bool all = documents_[i].has_vendor;
    for (const std::string& word : documents_[i].driver_words) {
      all = all && has_word(said, word);
      length += word.size();
    }
    if (!all || length < longest) continue;
    if (length > longest) found.clear();
    longest = length;
    found.push_back(i);
  }
  return found;
}

}  // namespace meyasu
