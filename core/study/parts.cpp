#include "core/study/parts.hpp"

#include <cmath>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/quantization/ftype.hpp"
#include "core/quantization/mix.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxRank = 4096;
constexpr std::int64_t kMaxAdapters = 64;
constexpr double kMaxMmprojMib = 1 << 20;

std::string range(std::int64_t low, std::int64_t high) {
  return std::to_string(low) + ".." + std::to_string(high);
}

Result<Model> draft_of(const PartsQuestion& question, const Catalog& catalog) {
  const CatalogEntry* entry = catalog.find(question.draft);
  if (entry == nullptr || !entry->has_shape) {
    return Error{"draft_unknown", "draft", question.draft};
  }
  const auto name = mix_from_name(question.draft_mix);
  if (!name) return Error{"mix_unknown", "draft_mix", question.draft_mix};
  auto model = model_of(*entry);
  if (!model) return model.error();
  MixOptions options = name->options;
  options.imatrix = ftype_info(name->ftype).requires_imatrix;
  const auto types = quantize_mix(model.value(), name->ftype, options);
  if (!types) return types.error();
  for (std::size_t i = 0; i < model.value().tensors.size(); ++i) {
    model.value().tensors[i].type = types.value().types[i];
  }
  return model;
}

}  // namespace

Result<LlamaCppParts> make_parts(const Model& model, const PartsQuestion& question,
                                 const Catalog& catalog) {
  LlamaCppParts parts;
  if (question.mmproj_mib < 0 || question.mmproj_mib > kMaxMmprojMib) {
    return Error{"not_positive", "mmproj_mib", {}};
  }
  if (question.mmproj_mib > 0) {
    const auto bytes =
        static_cast<Bytes>(std::llround(question.mmproj_mib * static_cast<double>(kMiB)));
    parts.mmproj = std::make_shared<const Model>(mmproj_of_bytes(bytes));
    parts.mmproj_on_gpu = question.mmproj_on_gpu;
  }
  if (question.lora_rank < 0 || question.lora_rank > kMaxRank) {
    return Error{"value_range", "lora_rank", range(0, kMaxRank)};
  }
  if (question.n_lora < 1 || question.n_lora > kMaxAdapters) {
    return Error{"value_range", "n_lora", range(1, kMaxAdapters)};
  }
  if (question.lora_rank > 0) {
    const auto adapter = std::make_shared<const Model>(
        lora_of_rank(model, question.lora_rank, question.lora_targets));
    parts.adapters.assign(static_cast<std::size_t>(question.n_lora), adapter);
  }
  if (!question.draft.empty()) {
    auto draft = draft_of(question, catalog);
    if (!draft) return draft.error();
    parts.draft = std::make_shared<const Model>(std::move(draft.value()));
  }
  return parts;
}

std::vector<const CatalogEntry*> draft_candidates(const Model& model, const Catalog& catalog) {
  constexpr std::int64_t kVocabDifference = 128;  // SPEC_VOCAB_MAX_SIZE_DIFFERENCE
  constexpr std::int64_t kTimesSmaller = 3;
  std::vector<const CatalogEntry*> found;
  for (const CatalogEntry& entry : catalog.entries()) {
    if (!entry.has_shape || entry.params_total * kTimesSmaller > model.n_params()) continue;
    const Architecture architecture = architecture_of(entry);
    if (std::llabs(architecture.n_vocab - model.n_vocab) > kVocabDifference) continue;
    found.push_back(&entry);
  }
  sort_items(found, [](const CatalogEntry* a, const CatalogEntry* b) {
    return a->params_total > b->params_total;
  });
  return found;
}

}  // namespace meyasu
