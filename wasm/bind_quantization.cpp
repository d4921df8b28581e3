// The table of weight formats of a model.
#include <emscripten/bind.h>

#include "core/quantization/format_table.hpp"
#include "wasm/convert.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(FormatFamily family) {
  switch (family) {
    case FormatFamily::gguf:
      return val("gguf");
    case FormatFamily::server:
      return val("server");
  }
  return val::null();
}

static val to_js(QualityMeasure measure) {
  switch (measure) {
    case QualityMeasure::none:
      return val::null();
    case QualityMeasure::ppl_delta:
      return val("ppl_delta");
    case QualityMeasure::ln_ppl_ratio:
      return val("ln_ppl_ratio");
  }
  return val::null();
}

static val to_js(const Quality& quality) {
  return object({{"message", to_js(quality_message(quality.level))},
                 {"measure", to_js(quality.measure)},
                 {"value", to_js(quality.value)},
                 {"model", to_js(quality.model)},
                 {"source", to_js(quality.source)}});
}

static val to_js(const FormatRow& row) {
  return object({{"id", to_js(row.id)},
                 {"name", to_js(row.name)},
                 {"family", to_js(row.family)},
                 {"bytes", to_js(row.bytes)},
                 {"file_bytes", to_js(row.file_bytes)},
                 {"bits_per_weight", to_js(row.bits_per_weight)},
                 {"relative_to_bf16", to_js(row.relative_to_bf16)},
                 {"quality", to_js(row.quality)},
                 {"recommendation", to_js(row.recommendation)},
                 {"requires_imatrix", to_js(row.requires_imatrix)},
                 {"n_fallback", to_js(row.n_fallback)},
                 {"formula", to_js(row.formula)},
                 {"evidence", to_js(row.evidence)},
                 {"source", to_js(row.source)}});
}

static val to_js(const RefusedFormat& format) {
  return object({{"id", to_js(format.id)}, {"error", to_js(format.error)}});
}

static val format_table_js(const Model& model) {
  const FormatTable table = format_table(model);
  return object({{"rows", array(table.rows)},
                 {"refused", array(table.refused)},
                 {"gguf_names_missing", to_js(table.gguf_names_missing)}});
}

EMSCRIPTEN_BINDINGS(quantization) {
  emscripten::function("format_table", &format_table_js);
}

}  // namespace meyasu
