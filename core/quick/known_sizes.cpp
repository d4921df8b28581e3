#include "core/quick/known_sizes.hpp"

#include <array>

namespace meyasu {
namespace {

constexpr std::array kKnownSizes{
    // NxM: the experts share attention and embeddings, so the total is less than N x M.
    // mistralai/Mixtral-8x7B-v0.1 and models continued from it with its vocabulary.
    KnownSize{"mixtral-8x7b", 46.702792704, 12.879925248},
    KnownSize{"swallow-mx-8x7b", 46.702792704, 12.879925248},
    KnownSize{"karakuri-lm-8x7b", 46.702792704, 12.879925248},
    // mistralai/Mixtral-8x22B-v0.1; microsoft/WizardLM-2-8x22B was tuned from it.
    KnownSize{"mixtral-8x22b", 140.620634112, 39.152},
    KnownSize{"wizardlm-2-8x22b", 140.620634112, 39.152},
    // The name gives the active parameters.
    KnownSize{"llama-4-scout-17b", 108.641793536, 17},
    KnownSize{"llama-4-maverick-17b", 401.583781376, 17},
    KnownSize{"qwen1-5-moe-a2-7b", 14.315784192, 2.689},
    KnownSize{"hunyuan-a13b", 80.393183232, 13},
    KnownSize{"olmoe-1b-7b", 6.919161856, 1.28},
    // Effective sizes: per-layer embeddings are stored besides (total as published; medium trust).
    KnownSize{"gemma-3n-e2b", 5.44},
    KnownSize{"gemma-3n-e4b", 7.85},
    KnownSize{"gemma-4-e2b", 5.123178051},
    KnownSize{"gemma-4-e4b", 7.99615649},
    // Rounded by more than 2 %.
    KnownSize{"gpt-oss-20b", 20.914757184, 3.607, true},
    KnownSize{"gpt-oss-120b", 116.829156672, 5.127, true},
};

}  // namespace

const KnownSize* find_known_size(std::string_view joined_tokens) {
  for (const KnownSize& known : kKnownSizes) {
    for (std::size_t at = joined_tokens.find(known.key); at != std::string_view::npos;
         at = joined_tokens.find(known.key, at + 1)) {
      const std::size_t end = at + known.key.size();
      const bool starts = at == 0 || joined_tokens[at - 1] == '-';
      const bool ends = end == joined_tokens.size() || joined_tokens[end] == '-';
      if (starts && ends) return &known;
    }
  }
  return nullptr;
}

}  // namespace meyasu
