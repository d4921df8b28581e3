// What to type: commands, files and programs with the settings of an estimate.
#include <emscripten/bind.h>

#include <string>

#include "core/launch/launch.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const LaunchBlock& block) {
  return object(
      {{"title", to_js(block.title)}, {"file", to_js(block.file)}, {"text", to_js(block.text)}});
}

static val to_js(const Launch& launch) {
  return object({{"blocks", array(launch.blocks)},
                 {"notes", array(launch.notes)},
                 {"missing", array(launch.missing)}});
}

namespace {

Shell shell_of(const std::string& shell) {
  return shell == "powershell" ? Shell::powershell : Shell::posix;
}

val launch_llama_cpp_js(InferenceStudy& study, const val& options, const std::string& file,
                        const std::string& shell) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const auto context = normalize(question.value().settings, study.model());
  if (!context) return failed(context.error());
  return succeeded(to_js(launch_llama_cpp(question.value().program, question.value().settings,
                                          context.value(), file, shell_of(shell))));
}

val launch_serving_js(InferenceStudy& study, const val& options, const std::string& model,
                      const std::string& shell) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const auto& [format, settings, gpu, workload] = question.value();
  // The runtime's own numbers, so that the command says what the answer was made with.
  const auto estimate = study.serving(format, settings);
  if (!estimate) return failed(estimate.error());
  ServingSettings said = estimate.value().settings;
  // Which pages a kernel can read is known to the runtime alone; asked for another, it may refuse.
  said.block_size = settings.block_size;
  return succeeded(to_js(launch_server(said, model, format, shell_of(shell))));
}

val launch_library_js(InferenceStudy& study, const val& options, const std::string& model) {
  const auto question = library_from_js(options);
  if (!question) return failed(question.error());
  return to_js(launch_library(study, question.value(), model));
}

}  // namespace

EMSCRIPTEN_BINDINGS(launch) {
  emscripten::function("launch_llama_cpp", &launch_llama_cpp_js);
  emscripten::function("launch_serving", &launch_serving_js);
  emscripten::function("launch_library", &launch_library_js);
}

}  // namespace meyasu
