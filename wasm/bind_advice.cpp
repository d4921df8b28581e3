// What to change and what to buy: advice, plans, the reverse questions.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/advice/advice.hpp"
#include "core/study/reverse.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const OptionChange& change) {
  return object({{"option", to_js(change.option)}, {"value", to_js(change.value)}});
}

static val to_js(AdviceKind kind) {
  return to_js(advice_name(kind));
}

static val to_js(const Quality& quality) {
  return object({{"message", to_js(quality_message(quality.level))},
                 {"is_ratio", to_js(quality.measure == QualityMeasure::ln_ppl_ratio)},
                 {"value", to_js(quality.value)},
                 {"model", to_js(quality.model)},
                 {"source", to_js(quality.source)}});
}

static val to_js(const Advice& advice) {
  return object({{"kinds", array(advice.kinds)},
                 {"changes", array(advice.changes)},
                 {"cost", to_js(advice_cost_name(advice.cost))},
                 {"qualities", array(advice.qualities)},
                 {"host_share", to_js(advice.host_share)},
                 {"tok_s_before", to_js(advice.tok_s_before)},
                 {"tok_s_after", to_js(advice.tok_s_after)},
                 {"saving", to_js(advice.saving)},
                 {"margin", to_js(advice.margin)},
                 {"verdict", to_js(verdict_name(advice.verdict))}});
}

static val to_js(const std::vector<Advice>& advice) {
  return array(advice);
}

static val to_js(const DeviceChoice& choice) {
  return object({{"id", to_js(choice.device->id)},
                 {"vendor", to_js(choice.device->vendor)},
                 {"name", to_js(choice.device->name)},
                 {"bandwidth_gb_s", to_js(choice.device->bandwidth_gb_s)},
                 {"n", to_js(choice.n)},
                 {"memory", to_js(choice.memory)},
                 {"has_sizes", to_js(!choice.device->memory_options_gib.empty())},
                 {"capacity", to_js(choice.capacity())},
                 {"usable", to_js(choice.usable)},
                 {"needed", to_js(choice.needed)},
                 {"margin", to_js(choice.margin)},
                 {"tok_s", to_js(choice.decode_tok_s.likely)},
                 {"tok_s_low", to_js(choice.decode_tok_s.low)},
                 {"tok_s_high", to_js(choice.decode_tok_s.high)},
                 {"verdict", to_js(verdict_name(choice.verdict))}});
}

static val to_js(const std::vector<DeviceChoice>& choices) {
  return array(choices);
}

static val to_js(const FormatFit& fit) {
  return object({{"mix", to_js(fit.mix)},
                 {"verdict", to_js(verdict_name(fit.verdict))},
                 {"margin", to_js(fit.margin)}});
}

namespace {

Comfort comfort_of(bool roomy) {
  return roomy ? Comfort::roomy : Comfort::tight;
}

val advise_llama_cpp_js(InferenceStudy& study, const val& options, bool roomy) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto& [program, mix, settings, room, speed, workload] = question.value();
  return to_js(
      advise_llama_cpp(study, {mix, program, settings, goal_of(settings, room, comfort_of(roomy)),
                               speed, workload, &hardware_catalog()}));
}

val advise_serving_js(InferenceStudy& study, const val& options) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const auto& [format, settings, gpu, workload] = question.value();
  return to_js(advise_serving(study, {format, settings, gpu, workload, &hardware_catalog()}));
}

/// What the plan changes; an empty list where everything is well placed.
val plan_llama_cpp(InferenceStudy& study, const val& options, bool roomy) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto& [program, mix, settings, room, speed, workload] = question.value();
  const auto estimator = study.estimator(mix);
  if (!estimator) return failed(estimator.error());
  const auto model = study.quantized_model(mix);
  if (!model) return failed(model.error());
  const auto plan = plan_machine(*estimator.value(), *model.value(), settings,
                                 goal_of(settings, room, comfort_of(roomy)));
  if (!plan) return failed(plan.error());
  const PlacementPlan& found = plan.value();
  return succeeded(object({{"changes", array(placement_changes(settings, found.fit.settings))},
                           {"host_share", to_js(found.reads.host_share())},
                           {"verdict", to_js(verdict_name(found.fit.fit.verdict))}}));
}

val devices_that_run_js(InferenceStudy& study, const val& options) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const LlamaCppQuestion& asked = question.value();
  return to_js(
      devices_that_run(study, asked.mix, asked.settings, asked.workload, hardware_catalog()));
}

val devices_that_serve_js(InferenceStudy& study, const val& options) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const ServingQuestion& asked = question.value();
  return to_js(
      devices_that_serve(study, asked.format, asked.settings, asked.workload, hardware_catalog()));
}

/// One row of the fit map: the best format at each context, null where none fits.
val best_formats_js(const Model& model, const val& options, const val& contexts) {
  val row = val::array();
  val point = val::global("Object").call<val>("assign", val::object(), options);
  std::vector<std::int64_t> asked;
  LlamaCppQuestion shared;
  const auto n = contexts["length"].as<int>();
  for (int i = 0; i < n; ++i) {
    point.set("n_ctx", contexts[i]);
    auto question = llama_cpp_from_js(point);
    if (!question) return failed(question.error());
    shared = std::move(question.value());
    asked.push_back(shared.settings.n_ctx);
  }
  int index = 0;
  for (const auto& fit : best_formats(model, asked, shared.settings, shared.room)) {
    row.set(index++, to_js(fit));
  }
  return succeeded(row);
}

}  // namespace

EMSCRIPTEN_BINDINGS(advice) {
  emscripten::function("advise_llama_cpp", &advise_llama_cpp_js);
  emscripten::function("advise_serving", &advise_serving_js);
  emscripten::function("plan_llama_cpp", &plan_llama_cpp);
  emscripten::function("devices_that_run", &devices_that_run_js);
  emscripten::function("devices_that_serve", &devices_that_serve_js);
  emscripten::function("best_formats", &best_formats_js);
}

}  // namespace meyasu
