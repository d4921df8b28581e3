// What runtimes allocate for a model on a machine: single answers with their terms, and sweeps.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/inference/machine.hpp"
#include "core/study/study.hpp"
#include "wasm/convert.hpp"
#include "wasm/convert_layers.hpp"
#include "wasm/inference_options.hpp"
#include "wasm/sweep.hpp"

namespace meyasu {

using emscripten::val;

// Outside the unnamed namespace: array() finds it by its argument.
static val to_js(const DeviceFit& device) {
  return object({{"device", to_js(device.device)},
                 {"certain", to_js(device.certain)},
                 {"fit", to_js(device.fit)}});
}

namespace {

val context_to_js(const LlamaCppContext& context) {
  return object({{"n_ctx", to_js(context.n_ctx)},
                 {"n_batch", to_js(context.n_batch)},
                 {"n_ubatch", to_js(context.n_ubatch)},
                 {"n_seq", to_js(context.n_seq)},
                 {"n_stream", to_js(context.n_stream)},
                 {"n_gpu_layers", to_js(context.n_gpu_layers)}});
}

val estimate_llama_cpp_js(InferenceStudy& study, const val& options) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto& [program, mix, settings, room, speed, workload] = question.value();
  const auto result = study.llama_cpp(mix, settings);
  if (!result) return failed(result.error());
  const LlamaCppEstimate& estimate = result.value();
  const auto devices = fit_devices(estimate, settings, room);
  return succeeded(object({{"terms", array(estimate.terms)},
                           {"devices", array(devices)},
                           {"tightest", to_js(tightest_device(devices))},
                           {"verdict", to_js(verdict_name(worst_verdict(devices)))},
                           {"context", context_to_js(estimate.context)},
                           {"flash_attention", to_js(estimate.compute.flash_attention)},
                           {"graph_known", to_js(estimate.compute.graph_known)},
                           {"layers", layers_to_js(study.model(), estimate.layers)},
                           {"warnings", array(estimate.warnings)}}));
}

val estimate_serving_js(InferenceStudy& study, const val& options) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const auto& [format, settings, gpu, workload] = question.value();
  const auto result = study.serving(format, settings);
  if (!result) return failed(result.error());
  const ServingEstimate& estimate = result.value();
  return succeeded(
      object({{"terms", array(estimate.terms)},
              {"budget", to_js(estimate.budget)},
              {"fit", to_js(fit_server(estimate))},
              {"tp", to_js(settings.parallel.tp)},
              {"max_num_seqs", to_js(estimate.settings.max_num_seqs)},
              {"max_num_batched_tokens", to_js(estimate.settings.max_num_batched_tokens)},
              {"memory_fraction", to_js(estimate.settings.memory_fraction)},
              {"n_tokens", to_js(estimate.pool.n_tokens)},
              {"max_concurrency", to_js(estimate.pool.max_concurrency)},
              {"at_once", to_js(users_at_once(estimate))},
              {"starts", to_js(estimate.starts)},
              {"fits", to_js(serves(estimate, settings.users))},
              {"layers", layers_to_js(study.model(), layers_for_users(estimate, settings.users))},
              {"warnings", array(estimate.warnings)}}));
}

val sweep_llama_cpp_js(InferenceStudy& study, const val& options, const val& contexts) {
  return sweep_contexts(options, contexts, [&](const val& point) {
    const auto question = llama_cpp_from_js(study, point);
    if (!question) return SweepPoint{};
    return study.llama_cpp_point(question.value().mix, question.value().settings,
                                 question.value().room);
  });
}

val largest_context_js(InferenceStudy& study, const val& options) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto& [program, mix, settings, room, speed, workload] = question.value();
  return to_js(study.largest_context_of(mix, settings, room));
}

val sweep_serving_js(InferenceStudy& study, const val& options, const val& contexts) {
  return sweep_contexts(options, contexts, [&](const val& point) {
    const auto question = serving_from_js(point);
    if (!question) return SweepPoint{};
    return study.serving_point(question.value().format, question.value().settings);
  });
}

/// Models of the catalog that could draft for this one.
val draft_candidates_js(const InferenceStudy& study) {
  val list = val::array();
  int index = 0;
  for (const CatalogEntry* entry : draft_candidates(study.model(), model_catalog())) {
    list.set(index++, object({{"id", to_js(entry->id)},
                              {"name", to_js(entry->name)},
                              {"params_total", to_js(entry->params_total)}}));
  }
  return list;
}

std::shared_ptr<InferenceStudy> study_of_model(const Model& model) {
  return std::make_shared<InferenceStudy>(model);
}

val study_summary(const InferenceStudy& study) {
  const Model& model = study.model();
  return object({{"name", to_js(model.name)},
                 {"architecture", to_js(model.architecture)},
                 {"n_params", to_js(model.n_params())},
                 {"n_layer", to_js(static_cast<std::int64_t>(model.layers.size()))},
                 {"n_ctx_train", to_js(model.n_ctx_train)},
                 {"has_file", to_js(model.provenance == Provenance::header)},
                 {"has_kv_cache", to_js(model.has_kv_cache())},
                 {"has_experts", to_js(std::any_of(model.layers.begin(), model.layers.end(),
                                                   [](const Layer& layer) {
                                                     return layer.feed_forward.n_expert > 0;
                                                   }))},
                 {"has_mtp", to_js(std::any_of(model.layers.begin(), model.layers.end(),
                                               [](const Layer& layer) { return layer.is_mtp; }))}});
}

val inference_choices() {
  const auto names = [](const auto& table) {
    val list = val::array();
    int index = 0;
    for (const auto& [name, value] : table) list.set(index++, to_js(name));
    return list;
  };
  val mixes = val::array();
  int n_mixes = 0;
  for (const FtypeInfo& info : all_ftypes()) mixes.set(n_mixes++, to_js(info.name));
  val formats = val::array();
  int n_formats = 0;
  for (const WeightFormat& format : kServingFormats) {
    formats.set(n_formats++,
                object({{"id", to_js(format_id(format))}, {"name", to_js(format_name(format))}}));
  }
  return object({{"mixes", mixes},
                 {"map_mixes", array(kMapMixes)},
                 {"formats", formats},
                 {"programs", names(kPrograms)},
                 {"backends", names(kBackends)},
                 {"releases", names(kReleases)},
                 {"flash_attention", names(kFlashAttention)},
                 {"server_kv_types", names(kServerKvTypes)}});
}

/// What the server runtimes would use where llama.cpp uses this mix and these cache types.
val serving_like_js(const std::string& mix, const std::string& type_k) {
  const auto ftype = ftype_from_name(mix);
  const auto type = ggml_type_from_name(type_k);
  const WeightFormat format =
      ftype ? serving_format_like(*ftype) : plain_format(FormatMethod::bf16);
  const KvCacheType kv = type ? serving_kv_like(*type) : KvCacheType::bf16;
  val kv_type = val::null();
  for (const auto& [name, known] : kServerKvTypes) {
    if (known == kv) kv_type = to_js(name);
  }
  return object({{"format", to_js(format_id(format))}, {"kv_type", kv_type}});
}

}  // namespace

EMSCRIPTEN_BINDINGS(inference) {
  emscripten::class_<InferenceStudy>("InferenceStudy")
      .smart_ptr<std::shared_ptr<InferenceStudy>>("InferenceStudyPointer");
  emscripten::function("study_of_model", &study_of_model);
  emscripten::function("study_summary", &study_summary);
  emscripten::function("inference_choices", &inference_choices);
  emscripten::function("serving_like", &serving_like_js);
  emscripten::function("draft_candidates", &draft_candidates_js);
  emscripten::function("estimate_llama_cpp", &estimate_llama_cpp_js);
  emscripten::function("estimate_serving", &estimate_serving_js);
  emscripten::function("sweep_llama_cpp", &sweep_llama_cpp_js);
  emscripten::function("largest_context", &largest_context_js);
  emscripten::function("sweep_serving", &sweep_serving_js);
}

}  // namespace meyasu
