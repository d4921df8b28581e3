#include "core/quick/name_findings.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "core/quick/name_tokens.hpp"
#include "core/quick/text.hpp"

namespace meyasu {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_ascii_digit);
}

bool ends_in_digit(std::string_view text) {
  return !text.empty() && is_ascii_digit(text.back());
}

std::string_view leading_digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_ascii_digit(text[n])) ++n;
  return text.substr(0, n);
}

/// A number with what follows it in the same token: "1" "." "5b" is 1.5 with suffix "b".
struct Amount {
  double value = 0;
  bool whole = true;
  std::string_view suffix;
  std::size_t tokens = 1;
  SizeDoubt doubt = SizeDoubt::none;
};

constexpr std::size_t kMaxDigits = 9;

/// digits.fraction without a locale's decimal point.
double to_double(std::string_view digits, std::string_view fraction) {
  const std::string text =
      std::string(digits) + std::string(fraction) + "e-" + std::to_string(fraction.size());
  return std::strtod(text.c_str(), nullptr);
}

std::int64_t to_integer(std::string_view digits) {
  return std::strtoll(std::string(digits).c_str(), nullptr, 10);
}

/// "4k" is 4096 tokens; "262k" and "1048k" are powers of two written in thousands.
std::int64_t context_tokens(std::int64_t thousands) {
  for (std::int64_t power = 1024; power / 1000 <= thousands; power *= 2) {
    if (power / 1000 == thousands && thousands >= 131) return power;
  }
  return thousands * 1024;
}

/// Walks the tokens; at each one the readers are asked in a fixed order and the first that
/// recognises something takes its tokens.
class Finder {
 public:
  explicit Finder(std::string_view name) : tokens_(name_tokens(name)) {}

  std::vector<Finding> run() {
    // Quantization before sizes: "8bit" also begins like "8b". Experts and prefixed sizes before
    // plain ones. Letters glued to a number last.
    constexpr std::array kReaders{
        &Finder::read_shard,   &Finder::read_quant, &Finder::read_method,   &Finder::read_bits,
        &Finder::read_group,   &Finder::read_times, &Finder::read_prefixed, &Finder::read_experts,
        &Finder::read_context, &Finder::read_size,  &Finder::read_glued,    &Finder::read_word,
    };
    while (at_ < tokens_.size()) {
      std::size_t taken = 0;
      for (const auto reader : kReaders) {
        taken = (this->*reader)();
        if (taken > 0) break;
      }
      at_ += std::max<std::size_t>(taken, 1);
    }
    return std::move(found_);
  }

 private:
  // Readers return the number of tokens they take at at_, 0 for none.

  std::size_t read_shard() {
    // 00001-of-00002
    if (all_digits(token()) && token(1) == "of" && all_digits(token(2))) {
      return add_shard(token(), token(2), 3);
    }
    // part1of2, 1of2
    std::string_view text = token();
    if (text.starts_with("part")) text.remove_prefix(4);
    const std::string_view index = leading_digits(text);
    text.remove_prefix(index.size());
    if (index.empty() || !text.starts_with("of")) return 0;
    text.remove_prefix(2);
    return all_digits(text) ? add_shard(index, text, 1) : 0;
  }

  std::size_t add_shard(std::string_view index, std::string_view count, std::size_t taken) {
    if (index.size() > kMaxDigits || count.size() > kMaxDigits) return 0;
    Finding finding = make(FindingKind::shard, taken);
    finding.count = to_integer(index);
    finding.total = to_integer(count);
    if (finding.count < 1 || finding.count > finding.total) return 0;
    found_.push_back(finding);
    return taken;
  }

  std::size_t read_quant() {
    // UD- (Unsloth's dynamic mixes) and i1- (weighted by an importance matrix) belong to the label.
    const bool prefixed = (token() == "ud" || token() == "i1") && !token(1).empty();
    const std::size_t first = prefixed ? 1 : 0;
    for (std::size_t n = std::min(kMaxQuantTokens, tokens_.size() - at_ - first); n > 0; --n) {
      std::string key;
      for (std::size_t i = first; i < first + n; ++i) {
        if (i > first) key += '_';
        key += token(i);
      }
      const auto label = quant_label_from_key(key);
      if (!label || (prefixed && label->form_precision)) continue;
      Finding finding = make(FindingKind::quant, first + n);
      finding.label = *label;
      finding.text = std::string(label->label);
      if (prefixed) finding.text.insert(0, token() == "ud" ? "UD-" : "i1-");
      if (token() == "ud") finding.label.bits = 0;  // its own mix, different for each model
      found_.push_back(finding);
      return first + n;
    }
    return 0;
  }

  std::size_t read_method() {
    const auto method = quant_method_from_key(token());
    if (!method) return 0;
    Finding finding = make(FindingKind::method, 1);
    finding.text = std::string(method->label);
    finding.label.nominal_bits = method->usual_bits;
    found_.push_back(finding);
    return 1;
  }

  std::size_t read_bits() {
    const auto amount = amount_at(0);
    if (!amount || amount->suffix != "bpw" || amount->value < 0.5 || amount->value > 32) return 0;
    Finding finding = make(FindingKind::bits, amount->tokens);
    finding.amount = amount->value;
    found_.push_back(finding);
    return amount->tokens;
  }

  std::size_t read_group() {
    constexpr std::array<std::string_view, 5> kSizes{"32", "64", "128", "256", "1024"};
    std::string_view text = token();
    if (text.ends_with('g')) {
      text.remove_suffix(1);
    } else if (text.starts_with("gs")) {
      text.remove_prefix(2);
    } else if (text.starts_with('g')) {
      text.remove_prefix(1);
    } else {
      return 0;
    }
    if (!is_one_of(text, kSizes)) return 0;
    Finding finding = make(FindingKind::group, 1);
    finding.count = to_integer(text);
    found_.push_back(finding);
    return 1;
  }

  std::size_t read_times() {
    const std::string_view experts = leading_digits(token());
    if (experts.empty() || experts.size() > 3 || !token().substr(experts.size()).starts_with('x')) {
      return 0;
    }
    const auto amount = amount_at(experts.size() + 1);
    if (!amount || !is_billions(amount->suffix) || amount->value <= 0) return 0;
    Finding finding = make(FindingKind::times, amount->tokens);
    finding.count = to_integer(experts);
    finding.amount = amount->value;
    if (finding.count < 2) return 0;
    found_.push_back(finding);
    return amount->tokens;
  }

  std::size_t read_prefixed() {
    const bool active = token().starts_with('a');
    if (!active && !token().starts_with('e')) return 0;
    const auto amount = amount_at(1);
    if (!amount || amount->value <= 0) return 0;
    const bool millions = amount->suffix == "m";
    if (!is_billions(amount->suffix) && !millions) return 0;
    Finding finding = make(active ? FindingKind::active : FindingKind::effective, amount->tokens);
    finding.amount = millions ? amount->value / 1000 : amount->value;
    found_.push_back(finding);
    return amount->tokens;
  }

  std::size_t read_experts() {
    const bool after_size = !found_.empty() && found_.back().kind == FindingKind::size && at_ > 0 &&
                            found_.back().end == tokens_[at_ - 1].end;
    const auto amount = amount_at(0);
    if (!after_size || !amount || amount->suffix != "e" || amount->tokens != 1) return 0;
    Finding finding = make(FindingKind::experts, 1);
    finding.count = static_cast<std::int64_t>(amount->value);
    found_.push_back(finding);
    return 1;
  }

  std::size_t read_context() {
    constexpr std::array<std::string_view, 7> kSteps{"step",      "steps", "ckpt",   "checkpoint",
                                                     "iteration", "iter",  "samples"};
    const auto amount = amount_at(0);
    if (!amount || amount->suffix != "k" || !amount->whole) return 0;
    if (is_one_of(token(1), kSteps) || (at_ > 0 && is_one_of(tokens_[at_ - 1].text, kSteps))) {
      return amount->tokens;
    }
    if (amount->value < 1 || amount->value > 20000) return 0;
    Finding finding = make(FindingKind::context, amount->tokens);
    finding.count = context_tokens(static_cast<std::int64_t>(amount->value));
    found_.push_back(finding);
    return amount->tokens;
  }

  std::size_t read_size() {
    auto amount = amount_at(0);
    if (!amount || amount->value <= 0) return 0;
    // "7 B", "7 billion"
    if (amount->suffix.empty() &&
        (token(1) == "billion" || (token(1) == "b" && before(1) == ' '))) {
      amount->suffix = "b";
      amount->tokens = 2;
    }
    if (token(amount->tokens) == "tokens" || token(amount->tokens) == "token") {
      return amount->tokens;
    }
    Finding finding = make(FindingKind::size, amount->tokens);
    finding.amount = amount->value;
    finding.doubt = amount->doubt;
    if (is_billions(amount->suffix)) {
      finding.unit = 'b';
    } else if (const auto tenths = tenths_after_b(amount->suffix); tenths && amount->whole) {
      finding.unit = 'b';
      finding.amount = to_double(leading_digits(token()), std::string_view(&*tenths, 1));
    } else if (amount->suffix == "t") {
      finding.unit = 't';
      finding.amount *= 1000;
    } else if (amount->suffix == "m") {
      finding.kind = FindingKind::millions;
    } else {
      return 0;
    }
    if (finding.amount > kMaxNamedBillions) return 0;
    if (finding.doubt == SizeDoubt::none && follows_version_dot()) {
      finding.doubt = SizeDoubt::joined;
    }
    found_.push_back(finding);
    return amount->tokens;
  }

  /// "llama13b": letters, then a size. Single letters are versions and kinds (v3b, q4b).
  std::size_t read_glued() {
    std::size_t letters = 0;
    while (letters < token().size() && is_ascii_letter(token()[letters])) ++letters;
    constexpr std::string_view kNoSizeAfter = "fgkqvwx";
    if (letters == 0 || (letters == 1 && kNoSizeAfter.find(token()[0]) != std::string_view::npos)) {
      return 0;
    }
    const auto amount = amount_at(letters);
    if (!amount || amount->suffix != "b" || amount->tokens != 1 || amount->value <= 0) return 0;
    Finding finding = make(FindingKind::size, 1);
    finding.begin += letters;
    finding.amount = amount->value;
    finding.unit = 'b';
    finding.doubt = SizeDoubt::joined;
    found_.push_back(finding);
    return 1;
  }

  std::size_t read_word() {
    constexpr std::array<std::string_view, 6> kVariants{"instruct", "chat",     "it",
                                                        "base",     "thinking", "reasoning"};
    constexpr std::array<std::string_view, 4> kParts{"mmproj", "lora", "adapter", "adapters"};
    if (is_one_of(token(), kVariants)) {
      found_.push_back(make(FindingKind::variant, 1));
      found_.back().text = std::string(token());
      return 1;
    }
    if (is_one_of(token(), kParts)) {
      found_.push_back(make(FindingKind::not_model, 1));
      return 1;
    }
    return 0;
  }

  // Helpers.

  static constexpr double kMaxNamedBillions = 1e6;

  [[nodiscard]] std::string_view token(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() ? std::string_view(tokens_[at_ + ahead].text) : "";
  }
  [[nodiscard]] char before(std::size_t ahead) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead].before : '\0';
  }

  [[nodiscard]] Finding make(FindingKind kind, std::size_t tokens) const {
    Finding finding;
    finding.kind = kind;
    finding.begin = tokens_[at_].begin;
    finding.end = tokens_[at_ + tokens - 1].end;
    return finding;
  }

  /// "b", or with a version glued behind: "7Bv0.1".
  static bool is_billions(std::string_view suffix) {
    if (suffix == "b" || suffix == "bn" || suffix == "billion") return true;
    return suffix.starts_with("bv") && all_digits(suffix.substr(2));
  }

  /// "7b1" is 7.1 billion: the digit behind the b.
  static std::optional<char> tenths_after_b(std::string_view suffix) {
    if (suffix.size() != 2 || suffix[0] != 'b' || !is_ascii_digit(suffix[1])) return std::nullopt;
    return suffix[1];
  }

  /// The token follows "." after a digit: "Qwen2.5B" may be 2.5 or, after a version, 5.
  [[nodiscard]] bool follows_version_dot() const {
    return at_ > 0 && tokens_[at_].before == '.' && ends_in_digit(tokens_[at_ - 1].text);
  }

  /// The number that starts at `offset` in the current token, and its suffix.
  [[nodiscard]] std::optional<Amount> amount_at(std::size_t offset) const {
    const std::string_view text = token().substr(std::min(offset, token().size()));
    const std::string_view digits = leading_digits(text);
    if (digits.empty() || digits.size() > kMaxDigits) return std::nullopt;
    Amount amount;
    amount.suffix = text.substr(digits.size());
    amount.value = to_double(digits, "");
    if (!amount.suffix.empty() || (offset == 0 && follows_version_dot())) return amount;

    // A fraction in the next token. In "Llama_3_8B" and "3.2_1B" the underscore only separates.
    const std::string_view fraction = leading_digits(token(1));
    const bool underscore = before(1) == '_' && before(0) != '_' && before(0) != '.';
    if ((before(1) != '.' && !underscore) || fraction.empty() || fraction.size() > kMaxDigits ||
        fraction.size() == token(1).size()) {
      return amount;
    }
    amount.suffix = token(1).substr(fraction.size());
    amount.value = to_double(digits, fraction);
    amount.whole = false;
    amount.tokens = 2;
    if (underscore) amount.doubt = SizeDoubt::underscore;
    return amount;
  }

  std::vector<NameToken> tokens_;
  std::vector<Finding> found_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Finding> find_in_name(std::string_view name) {
  return Finder(name).run();
}

}  // namespace meyasu
