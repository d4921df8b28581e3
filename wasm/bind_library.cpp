// Transformers and ExLlama: estimates and solvers.
#include <emscripten/bind.h>

#include <string>

#include "core/study/library.hpp"
#include "wasm/convert.hpp"
#include "wasm/convert_layers.hpp"
#include "wasm/inference_options.hpp"
#include "wasm/sweep.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const LibraryEstimate& estimate) {
  return object({{"terms", array(estimate.terms)},
                 {"places", array(estimate.fit.places)},
                 {"tightest", to_js(estimate.fit.tightest)},
                 {"verdict", to_js(verdict_name(estimate.fit.verdict))},
                 {"n_ctx", to_js(estimate.context)},
                 {"warnings", array(estimate.warnings)}});
}

static val to_js(const LibrarySolution& solution) {
  return object({{"value", to_js(solution.value)},
                 {"best", to_js(solution.best)},
                 {"at_limit", to_js(solution.at_limit)},
                 {"n_estimates", to_js(solution.n_estimates)}});
}

namespace {

LibraryRuntime runtime_of(const std::string& name) {
  for (const auto& [known, runtime] : kLibraries) {
    if (known == name) return runtime;
  }
  return LibraryRuntime::transformers;
}

val library_formats_js(const std::string& runtime) {
  val list = val::array();
  int index = 0;
  for (const WeightFormat& format : library_formats(runtime_of(runtime))) {
    list.set(index++,
             object({{"id", to_js(format_id(format))}, {"name", to_js(format_name(format))}}));
  }
  return list;
}

val library_like(const std::string& runtime, const std::string& mix, const std::string& type_k,
                 const std::string& type_v) {
  const LibraryRuntime library = runtime_of(runtime);
  const auto ftype = ftype_from_name(mix);
  const auto bits = [&](const std::string& name) {
    const auto type = ggml_type_from_name(name);
    return exllama_bits_like(library, type ? *type : GgmlType::F16);
  };
  const WeightFormat format =
      ftype ? library_format_like(library, *ftype) : plain_format(FormatMethod::bf16);
  return object({{"format", to_js(format_id(format))},
                 {"k_bits", to_js(bits(type_k))},
                 {"v_bits", to_js(bits(type_v))}});
}

/// Reads the options and hands `solver` the question.
template <class Solver>
val answer(InferenceStudy& study, const val& options, Solver solver) {
  const auto question = library_from_js(options);
  if (!question) return failed(question.error());
  return to_js(solver(study, question.value()));
}

val estimate_library_js(InferenceStudy& study, const val& options) {
  const auto question = library_from_js(options);
  if (!question) return failed(question.error());
  const auto estimate = estimate_library(study, question.value());
  const val result = to_js(estimate);
  if (estimate) {
    val value = result["value"];
    value.set("layers", layers_to_js(study.model(), estimate.value().layers));
  }
  return result;
}
val solve_library_context(InferenceStudy& study, const val& options) {
  return answer(study, options, &longest_library_context);
}
val solve_library_users(InferenceStudy& study, const val& options) {
  return answer(study, options, &most_library_users);
}
val solve_library_format(InferenceStudy& study, const val& options) {
  return answer(study, options, &best_library_format);
}

val sweep_library(InferenceStudy& study, const val& options, const val& contexts) {
  return sweep_contexts(options, contexts, [&](const val& point) {
    const auto question = library_from_js(point);
    return question ? library_point(study, question.value()) : SweepPoint{};
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(library) {
  emscripten::function("library_formats", &library_formats_js);
  emscripten::function("library_like", &library_like);
  emscripten::function("estimate_library", &estimate_library_js);
  emscripten::function("sweep_library", &sweep_library);
  emscripten::function("solve_library_context", &solve_library_context);
  emscripten::function("solve_library_users", &solve_library_users);
  emscripten::function("solve_library_format", &solve_library_format);
}

}  // namespace meyasu
