// The quick form: parameter counts, precisions, weight size, rule of thumb, size scale.
#include <emscripten/bind.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/fit/machine_fit.hpp"
#include "core/quick/parameter_count.hpp"
#include "core/quick/precision.hpp"
#include "core/quick/rule_of_thumb.hpp"
#include "core/quick/size_scale.hpp"
#include "core/quick/weight_size.hpp"
#include "wasm/convert.hpp"
#include "wasm/machine_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const ParameterCount& count) {
  return object({{"billions", to_js(count.billions)}, {"exact", to_js(count.exact)}});
}

static val to_js(Precision precision) {
  return object({{"name", to_js(precision_name(precision))},
                 {"bits", to_js(bits_of(precision))},
                 {"bytes", to_js(bytes_per_parameter(precision))}});
}

static val to_js(const WeightSize& size) {
  return object({{"gib", to_js(size.gib)},
                 {"gb", to_js(size.gb)},
                 {"vram", to_js(size.vram)},
                 {"ram", to_js(size.ram)},
                 {"installed_ram", to_js(size.installed_ram)}});
}

static val to_js(const CommonGpu& gpu) {
  return object({{"name", to_js(gpu.name)},
                 {"nominal_gb", to_js(gpu.nominal_gb)},
                 {"memory", to_js(gpu.memory)}});
}

static val to_js(const GpuNeed& need) {
  return object({{"gpu", to_js(need.gpu)},
                 {"by_rule", to_js(need.by_rule)},
                 {"by_rule_least", to_js(need.by_rule_least)},
                 {"for_weights", to_js(need.for_weights)},
                 {"for_weights_least", to_js(need.for_weights_least)}});
}

static val to_js(const RuleOfThumb& rule) {
  return object({{"gb", to_js(rule.gb)},
                 {"weights_gb", to_js(rule.weights_gb)},
                 {"term", to_js(rule.term)},
                 {"gpus", array(rule.gpus)}});
}

static val to_js(const SizeOnScale& size) {
  return object({{"band", to_js(size_band_name(size.band))},
                 {"smallest_fit_gb", to_js(size.smallest_fit_gb)},
                 {"largest_not_gb", to_js(size.largest_not_gb)},
                 {"position", to_js(size.position)}});
}

static val to_js(const ScaleTick& tick) {
  return object({{"nominal_gb", to_js(tick.nominal_gb)}, {"position", to_js(tick.position)}});
}

static val to_js(const ScaleBand& band) {
  return object({{"band", to_js(size_band_name(band.band))},
                 {"begin", to_js(band.begin)},
                 {"end", to_js(band.end)}});
}

static ParameterCount count_from_js(const val& count) {
  const val exact = count["exact"];
  ParameterCount result{count["billions"].as<double>(), std::nullopt};
  if (!exact.isNull()) result.exact = static_cast<std::int64_t>(exact.as<double>());
  return result;
}

static Error unknown_precision(const std::string& name) {
  return {"unknown_precision", "precision", name};
}

static val precisions() {
  return array(kPrecisions);
}

static val parse_parameter_count_js(const std::string& text) {
  return to_js(parse_parameter_count(text));
}

static val parameter_count_from_billions_js(double billions) {
  return to_js(parameter_count_from_billions(billions));
}

static val weight_size_js(const val& count, const std::string& precision) {
  const auto known = precision_from_name(precision);
  if (!known) return failed(unknown_precision(precision));
  return to_js(weight_size(count_from_js(count), *known));
}

static val precision_that_fits_js(const val& machine, const val& count,
                                  const std::string& precision) {
  using Answer = Result<std::optional<Precision>>;
  const auto known = precision_from_name(precision);
  if (!known) return to_js(Answer(unknown_precision(precision)));
  const auto read = machine_from_js(machine);
  if (!read) return to_js(Answer(read.error()));
  return to_js(precision_that_fits(read.value(), count_from_js(count), *known));
}

static val rule_of_thumb_js(const val& count, double bits, double factor) {
  return to_js(rule_of_thumb(count_from_js(count), bits, factor));
}

static val size_on_scale_js(double weight_bytes) {
  return to_js(size_on_scale(static_cast<Bytes>(weight_bytes)));
}

static val size_scale() {
  return object({{"ticks", array(scale_ticks())}, {"bands", array(scale_bands())}});
}

EMSCRIPTEN_BINDINGS(quick) {
  emscripten::constant("default_overhead_factor", kDefaultOverheadFactor);
  emscripten::function("precisions", &precisions);
  emscripten::function("parse_parameter_count", &parse_parameter_count_js);
  emscripten::function("parameter_count_from_billions", &parameter_count_from_billions_js);
  emscripten::function("weight_size", &weight_size_js);
  emscripten::function("precision_that_fits", &precision_that_fits_js);
  emscripten::function("rule_of_thumb", &rule_of_thumb_js);
  emscripten::function("size_scale", &size_scale);
  emscripten::function("size_on_scale", &size_on_scale_js);
}

}  // namespace meyasu
