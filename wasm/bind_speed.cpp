// Tokens a second and the time to the first one, for the options of the inference page.
#include <emscripten/bind.h>

#include <string>

#include "core/speed/speed.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const SpeedRange& range) {
  return object(
      {{"low", to_js(range.low)}, {"likely", to_js(range.likely)}, {"high", to_js(range.high)}});
}

static val to_js(const SpeedPart& part) {
  return object({{"id", to_js(part.id)},
                 {"place", to_js(part.place)},
                 {"resource", to_js(std::string(resource_name(part.resource)))},
                 {"seconds", to_js(part.seconds)},
                 {"formula", to_js(part.formula)},
                 {"evidence", to_js(part.evidence)},
                 {"source", to_js(part.source)}});
}

static val to_js(const Speed& speed) {
  return object({{"generates", to_js(speed.generates)},
                 {"decode_tok_s", to_js(speed.decode_tok_s)},
                 {"decode_tok_s_each", to_js(speed.decode_tok_s_each)},
                 {"prompt_tok_s", to_js(speed.prompt_tok_s)},
                 {"first_token_s", to_js(speed.first_token_s)},
                 {"decode", array(speed.decode)},
                 {"prompt", array(speed.prompt)},
                 {"binding", to_js(static_cast<int>(speed.binding))},
                 {"slow", to_js(speed.slow)}});
}

namespace {

val speed_llama_cpp(InferenceStudy& study, const val& options) {
  const auto question = llama_cpp_from_js(study, options);
  if (!question) return failed(question.error());
  const LlamaCppQuestion& asked = question.value();
  return to_js(study.speed(asked.mix, asked.settings, asked.speed, asked.workload));
}

val speed_serving(InferenceStudy& study, const val& options) {
  const auto question = serving_from_js(options);
  if (!question) return failed(question.error());
  const ServingQuestion& asked = question.value();
  if (!asked.gpu) return failed(Error{"speed_unknown", "gpu", {}});
  return to_js(study.serving_speed(asked.format, asked.settings, *asked.gpu, asked.workload));
}

}  // namespace

EMSCRIPTEN_BINDINGS(speed) {
  emscripten::function("speed_llama_cpp", &speed_llama_cpp);
  emscripten::function("speed_serving", &speed_serving);
}

}  // namespace meyasu
