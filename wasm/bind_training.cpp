// Training: what a step holds at each of its stages, whether it fits the machine, what is the most
// that fits, and known cases.
#include <emscripten/bind.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/advice/training.hpp"
#include "core/fit/training.hpp"
#include "core/launch/training.hpp"
#include "core/training/explain.hpp"
#include "core/training/recipes.hpp"
#include "wasm/convert.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const TrainingStage& stage) {
  return object({{"kind", to_js(stage_name(stage.kind))},
                 {"block", to_js(stage.block)},
                 {"parts", array(stage.parts)},
                 {"total", to_js(stage.total())}});
}

static val to_js(const TrainingFit& fit) {
  return object({{"gpu", to_js(fit.gpu)},
                 {"device", to_js(fit.device)},
                 {"host", to_js(fit.host)},
                 {"disk", to_js(fit.disk)},
                 {"n_gpus", to_js(fit.n_gpus)},
                 {"n_machine", to_js(fit.n_machine)},
                 {"verdict", to_js(verdict_name(fit.verdict()))}});
}

static val to_js(const TrainingSolution& solution) {
  return object({{"value", to_js(solution.value)}, {"at_limit", to_js(solution.at_limit)}});
}

static val to_js(const TrainingDevices& row) {
  return object({{"id", to_js(row.device->id)},
                 {"name", to_js(row.device->name)},
                 {"vendor", to_js(row.device->vendor)},
                 {"memory", to_js(row.device->memory)},
                 {"usable", to_js(row.usable)},
                 {"n", to_js(row.n)},
                 {"sharded", to_js(row.sharded)}});
}

static val to_js(const TrainingAdvice& advice) {
  val kinds = val::array();
  int index = 0;
  for (const TrainingAdviceKind kind : advice.kinds) {
    kinds.set(index++, to_js(training_advice_name(kind)));
  }
  val changes = val::array();
  index = 0;
  for (const OptionChange& change : advice.changes) {
    changes.set(index++,
                object({{"option", to_js(change.option)}, {"value", to_js(change.value)}}));
  }
  return object({{"kinds", kinds},
                 {"changes", changes},
                 {"cost", to_js(advice_cost_name(advice.cost))},
                 {"saving", to_js(advice.saving)},
                 {"margin", to_js(advice.margin)},
                 {"verdict", to_js(verdict_name(advice.verdict))},
                 {"time_low", to_js(advice.time_low)},
                 {"time_high", to_js(advice.time_high)}});
}

static val to_js(const std::vector<TrainingAdvice>& advice) {
  return array(advice);
}

/// As training_from_js reads them.
static val to_js(const TrainingSettings& s) {
  const LoraSettings lora = s.lora.value_or(LoraSettings{});
  return object({
      {"method", name_in(kTrainingMethods, method_of(s))},
      {"precision", name_in(kTrainingPrecisions, s.precision)},
      {"fp32_gradients", to_js(s.fp32_gradients)},
      {"rank", to_js(lora.rank)},
      {"targets", name_in(kLoraTargets, lora.targets)},
      {"lora_dropout", to_js(lora.dropout)},
      {"dora", to_js(lora.dora)},
      {"fp32_adapters", to_js(lora.fp32_adapters)},
      {"save_embeddings", to_js(lora.save_embeddings)},
      {"fp32_embeddings", to_js(lora.fp32_embeddings)},
      {"base", name_in(kBaseFormats, lora.base)},
      {"optimizer", name_in(kOptimizers, s.optimizer)},
      {"update", name_in(kUpdateKinds, s.update)},
      {"galore_rank", to_js(s.galore_rank)},
      {"paged", to_js(s.paged)},
      {"in_backward", to_js(s.in_backward)},
      {"batch", to_js(s.batch)},
      {"sequence", to_js(s.sequence)},
      {"accumulation", to_js(s.accumulation)},
      {"flash_attention", to_js(s.flash_attention)},
      {"fused", to_js(s.fused_norm && s.fused_mlp)},
      {"dropout", to_js(s.dropout)},
      {"expandable_segments", to_js(s.expandable_segments)},
      {"checkpointing", name_in(kCheckpointings, s.checkpointing)},
      {"loss", name_in(kLossPaths, s.loss)},
      {"loss_chunks", to_js(s.loss_chunks)},
      {"eval_batch", to_js(s.eval_batch)},
      {"data_parallel", name_in(kDataParallels, s.data_parallel)},
      {"dp", to_js(s.dp)},
      {"shard_group", to_js(s.shard_group)},
      {"tp", to_js(s.tp)},
      {"sequence_parallel", to_js(s.sequence_parallel)},
      {"pp", to_js(s.pp)},
      {"schedule", name_in(kPipelineSchedules, s.schedule)},
      {"virtual_stages", to_js(s.virtual_stages)},
      {"cp", to_js(s.cp)},
      {"ep", to_js(s.ep)},
      {"deepspeed", to_js(s.deepspeed)},
      {"bucket_view", to_js(s.bucket_view)},
      {"offload", name_in(kStateOffloads, s.offload)},
      {"objective", name_in(kObjectives, s.objective)},
      {"completions", to_js(s.completions)},
      {"reference_model", to_js(s.reference_model)},
      {"rollout_share", to_js(s.rollout_share)},
  });
}

static val to_js(const ComparedWay& row) {
  return object({{"id", to_js(row.way.id)},
                 {"settings", to_js(row.way.settings)},
                 {"usual", to_js(usual_training(method_of(row.way.settings)))},
                 {"bytes", to_js(row.bytes)},
                 {"allocated", to_js(row.allocated)},
                 {"card", to_js(row.card == nullptr ? "" : row.card->id)}});
}

static val to_js(const TrainingComparison& comparison) {
  return object({{"rows", array(comparison.rows)}, {"cards", array(comparison.cards)}});
}

namespace {

struct TrainingQuestion {
  TrainingSettings settings;
  MemoryCounter counter = MemoryCounter::nvidia_smi;
  Machine machine;
};

void read_lora(Options& options, LoraSettings& lora) {
  options.read("rank", lora.rank);
  options.read("targets", kLoraTargets, lora.targets);
  options.read("lora_dropout", lora.dropout);
  options.read("dora", lora.dora);
  options.read("fp32_adapters", lora.fp32_adapters);
  options.read("save_embeddings", lora.save_embeddings);
  options.read("fp32_embeddings", lora.fp32_embeddings);
  options.read("base", kBaseFormats, lora.base);
}

/// TrainingOptions of web/core-types.d.ts; what is absent is as usual for the method.
Result<TrainingQuestion> training_from_js(const val& object) {
  Options options(object);
  TrainingMethod method = TrainingMethod::full;
  options.read("method", kTrainingMethods, method);
  TrainingQuestion question;
  TrainingSettings& s = question.settings;
  s = usual_training(method);
  if (s.lora) read_lora(options, *s.lora);
  options.read("precision", kTrainingPrecisions, s.precision);
  options.read("fp32_gradients", s.fp32_gradients);
  options.read("optimizer", kOptimizers, s.optimizer);
  options.read("update", kUpdateKinds, s.update);
  options.read("galore_rank", s.galore_rank);
  options.read("paged", s.paged);
  options.read("in_backward", s.in_backward);
  options.read("batch", s.batch);
  options.read("sequence", s.sequence);
  options.read("accumulation", s.accumulation);
  options.read("flash_attention", s.flash_attention);
  options.read("fused", s.fused_norm);
  s.fused_mlp = s.fused_norm;
  options.read("dropout", s.dropout);
  options.read("expandable_segments", s.expandable_segments);
  options.read("checkpointing", kCheckpointings, s.checkpointing);
  options.read("loss", kLossPaths, s.loss);
  options.read("loss_chunks", s.loss_chunks);
  options.read("eval_batch", s.eval_batch);
  options.read("data_parallel", kDataParallels, s.data_parallel);
  options.read("shard_group", s.shard_group);
  options.read("tp", s.tp);
  options.read("sequence_parallel", s.sequence_parallel);
  options.read("pp", s.pp);
  options.read("schedule", kPipelineSchedules, s.schedule);
  options.read("virtual_stages", s.virtual_stages);
  options.read("cp", s.cp);
  options.read("ep", s.ep);
  options.read("deepspeed", s.deepspeed);
  options.read("bucket_view", s.bucket_view);
  options.read("offload", kStateOffloads, s.offload);
  options.read("objective", kObjectives, s.objective);
  options.read("completions", s.completions);
  options.read("reference_model", s.reference_model);
  options.read("rollout_share", s.rollout_share);
  options.read("counter", kMemoryCounters, question.counter);
  auto machine = machine_from_js(object["machine"]);
  if (!machine) {
    return Error{machine.error().code, "machine." + machine.error().field, machine.error().detail};
  }
  question.machine = std::move(machine.value());
  use_machine(s, question.machine);
  options.read("dp", s.dp);
  if (options.error()) return *options.error();
  return question;
}

val estimate_training_js(const Model& model, const val& options) {
  const auto question = training_from_js(options);
  if (!question) return failed(question.error());
  const auto& [settings, counter, machine] = question.value();
  const auto made = estimate_training(model, settings);
  if (!made) return failed(made.error());
  const TrainingEstimate& estimate = made.value();
  const auto fit = fit_training(estimate, settings, machine);
  if (!fit) return failed(fit.error());
  return succeeded(
      object({{"settings", to_js(settings)},
              {"stages", array(estimate.stages)},
              {"peak", to_js(static_cast<double>(estimate.peak))},
              {"rank_stage", to_js(estimate.rank_stage)},
              {"stage_peaks", array(estimate.stage_peaks)},
              {"trained", to_js(estimate.trained)},
              {"parameters", to_js(model.n_params())},
              {"allocated", to_js(estimate.peak_bytes())},
              {"counted", to_js(counted_bytes(estimate, counter))},
              {"terms", array(explained_training_terms(model, estimate, settings, estimate.peak,
                                                       MemoryCounter::nvidia_smi))},
              {"fit", to_js(fit.value())}}));
}

/// The terms of one stage as the counter sees them.
val training_stage_terms(const Model& model, const val& options, double stage) {
  const auto question = training_from_js(options);
  if (!question) return val::array();
  const auto& [settings, counter, machine] = question.value();
  const auto estimate = estimate_training(model, settings);
  if (!estimate) return val::array();
  const auto at = static_cast<std::size_t>(std::max(stage, 0.0));
  return array(explained_training_terms(model, estimate.value(), settings, at, counter));
}

/// Largest batch, longest sequence, fewest GPUs of the machine's kind, and of other cards.
val training_limits(const Model& model, const val& options) {
  const auto question = training_from_js(options);
  if (!question) return failed(question.error());
  const auto& [settings, counter, machine] = question.value();
  const auto least = least_device(machine);
  if (!least) return failed(least.error());
  const Bytes usable = least.value().usable.bytes;
  const auto batch = largest_batch(model, settings, usable);
  if (!batch) return failed(batch.error());
  const auto sequence = longest_sequence(model, settings, usable);
  if (!sequence) return failed(sequence.error());
  std::vector<std::string_view> cards(kTrainingCards.begin(), kTrainingCards.end());
  const std::string& own = least.value().usable.device;
  if (std::find(cards.begin(), cards.end(), own) == cards.end()) cards.insert(cards.begin(), own);
  const auto devices = devices_that_train(model, settings, hardware_catalog(), cards);
  if (!devices) return failed(devices.error());
  return succeeded(object({{"batch", to_js(batch.value())},
                           {"sequence", to_js(sequence.value())},
                           {"devices", array(devices.value())}}));
}

val advise_training_js(const Model& model, const val& options) {
  const auto question = training_from_js(options);
  if (!question) return failed(question.error());
  return to_js(advise_training(model, question.value().settings, question.value().machine));
}

val launch_training_js(const val& options, const std::string& framework, const std::string& model) {
  const auto question = training_from_js(options);
  if (!question) return failed(question.error());
  val chosen = val::object();
  chosen.set("framework", framework);
  Options read(chosen);
  TrainingFramework used = TrainingFramework::transformers;
  read.read("framework", kTrainingFrameworks, used);
  const Launch launch = launch_training(used, question.value().settings, model);
  val blocks = val::array();
  int index = 0;
  for (const LaunchBlock& block : launch.blocks) {
    blocks.set(index++, object({{"title", to_js(block.title)},
                                {"file", to_js(block.file)},
                                {"text", to_js(block.text)}}));
  }
  return succeeded(object(
      {{"blocks", blocks}, {"notes", array(launch.notes)}, {"missing", array(launch.missing)}}));
}

val compare_training_js(const Model& model, const val& options) {
  const auto question = training_from_js(options);
  if (!question) return failed(question.error());
  return to_js(compare_training(model, question.value().settings, hardware_catalog()));
}

val training_choices() {
  const auto names = [](const auto& table) {
    val list = val::array();
    int index = 0;
    for (const auto& entry : table) list.set(index++, to_js(entry.first));
    return list;
  };
  return object({{"method", names(kTrainingMethods)},
                 {"precision", names(kTrainingPrecisions)},
                 {"targets", names(kLoraTargets)},
                 {"base", names(kBaseFormats)},
                 {"optimizer", names(kOptimizers)},
                 {"update", names(kUpdateKinds)},
                 {"checkpointing", names(kCheckpointings)},
                 {"loss", names(kLossPaths)},
                 {"data_parallel", names(kDataParallels)},
                 {"schedule", names(kPipelineSchedules)},
                 {"offload", names(kStateOffloads)},
                 {"objective", names(kObjectives)},
                 {"framework", names(kTrainingFrameworks)},
                 {"counter", names(kMemoryCounters)}});
}

val zero_table_js(double parameters, double ranks) {
  constexpr double kMost = 1e15;
  const auto n = static_cast<std::int64_t>(std::clamp(ranks, 1.0, kMost));
  return array(zero_table(std::clamp(parameters, 0.0, kMost), n));
}

val training_presets_js() {
  val list = val::array();
  int index = 0;
  for (const TrainingPreset& preset : training_presets()) {
    list.set(index++, object({{"id", to_js(preset.id)},
                              {"model", to_js(preset.model)},
                              {"device", to_js(preset.device)},
                              {"n_devices", to_js(preset.n_devices)},
                              {"settings", to_js(preset.settings)},
                              {"usual", to_js(usual_training(method_of(preset.settings)))}}));
  }
  return list;
}

}  // namespace

EMSCRIPTEN_BINDINGS(training) {
  emscripten::function("training_choices", &training_choices);
  emscripten::function("training_presets", &training_presets_js);
  emscripten::function("zero_table", &zero_table_js);
  emscripten::function("estimate_training", &estimate_training_js);
  emscripten::function("training_stage_terms", &training_stage_terms);
  emscripten::function("training_limits", &training_limits);
  emscripten::function("advise_training", &advise_training_js);
  emscripten::function("launch_training", &launch_training_js);
  emscripten::function("compare_training", &compare_training_js);
}

}  // namespace meyasu
