#include "core/quantization/ftype.hpp"

#include <array>

#include "core/units/text.hpp"

namespace meyasu {
namespace {

// Source: src/llama-quant.cpp, llama_ftype_get_default_type and tensor_requires_imatrix;
// tools/quantize/quantize.cpp for the names. IQ3_S and IQ3_M consist of types that work without.
constexpr auto kFtypes = std::to_array<FtypeInfo>({
    {Ftype::Q1_0, "Q1_0", GgmlType::Q1_0, false},
    {Ftype::IQ1_S, "IQ1_S", GgmlType::IQ1_S, true},
    {Ftype::TQ1_0, "TQ1_0", GgmlType::TQ1_0, false},
    {Ftype::IQ1_M, "IQ1_M", GgmlType::IQ1_M, true},
    {Ftype::IQ2_XXS, "IQ2_XXS", GgmlType::IQ2_XXS, true},
    {Ftype::TQ2_0, "TQ2_0", GgmlType::TQ2_0, false},
    {Ftype::Q2_0, "Q2_0", GgmlType::Q2_0, false},
    {Ftype::IQ2_XS, "IQ2_XS", GgmlType::IQ2_XS, true},
    {Ftype::IQ2_S, "IQ2_S", GgmlType::IQ2_XS, true},
    {Ftype::IQ2_M, "IQ2_M", GgmlType::IQ2_S, true},
    {Ftype::Q2_K_S, "Q2_K_S", GgmlType::Q2_K, true},
    {Ftype::Q2_K, "Q2_K", GgmlType::Q2_K, false},
    {Ftype::IQ3_XXS, "IQ3_XXS", GgmlType::IQ3_XXS, true},
    {Ftype::IQ3_XS, "IQ3_XS", GgmlType::IQ3_S, true},
    {Ftype::IQ3_S, "IQ3_S", GgmlType::IQ3_S, false},
    {Ftype::Q3_K_S, "Q3_K_S", GgmlType::Q3_K, false},
    {Ftype::IQ3_M, "IQ3_M", GgmlType::IQ3_S, false},
    {Ftype::Q3_K_M, "Q3_K_M", GgmlType::Q3_K, false},
    {Ftype::Q3_K_L, "Q3_K_L", GgmlType::Q3_K, false},
    {Ftype::MXFP4_MOE, "MXFP4_MOE", GgmlType::MXFP4, false},
    {Ftype::IQ4_XS, "IQ4_XS", GgmlType::IQ4_XS, false},
    {Ftype::IQ4_NL, "IQ4_NL", GgmlType::IQ4_NL, false},
    {Ftype::Q4_0, "Q4_0", GgmlType::Q4_0, false},
    {Ftype::Q4_K_S, "Q4_K_S", GgmlType::Q4_K, false},
    {Ftype::Q4_K_M, "Q4_K_M", GgmlType::Q4_K, false},
    {Ftype::Q4_1, "Q4_1", GgmlType::Q4_1, false},
    {Ftype::Q5_0, "Q5_0", GgmlType::Q5_0, false},
    {Ftype::Q5_K_S, "Q5_K_S", GgmlType::Q5_K, false},
    {Ftype::Q5_K_M, "Q5_K_M", GgmlType::Q5_K, false},
    {Ftype::Q5_1, "Q5_1", GgmlType::Q5_1, false},
    {Ftype::Q6_K, "Q6_K", GgmlType::Q6_K, false},
    {Ftype::Q8_0, "Q8_0", GgmlType::Q8_0, false},
    {Ftype::F16, "F16", GgmlType::F16, false},
    {Ftype::BF16, "BF16", GgmlType::BF16, false},
    {Ftype::F32, "F32", GgmlType::F32, false},
});

struct Alias {
  std::string_view name;
  Ftype ftype;
};

// Short forms of llama-quantize, and llama_model_ftype_name (src/llama-model-loader.cpp), which
// load logs print without the bits per weight that follow it.
constexpr std::array kAliases = {
    Alias{"Q3_K", Ftype::Q3_K_M},
    Alias{"Q4_K", Ftype::Q4_K_M},
    Alias{"Q5_K", Ftype::Q5_K_M},
    Alias{"FP16", Ftype::F16},
    Alias{"FP32", Ftype::F32},
    Alias{"all F32", Ftype::F32},
    Alias{"MXFP4", Ftype::MXFP4_MOE},
    Alias{"MXFP4 MoE", Ftype::MXFP4_MOE},
    Alias{"Q2_K - Medium", Ftype::Q2_K},
    Alias{"Q2_K - Small", Ftype::Q2_K_S},
    Alias{"Q3_K - Small", Ftype::Q3_K_S},
    Alias{"Q3_K - Medium", Ftype::Q3_K_M},
    Alias{"Q3_K - Large", Ftype::Q3_K_L},
    Alias{"Q4_K - Small", Ftype::Q4_K_S},
    Alias{"Q4_K - Medium", Ftype::Q4_K_M},
    Alias{"Q5_K - Small", Ftype::Q5_K_S},
    Alias{"Q5_K - Medium", Ftype::Q5_K_M},
    // The weights of these ARM layouts are Q4_0, reordered; today llama.cpp repacks on load.
    Alias{"Q4_0_4_4", Ftype::Q4_0},
    Alias{"Q4_0_4_8", Ftype::Q4_0},
    Alias{"Q4_0_8_8", Ftype::Q4_0},
};

}  // namespace

std::span<const FtypeInfo> all_ftypes() {
  return kFtypes;
}

const FtypeInfo& ftype_info(Ftype ftype) {
  for (const FtypeInfo& info : kFtypes) {
    if (info.ftype == ftype) return info;
  }
  return kFtypes.front();  // unreachable: every enumerator has a row (tested)
}

std::optional<Ftype> ftype_from_id(std::uint32_t file_type) {
  for (const FtypeInfo& info : kFtypes) {
    if (static_cast<std::uint32_t>(info.ftype) == file_type) return info.ftype;
  }
  return std::nullopt;
}

std::optional<Ftype> ftype_from_name(std::string_view name) {
  for (const FtypeInfo& info : kFtypes) {
    if (same_ignoring_case(info.name, name)) return info.ftype;
  }
  for (const Alias& alias : kAliases) {
    if (same_ignoring_case(alias.name, name)) return alias.ftype;
  }
  return std::nullopt;
}

}  // namespace meyasu
