#include "tests/validate/tables/training_words.hpp"

#include <cstdlib>
#include <string>

namespace validate {

using namespace meyasu;

unsigned lora_targets(std::string_view text) {
  const struct {
    std::string_view word;
    unsigned bits;
  } words[] = {
      {"q", kTargetQ},
      {"k", kTargetK},
      {"v", kTargetV},
      {"o", kTargetO},
      {"q_proj", kTargetQ},
      {"k_proj", kTargetK},
      {"v_proj", kTargetV},
      {"o_proj", kTargetO},
      {"gate", kTargetGate},
      {"up", kTargetUp},
      {"down", kTargetDown},
      {"gate_proj", kTargetGate},
      {"up_proj", kTargetUp},
      {"down_proj", kTargetDown},
      {"mlp", kTargetGate | kTargetUp | kTargetDown},
      {"head", kTargetHead},
      {"lm_head", 0},  // trained whole, not adapted
      {"c_attn", kTargetQ | kTargetK | kTargetV},
      {"attn.c_proj", kTargetO},
      {"w1", kTargetUp},
      {"w2", kTargetGate},
      {"all", kTargetAll},
      {"all-linear", kTargetAll},
  };
  unsigned bits = 0;
  std::string word;
  const auto end_word = [&] {
    for (const auto& known : words) {
      if (known.word == word) bits |= known.bits;
    }
    word.clear();
  };
  for (const char at : text) {
    const bool lower =
        (at >= 'a' && at <= 'z') || (at >= '0' && at <= '9') || at == '_' || at == '.' || at == '-';
    const bool upper = at >= 'A' && at <= 'Z';
    if (lower || upper) {
      word += upper ? static_cast<char>(at - 'A' + 'a') : at;
    } else {
      end_word();
    }
  }
  end_word();
  return bits;
}

double number_after(std::string_view text, std::string_view tag, double fallback) {
  const std::size_t at = text.find(tag);
  if (at == std::string_view::npos) return fallback;
  const std::string rest(text.substr(at + tag.size(), 32));
  char* end = nullptr;
  const double number = std::strtod(rest.c_str(), &end);
  return end == rest.c_str() ? fallback : number;
}

}  // namespace validate
