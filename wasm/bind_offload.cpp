// The offload planner: the best policy, what lies where, and what a change would give.
#include <emscripten/bind.h>

#include <memory>
#include <string>
#include <vector>

#include "core/offload/known_cases.hpp"
#include "core/offload/run.hpp"
#include "core/study/latency.hpp"
#include "wasm/convert.hpp"
#include "wasm/machine_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const TierShares& shares) {
  return object(
      {{"gpu", to_js(shares.gpu)}, {"cpu", to_js(shares.cpu)}, {"disk", to_js(shares.disk)}});
}

static val to_js(const OffloadTier& tier) {
  return object({{"tier", to_js(tier.tier)},
                 {"capacity", to_js(tier.capacity)},
                 {"used", to_js(tier.used)},
                 {"spare", to_js(tier.spare())},
                 {"terms", array(tier.terms)}});
}

static val to_js(const PathTime& path) {
  return object({{"path", to_js(path.path)},
                 {"begin", to_js(path.begin)},
                 {"seconds", to_js(path.seconds)},
                 {"binding", to_js(path.binding)}});
}

static val to_js(const RealisedRam& ram) {
  return object({{"block_weights", to_js(ram.block_weights)},
                 {"outer_weights", to_js(ram.outer_weights)},
                 {"cache", to_js(ram.cache)},
                 {"activations", to_js(ram.activations)},
                 {"copy_buffers", to_js(ram.copy_buffers)},
                 {"process", to_js(ram.process)},
                 {"total", to_js(ram.total())}});
}

static val to_js(const OffloadPlan& plan) {
  const OffloadPolicy& policy = plan.best.policy;
  return object({{"gpu_batch", to_js(policy.gpu_batch)},
                 {"n_batches", to_js(policy.n_batches)},
                 {"block", to_js(policy.block())},
                 {"weights", to_js(policy.weights)},
                 {"cache", to_js(policy.cache)},
                 {"activations", to_js(policy.activations)},
                 {"realised", to_js(plan.realised)},
                 {"realised_tokens_per_second", to_js(plan.realised_tokens_per_second)},
                 {"ram", to_js(plan.ram)},
                 {"pinned", to_js(plan.pinned)},
                 {"tiers", array(plan.tiers)},
                 {"paths", array(plan.paths)},
                 {"layer_seconds", to_js(plan.best.times.decode_layer)},
                 {"seconds", to_js(plan.best.times.total())},
                 {"low", to_js(plan.low)},
                 {"likely", to_js(plan.likely)},
                 {"high", to_js(plan.high)},
                 {"formula", to_js(plan.formula)},
                 {"evidence", to_js(plan.evidence)},
                 {"source", to_js(plan.source)},
                 {"model_bytes", to_js(plan.model_bytes)},
                 {"fits_gpu", to_js(plan.fits_gpu)},
                 {"refusals", array(plan.refusals)}});
}

static val to_js(const BlockPoint& point) {
  return object({{"block", to_js(point.block)},
                 {"tokens_per_second", to_js(point.tokens_per_second)},
                 {"seconds", to_js(point.seconds)}});
}

static val to_js(const WhatIf& row) {
  return object({{"change", to_js(row.change)},
                 {"part", to_js(row.part)},
                 {"tokens_per_second", to_js(row.tokens_per_second)}});
}

static val to_js(const StreamingRow& row) {
  constexpr const char* kHomes[] = {"gpu", "cpu", "disk"};
  return object({{"runtime", val(row.runtime == StreamingRuntime::accelerate ? "accelerate"
                                                                             : "zero_inference")},
                 {"home", val(kHomes[static_cast<int>(row.home)])},
                 {"batch", to_js(row.batch)},
                 {"tokens_per_second", to_js(row.tokens_per_second)}});
}

static val to_js(const LatencyRow& row) {
  return object({{"runtime", to_js(latency_runtime_name(row.runtime))},
                 {"mix", to_js(row.mix)},
                 {"flags", to_js(row.flags)},
                 {"gpu", to_js(row.gpu)},
                 {"host", to_js(row.host)},
                 {"disk", to_js(row.disk)},
                 {"low", to_js(row.low)},
                 {"likely", to_js(row.likely)},
                 {"high", to_js(row.high)},
                 {"missing", to_js(row.missing)},
                 {"missing_on", to_js(row.missing_on)},
                 {"formula", to_js(row.formula)},
                 {"evidence", to_js(row.evidence)},
                 {"source", to_js(row.source)}});
}

static val to_js(const LatencyReference& reference) {
  return object({{"program", to_js(reference.program)},
                 {"model", to_js(reference.model)},
                 {"machine", to_js(reference.machine)},
                 {"low", to_js(reference.low)},
                 {"high", to_js(reference.high)},
                 {"applies", to_js(reference.applies)},
                 {"source", to_js(reference.source)}});
}

static val to_js(const KnownCase& known) {
  return object({{"id", to_js(known.id)},
                 {"group", to_js(known.group)},
                 {"model", to_js(known.model)},
                 {"title", to_js(known.title)},
                 {"device", to_js(known.device)},
                 {"n_devices", to_js(known.n_devices)},
                 {"ram_gib", to_js(known.ram_gib)},
                 {"ram_class", to_js(known.ram_class)},
                 {"storage", to_js(known.storage)},
                 {"storage_free_gb", to_js(known.storage_free_gb)},
                 {"block", to_js(known.block)},
                 {"compress", to_js(known.compress)},
                 {"percent", to_js(known.percent)},
                 {"pin", to_js(known.pin)},
                 {"published", to_js(known.published)},
                 {"source", to_js(known.source)}});
}

/// A plain value, so that another thread can have it.
static val to_js(const OffloadShape& shape) {
  return object({{"n_layer", to_js(shape.n_layer)},
                 {"n_embd", to_js(shape.n_embd)},
                 {"n_ff", to_js(shape.n_ff)},
                 {"n_head", to_js(shape.n_head)},
                 {"matrix_elements", to_js(shape.matrix_elements)},
                 {"active_matrix_elements", to_js(shape.active_matrix_elements)},
                 {"kv_elements", to_js(shape.kv_elements)},
                 {"attention_width", to_js(shape.attention_width)},
                 {"attention_matrices", array(shape.attention_matrices)},
                 {"feed_forward_matrices", array(shape.feed_forward_matrices)},
                 {"outer_elements", to_js(shape.outer_elements)},
                 {"embedding_elements", to_js(shape.embedding_elements)},
                 {"position_elements", to_js(shape.position_elements)},
                 {"tied_embeddings", to_js(shape.tied_embeddings)},
                 {"projected_embeddings", to_js(shape.projected_embeddings)},
                 {"post_norm", to_js(shape.post_norm)}});
}

namespace {

OffloadShape shape_from_js(const val& object) {
  Options options(object);
  OffloadShape shape;
  options.read("n_layer", shape.n_layer);
  options.read("n_embd", shape.n_embd);
  options.read("n_ff", shape.n_ff);
  options.read("n_head", shape.n_head);
  options.read("matrix_elements", shape.matrix_elements);
  options.read("active_matrix_elements", shape.active_matrix_elements);
  options.read("kv_elements", shape.kv_elements);
  options.read("attention_width", shape.attention_width);
  shape.attention_matrices = emscripten::vecFromJSArray<double>(object["attention_matrices"]);
  shape.feed_forward_matrices = emscripten::vecFromJSArray<double>(object["feed_forward_matrices"]);
  options.read("outer_elements", shape.outer_elements);
  options.read("embedding_elements", shape.embedding_elements);
  options.read("position_elements", shape.position_elements);
  options.read("tied_embeddings", shape.tied_embeddings);
  options.read("projected_embeddings", shape.projected_embeddings);
  options.read("post_norm", shape.post_norm);
  return shape;
}

struct Asked {
  Machine machine;
  OffloadQuestion question;
};

Result<Asked> asked_in(const val& options_object) {
  auto machine = machine_from_js(options_object["machine"]);
  if (!machine.ok()) {
    return Error{machine.error().code, "machine." + machine.error().field, machine.error().detail};
  }
  Asked asked;
  asked.machine = std::move(machine.value());
  Options options(options_object);
  options.read("prompt", asked.question.work.prompt);
  options.read("generated", asked.question.work.generated);
  options.read("block", asked.question.block);
  options.read("compress", asked.question.settings.compress_weights);
  asked.question.settings.compress_cache = asked.question.settings.compress_weights;
  options.read("cpu_attention", asked.question.settings.cpu_attention);
  options.read("pin", asked.question.pin);
  options.read("authors_rates", asked.question.authors_rates);
  const std::string percent = options.text("percent").value_or("");
  if (!percent.empty()) {
    const auto placement = policy_from_percent(percent);
    if (!placement.ok()) return placement.error();
    asked.question.placement = placement.value();
  }
  if (options.error()) return *options.error();
  if (options.given("block") && asked.question.block == 0) return Error{"batch_zero", "block", {}};
  return asked;
}

val offload_shape_js(const Model& model) {
  return to_js(offload_shape(model));
}

using RunPointer = std::shared_ptr<OffloadRun>;

val offload_run(const val& shape, const val& options) {
  const auto asked = asked_in(options);
  if (!asked.ok()) return failed(asked.error());
  auto run = OffloadRun::start(shape_from_js(shape), asked.value().machine, asked.value().question);
  if (!run.ok()) return failed(run.error());
  return succeeded(val(std::make_shared<OffloadRun>(std::move(run.value()))));
}

std::string step(OffloadRun& run) {
  constexpr const char* kParts[] = {"", "plan", "others", "curve", "what_if"};
  return kParts[static_cast<int>(run.step())];
}

val plan(const OffloadRun& run) {
  return run.plan() ? to_js(*run.plan()) : val::null();
}
val others(const OffloadRun& run) {
  return array(run.others());
}
val curve(const OffloadRun& run) {
  return array(run.curve());
}
val changes(const OffloadRun& run) {
  return array(run.what_if());
}

/// Empty when the question is refused: the run of it says why.
val offload_latency(InferenceStudy& study, const val& options) {
  const auto asked = asked_in(options);
  if (!asked.ok()) return val::array();
  return array(latency_rows(study, asked.value().machine, asked.value().question));
}
val offload_references(const InferenceStudy& study) {
  return array(latency_references(study.model()));
}
val offload_cases() {
  return array(known_cases());
}

}  // namespace

EMSCRIPTEN_BINDINGS(offload) {
  emscripten::class_<OffloadRun>("OffloadRun")
      .smart_ptr<RunPointer>("OffloadRunPointer")
      .function("step", &step)
      .function("progress", &OffloadRun::progress)
      .function("plan", &plan)
      .function("others", &others)
      .function("curve", &curve)
      .function("what_if", &changes);
  emscripten::function("offload_shape", &offload_shape_js);
  emscripten::function("offload_run", &offload_run);
  emscripten::function("offload_latency", &offload_latency);
  emscripten::function("offload_references", &offload_references);
  emscripten::function("offload_cases", &offload_cases);
}

}  // namespace meyasu
