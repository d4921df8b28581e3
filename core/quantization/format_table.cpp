#include "core/quantization/format_table.hpp"

#include <array>

#include "core/units/sort.hpp"

namespace meyasu {
namespace {

constexpr std::string_view kLlamaQuantize =
    "llama.cpp tools/quantize/quantize.cpp: perplexity increase on Wikitext-2";
constexpr std::string_view kArtefact2 =
    "Artefact2, GGUF quantizations overview (2024-02-26): wiki.test, with imatrix";
constexpr std::string_view kBf16OrDeath = "Give Me BF16 or Give Me Death? (arXiv 2411.02355)";
constexpr std::string_view kExl3Card = "turboderp/MiniMax-M2-exl3, model card";
constexpr std::string_view kByBits = "class of its bits; no table of its own was found";
constexpr std::string_view kMixRules = "llama.cpp v0.5.0, src/llama-quant.cpp";

constexpr Quality by_ppl(QualityLevel level, double delta) {
  return {level, QualityMeasure::ppl_delta, delta, "Llama-3-8B", kLlamaQuantize};
}
constexpr Quality by_ratio(QualityLevel level, double ln_ratio) {
  return {level, QualityMeasure::ln_ppl_ratio, ln_ratio, "Mistral-7B", kArtefact2};
}
constexpr Quality by_class(QualityLevel level, std::string_view source = kByBits) {
  return {level, QualityMeasure::none, 0, {}, source};
}
constexpr Quality by_exl3(QualityLevel level, double delta) {
  return {level, QualityMeasure::ppl_delta, delta, "MiniMax-M2", kExl3Card};
}

bool is_gpt_oss(std::string_view architecture) {
  return architecture == "gpt-oss";
}

/// Mixes that make sense for this model. MXFP4_MOE of a dense model is Q8_0 by another name; the
/// float mixes are the rows FP32, FP16 and BF16 of the other family.
bool has_gguf_row(const FtypeInfo& info, bool has_experts) {
  if (info.ftype == Ftype::MXFP4_MOE) return has_experts;
  return block_layout(info.default_type).block > 1;
}

bool has_server_row(const WeightFormat& format, bool has_experts) {
  return format.method != FormatMethod::mxfp4_experts || has_experts;
}

/// Mixes that need an imatrix exist only with one; the others are made without unless said.
MixOptions table_options(const FtypeInfo& info) {
  MixOptions options;
  options.imatrix = info.requires_imatrix;
  return options;
}

std::string_view recommendation_of(Ftype ftype, std::string_view architecture) {
  if (is_gpt_oss(architecture)) return ftype == Ftype::MXFP4_MOE ? "recommend_native" : "";
  if (ftype == Ftype::Q4_K_M) return "recommend_gguf";
  return ftype == Ftype::Q8_0 ? "recommend_gguf_large" : "";
}

std::string_view recommendation_of(const WeightFormat& format, std::string_view architecture) {
  switch (format.method) {
    case FormatMethod::mxfp4_experts:
      return is_gpt_oss(architecture) ? "recommend_native" : "";
    case FormatMethod::fp8_channel:
      return "recommend_server_8bit";
    case FormatMethod::awq:
      return "recommend_server_4bit";
    case FormatMethod::bnb_nf4:
      return format.double_quant ? "recommend_qlora" : "";
    case FormatMethod::exl3:
      return format.bits == 4 ? "recommend_exllama" : "";
    case FormatMethod::mlx:
      return format.bits == 4 ? "recommend_mlx" : "";
    default:
      return "";
  }
}

bool has_gguf_names(const Model& model) {
  return model.find_tensor("token_embd.weight") != nullptr;
}

}  // namespace

std::string_view quality_message(QualityLevel level) {
  switch (level) {
    case QualityLevel::none:
      return "quality_none";
    case QualityLevel::tiny:
      return "quality_tiny";
    case QualityLevel::small:
      return "quality_small";
    case QualityLevel::visible:
      return "quality_visible";
    case QualityLevel::large:
      return "quality_large";
    case QualityLevel::native:
      return "quality_native";
    case QualityLevel::trained_only:
      return "quality_trained_only";
    case QualityLevel::unmeasured:
      return "quality_unmeasured";
  }
  return "quality_unmeasured";
}

Quality quality_of(Ftype ftype, std::string_view architecture) {
  switch (ftype) {
    case Ftype::F32:
    case Ftype::F16:
    case Ftype::BF16:
      return by_class(QualityLevel::none, "reference precision");
    case Ftype::Q8_0:
      return by_ppl(QualityLevel::tiny, 0.0026);
    case Ftype::Q6_K:
      return by_ppl(QualityLevel::tiny, 0.0217);
    case Ftype::Q5_K_M:
      return by_ppl(QualityLevel::tiny, 0.0569);
    case Ftype::Q5_K_S:
      return by_ppl(QualityLevel::small, 0.1049);
    case Ftype::Q5_1:
      return by_ppl(QualityLevel::small, 0.1062);
    case Ftype::Q5_0:
      return by_ppl(QualityLevel::small, 0.1316);
    case Ftype::Q4_K_M:
      return by_ppl(QualityLevel::small, 0.1754);
    case Ftype::Q4_K_S:
      return by_ppl(QualityLevel::small, 0.2689);
    case Ftype::Q4_1:
      return by_ppl(QualityLevel::visible, 0.4511);
    case Ftype::Q4_0:
      return by_ppl(QualityLevel::visible, 0.4685);
    case Ftype::Q3_K_L:
      return by_ppl(QualityLevel::visible, 0.5562);
    case Ftype::Q3_K_M:
      return by_ppl(QualityLevel::visible, 0.6569);
    case Ftype::Q3_K_S:
      return by_ppl(QualityLevel::large, 1.6321);
    case Ftype::Q2_K_S:
      return by_ppl(QualityLevel::large, 3.1836);
    case Ftype::Q2_K:
      return by_ppl(QualityLevel::large, 3.5199);
    case Ftype::IQ3_XXS:
      return by_ratio(QualityLevel::visible, 0.0589);
    case Ftype::IQ2_M:
      return by_ratio(QualityLevel::large, 0.1223);
    case Ftype::IQ2_S:
      return by_ratio(QualityLevel::large, 0.1722);
    case Ftype::IQ2_XS:
      return by_ratio(QualityLevel::large, 0.2046);
    case Ftype::IQ2_XXS:
      return by_ratio(QualityLevel::large, 0.2988);
    case Ftype::IQ1_S:
      return by_ratio(QualityLevel::large, 0.9235);
    case Ftype::IQ1_M:
      return by_class(QualityLevel::large);
    case Ftype::IQ3_XS:
    case Ftype::IQ3_S:
    case Ftype::IQ3_M:
      return by_class(QualityLevel::visible);
    case Ftype::IQ4_XS:
    case Ftype::IQ4_NL:
      return by_class(QualityLevel::small);
    case Ftype::TQ1_0:
    case Ftype::TQ2_0:
    case Ftype::Q1_0:
    case Ftype::Q2_0:
      return by_class(QualityLevel::trained_only, "BitNet b1.58 (arXiv 2402.17764)");
    case Ftype::MXFP4_MOE:
      return is_gpt_oss(architecture)
                 ? by_class(QualityLevel::native, "gpt-oss model card (arXiv 2508.10925)")
                 : by_class(QualityLevel::unmeasured);
  }
  return {};
}

Quality quality_of(const WeightFormat& format, std::string_view architecture) {
  switch (format.method) {
    case FormatMethod::fp32:
    case FormatMethod::fp16:
    case FormatMethod::bf16:
      return by_class(QualityLevel::none, "reference precision");
    case FormatMethod::fp8_tensor:
    case FormatMethod::fp8_channel:
      return by_class(QualityLevel::tiny, kBf16OrDeath);
    case FormatMethod::fp8_block:
      return by_class(QualityLevel::tiny, "DeepSeek-V3 (arXiv 2412.19437)");
    case FormatMethod::int8_bnb:
      return by_class(QualityLevel::tiny, "LLM.int8() (arXiv 2208.07339)");
    case FormatMethod::int8_w8a8:
      return by_class(QualityLevel::small, kBf16OrDeath);
    case FormatMethod::gptq:
      if (format.bits >= 8) return by_class(QualityLevel::tiny);
      if (format.bits >= 4) return by_class(QualityLevel::small, kBf16OrDeath);
      return by_class(format.bits >= 3 ? QualityLevel::visible : QualityLevel::large,
                      "GPTQ (arXiv 2210.17323)");
    case FormatMethod::awq:
      return by_class(QualityLevel::small, "AWQ (arXiv 2306.00978)");
    case FormatMethod::bnb_nf4:
    case FormatMethod::bnb_fp4:
      return by_class(QualityLevel::small, "QLoRA (arXiv 2305.14314)");
    case FormatMethod::exl3:
      if (format.bits == 4) return by_exl3(QualityLevel::tiny, 0.07);     // 8.51 -> 8.58
      if (format.bits == 3) return by_exl3(QualityLevel::visible, 0.48);  // 8.51 -> 8.99
      [[fallthrough]];
    case FormatMethod::hqq:
    case FormatMethod::exl2:
    case FormatMethod::mlx:
    case FormatMethod::nvfp4:
      if (format.bits >= 6) return by_class(QualityLevel::tiny);
      if (format.bits >= 4) return by_class(QualityLevel::small);
      return by_class(format.bits >= 3 ? QualityLevel::visible : QualityLevel::large);
    case FormatMethod::mxfp4:
      return by_class(QualityLevel::unmeasured);
    case FormatMethod::mxfp4_experts:
      return is_gpt_oss(architecture)
                 ? by_class(QualityLevel::native, "gpt-oss model card (arXiv 2508.10925)")
                 : by_class(QualityLevel::unmeasured);
  }
  return {};
}

FormatTable format_table(const Model& model) {
  FormatTable table;
  const std::int64_t n_params = model.n_params();
  if (n_params <= 0) return table;
  const FormatPlan formats(model);
  const bool experts = formats.has_routed_experts();
  const Evidence evidence =
      model.provenance == Provenance::header ? Evidence::exact : Evidence::derived;

  const auto add = [&](FormatRow row) {
    row.bits_per_weight = static_cast<double>(row.bytes) * 8 / static_cast<double>(n_params);
    row.relative_to_bf16 = row.bits_per_weight / 16;
    row.evidence = evidence;
    table.rows.push_back(std::move(row));
  };

  table.gguf_names_missing = !has_gguf_names(model);
  if (!table.gguf_names_missing) {
    const MixPlan plan(model);
    for (const FtypeInfo& info : all_ftypes()) {
      if (!has_gguf_row(info, experts)) continue;
      const auto totals = plan.totals(info.ftype, table_options(info));
      std::string id = "gguf-" + std::string(info.name);
      if (!totals) {
        table.refused.push_back({std::move(id), totals.error()});
        continue;
      }
      FormatRow row;
      row.id = std::move(id);
      row.name = info.name;
      row.family = FormatFamily::gguf;
      row.bytes = totals.value().tensor_bytes;
      row.file_bytes = totals.value().data_bytes;
      row.quality = quality_of(info.ftype, model.architecture);
      row.recommendation = recommendation_of(info.ftype, model.architecture);
      row.requires_imatrix = info.requires_imatrix;
      row.n_fallback = totals.value().n_fallback;
      row.formula = {"sum over tensors (ne0 / block * block_bytes * rows), type by the mix",
                     {{"tensors", static_cast<double>(model.tensors.size()), ""}}};
      row.source = kMixRules;
      add(std::move(row));
    }
  }
  for (const WeightFormat& format : kUsualFormats) {
    if (!has_server_row(format, experts)) continue;
    const FormatWeight weight = formats.weigh(format);
    FormatRow row;
    row.id = format_id(format);
    row.name = format_name(format);
    row.family = FormatFamily::server;
    row.bytes = weight.bytes();
    row.quality = quality_of(format, model.architecture);
    row.recommendation = recommendation_of(format, model.architecture);
    row.formula = format_formula(format, weight);
    row.source = format_source(format.method);
    add(std::move(row));
  }
  sort_items(table.rows, [](const FormatRow& a, const FormatRow& b) { return a.bytes < b.bytes; });
  return table;
}

FormatSweep sweep_formats(const Model& model) {
  FormatSweep sweep;
  const FormatPlan formats(model);
  const bool experts = formats.has_routed_experts();
  if (has_gguf_names(model)) {
    const MixPlan plan(model);
    for (const FtypeInfo& info : all_ftypes()) {
      if (!has_gguf_row(info, experts)) continue;
      const auto totals = plan.totals(info.ftype, table_options(info));
      if (!totals) continue;
      sweep.total_bytes += totals.value().tensor_bytes;
      ++sweep.n_formats;
    }
  }
  for (const WeightFormat& format : kUsualFormats) {
    if (!has_server_row(format, experts)) continue;
    sweep.total_bytes += formats.weigh(format).bytes();
    ++sweep.n_formats;
  }
  return sweep;
}

}  // namespace meyasu
