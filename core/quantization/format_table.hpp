// One table per model: every weight format with its exact size, the bits per weight that it really
// reaches, what is known about the loss of quality, and the usual recommendation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model.hpp"
#include "core/quantization/format.hpp"
#include "core/quantization/mix.hpp"
#include "core/units/result.hpp"
#include "core/units/term.hpp"

namespace meyasu {

enum class FormatFamily : std::uint8_t { gguf, server };

/// Coarse classes of quality loss; each has a message. `trained_only`: useful only for models that
/// were trained for these few bits (BitNet and the like). `native`: the model was released in it.
enum class QualityLevel : std::uint8_t {
  none,
  tiny,
  small,
  visible,
  large,
  native,
  trained_only,
  unmeasured
};

/// What `Quality::value` is: nothing, perplexity minus that of the 16-bit model, or the logarithm
/// of their ratio.
enum class QualityMeasure : std::uint8_t { none, ppl_delta, ln_ppl_ratio };

/// `model` is the one it was measured on: other models, small ones above all, differ.
struct Quality {
  QualityLevel level = QualityLevel::unmeasured;
  QualityMeasure measure = QualityMeasure::none;
  double value = 0;
  std::string_view model;
  std::string_view source;
};

/// `bytes` are those of the tensors; `file_bytes` (GGUF only) the data section of the file with its
/// padding, to which a header of 1-13 MB with the vocabulary is added. `recommendation` is a
/// message id or empty.
struct FormatRow {
  std::string id;  // "gguf-Q4_K_M", "awq-4bit-g128"
  std::string name;
  FormatFamily family = FormatFamily::gguf;
  Bytes bytes = 0;
  Bytes file_bytes = 0;
  double bits_per_weight = 0;
  double relative_to_bf16 = 0;
  Quality quality;
  std::string_view recommendation;
  bool requires_imatrix = false;
  int n_fallback = 0;  // tensors whose shape forced another type
  Formula formula;
  Evidence evidence = Evidence::exact;
  std::string_view source;
};

/// A mix that llama-quantize refuses for this model, and why.
struct RefusedFormat {
  std::string id;
  Error error;
};

/// `rows` ascend in bytes. GGUF rows are left out, and `gguf_names_missing` set, when the tensors
/// do not carry GGUF names (a safetensors header on its own): the mixes go by names.
struct FormatTable {
  std::vector<FormatRow> rows;
  std::vector<RefusedFormat> refused;
  bool gguf_names_missing = false;
};

[[nodiscard]] FormatTable format_table(const Model& model);

/// The bytes alone of every row that format_table would have, in no particular order, for sweeps:
/// a sum over the formats and their number.
struct FormatSweep {
  Bytes total_bytes = 0;
  int n_formats = 0;
};
[[nodiscard]] FormatSweep sweep_formats(const Model& model);

/// Message ids.
[[nodiscard]] std::string_view quality_message(QualityLevel level);
[[nodiscard]] Quality quality_of(Ftype ftype, std::string_view architecture);
[[nodiscard]] Quality quality_of(const WeightFormat& format, std::string_view architecture);

}  // namespace meyasu
