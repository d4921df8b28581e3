// Logs of runtimes: what they print, and the same run beside our estimate.
#include <emscripten/bind.h>

#include <string>

#include "core/study/log_check.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const LogFact& fact) {
  return object({{"name", to_js(fact.name)}, {"value", to_js(fact.value)}});
}

static val to_js(const LogBuffer& buffer) {
  return object({{"term", to_js(buffer.term)},
                 {"place", to_js(buffer.place)},
                 {"bytes", to_js(buffer.bytes)}});
}

static val to_js(const MeasuredOverhead& measured) {
  return object({{"device", to_js(measured.device)},
                 {"name", to_js(measured.name)},
                 {"bytes", to_js(measured.bytes)},
                 {"from_nvidia_smi", to_js(measured.from_nvidia_smi)}});
}

static val to_js(const LogRow& row) {
  return object({{"term", to_js(row.term)},
                 {"device", to_js(row.device)},
                 {"logged", to_js(row.logged)},
                 {"estimated", to_js(row.estimated)},
                 {"difference", to_js(row.difference())},
                 {"reason", to_js(row.reason)}});
}

static val to_js(const LogCheck& check) {
  return object({{"rows", array(check.rows)}, {"mix", to_js(check.mix)}});
}

namespace {

/// As changes of options, the form in which the core advises them.
val options(const LogReading& log) {
  val list = val::array();
  int index = 0;
  for (const LogFact& option : options_of_log(log)) {
    list.set(index++, object({{"option", to_js(option.name)}, {"value", to_js(option.value)}}));
  }
  return list;
}

val read_log_js(const std::string& text) {
  const LogReading log = read_log(text);
  return object({{"source", to_js(log_source_name(log.source))},
                 {"buffers", array(log.buffers)},
                 {"facts", array(log.facts)},
                 {"options", options(log)},
                 {"overheads", array(measured_overhead(log))},
                 {"second_model", to_js(log.second_model)},
                 {"truth_rows", to_js(truth_rows(log))}});
}

/// The rows of a log against the estimate with the log's settings over `options`, which are those
/// of estimate_llama_cpp or, for a server's log, of estimate_serving.
val check_log_js(InferenceStudy& study, const std::string& text, const val& options) {
  const LogReading log = read_log(text);
  if (log.source == LogSource::vllm || log.source == LogSource::sglang) {
    const auto question = serving_from_js(options);
    if (!question) return failed(question.error());
    return to_js(check_serving_log(study, log, question.value().format, question.value().settings));
  }
  const auto question = llama_cpp_from_js(options);
  if (!question) return failed(question.error());
  return to_js(check_llama_cpp_log(study, log, question.value().mix, question.value().settings));
}

}  // namespace

EMSCRIPTEN_BINDINGS(meyasu_log) {
  emscripten::function("read_log", &read_log_js);
  emscripten::function("check_log", &check_log_js);
}

}  // namespace meyasu
