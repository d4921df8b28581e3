// Solvers: the largest context, most users, largest batch, best split and best mix that fit.
#include <emscripten/bind.h>

#include <cstdint>
#include <string>

#include "core/fit/llama_cpp.hpp"
#include "core/fit/serving.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const LlamaCppFit& fit) {
  const LlamaCppSettings& s = fit.settings;
  return object({{"settings", object({{"n_ctx", to_js(fit.estimate.context.n_ctx)},
                                      {"n_seq", to_js(s.n_seq)},
                                      {"n_batch", to_js(s.n_batch)},
                                      {"n_ubatch", to_js(s.n_ubatch)},
                                      {"n_gpu_layers", to_js(fit.estimate.context.n_gpu_layers)},
                                      {"cpu_moe", to_js(s.cpu_moe)},
                                      {"n_cpu_moe", to_js(s.n_cpu_moe)}})},
                 {"terms", array(fit.estimate.terms)},
                 {"places", array(fit.fit.places)},
                 {"tightest", to_js(fit.fit.tightest)},
                 {"verdict", to_js(verdict_name(fit.fit.verdict))}});
}

static val to_js(const LlamaCppSolution& solution) {
  return object({{"value", to_js(solution.value)},
                 {"best", to_js(solution.best)},
                 {"next_value", to_js(solution.next_value)},
                 {"next", to_js(solution.next)},
                 {"n_estimates", to_js(solution.n_estimates)}});
}

static val to_js(const MixSolution& solution) {
  return object({{"mix", to_js(solution.mix)},
                 {"file_bytes", to_js(solution.file_bytes)},
                 {"best", to_js(solution.best)},
                 {"next_mix", to_js(solution.next_mix)},
                 {"next", to_js(solution.next)},
                 {"n_estimates", to_js(solution.n_estimates)}});
}

static val to_js(const ServingSolution& solution) {
  return object({{"value", to_js(solution.value)},
                 {"terms", array(solution.best.terms)},
                 {"n_tokens", to_js(solution.best.pool.n_tokens)},
                 {"max_concurrency", to_js(solution.best.pool.max_concurrency)},
                 {"at_limit", to_js(!solution.next.has_value())},
                 {"n_estimates", to_js(solution.n_estimates)}});
}

static val to_js(const ServingFormatSolution& solution) {
  return object({{"format", to_js(solution.format)},
                 {"weights", to_js(solution.weights)},
                 {"max_concurrency", to_js(solution.best.pool.max_concurrency)},
                 {"n_estimates", to_js(solution.n_estimates)}});
}

namespace {

FitGoal goal_of(const LlamaCppQuestion& question, bool roomy) {
  return goal_of(question.settings, question.room, roomy ? Comfort::roomy : Comfort::tight);
}

/// Reads the options and hands `solver` what every solver needs.
template <class Solver>
val solve(InferenceStudy& study, const val& options, bool roomy, Solver solver) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto estimator = study.estimator(question.value().mix);
  if (!estimator) return failed(estimator.error());
  return to_js(solver(*estimator.value(), question.value(), goal_of(question.value(), roomy)));
}

val solve_context(InferenceStudy& study, const val& options, bool roomy) {
  return solve(
      study, options, roomy,
      [&](LlamaCppEstimator& estimator, const LlamaCppQuestion& question, const FitGoal& goal) {
        return largest_context(estimator, study.model(), question.settings, goal);
      });
}

val solve_llama_cpp_users(InferenceStudy& study, const val& options, bool roomy, double context) {
  constexpr double kMost = 1e12;
  const auto tokens = static_cast<std::int64_t>(context >= 0 && context <= kMost ? context : 0);
  return solve(
      study, options, roomy,
      [&](LlamaCppEstimator& estimator, const LlamaCppQuestion& question, const FitGoal& goal) {
        return most_users(estimator, question.program, question.settings, tokens, goal);
      });
}

val solve_ubatch(InferenceStudy& study, const val& options, bool roomy) {
  return solve(
      study, options, roomy,
      [&](LlamaCppEstimator& estimator, const LlamaCppQuestion& question, const FitGoal& goal) {
        return largest_ubatch(estimator, question.settings, goal);
      });
}

val solve_offload(InferenceStudy& study, const val& options, bool roomy) {
  return solve(
      study, options, roomy,
      [&](LlamaCppEstimator& estimator, const LlamaCppQuestion& question, const FitGoal& goal) {
        return plan_offload(estimator, study.model(), question.settings, goal);
      });
}

val solve_mix(InferenceStudy& study, const val& options, bool roomy) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  return to_js(
      best_mix(study.model(), question.value().settings, goal_of(question.value(), roomy)));
}

/// Reads the options of a server runtime and hands `solver` what it needs.
template <class Solver>
val solve_serving(InferenceStudy& study, const val& options, Solver solver) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const auto bytes = study.tensor_bytes(question.value().format);
  if (!bytes) return failed(bytes.error());
  return to_js(solver(question.value(), bytes.value()));
}

val solve_users(InferenceStudy& study, const val& options) {
  return solve_serving(study, options, [&](const ServingQuestion& question, auto bytes) {
    return most_users(study.model(), bytes, question.settings);
  });
}

val solve_serving_context(InferenceStudy& study, const val& options) {
  return solve_serving(study, options, [&](const ServingQuestion& question, auto bytes) {
    return longest_context(study.model(), bytes, question.settings);
  });
}

val solve_serving_format(InferenceStudy& study, const val& options) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  return to_js(best_serving_format(study, question.value().settings));
}

}  // namespace

EMSCRIPTEN_BINDINGS(fit) {
  emscripten::function("solve_context", &solve_context);
  emscripten::function("solve_llama_cpp_users", &solve_llama_cpp_users);
  emscripten::function("solve_ubatch", &solve_ubatch);
  emscripten::function("solve_offload", &solve_offload);
  emscripten::function("solve_mix", &solve_mix);
  emscripten::function("solve_users", &solve_users);
  emscripten::function("solve_serving_format", &solve_serving_format);
  emscripten::function("solve_serving_context", &solve_serving_context);
}

}  // namespace meyasu
