// Start-up logs of server runtimes. Rows of one log (same source, model, length, parallelism) stand
// beside each other: what a row does not say (the card's memory, the pool) is taken from them, so
// that every comparison tests one step of the estimate.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "core/quantization/format.hpp"
#include "core/serving/activation.hpp"
#include "core/serving/kv_pool.hpp"
#include "core/serving/sharding.hpp"
#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace serving {
namespace {

using namespace meyasu;

bool is_serving(const CsvTable& table) {
  // The training table has the same columns; its rows differ in `method`.
  if (!table.has_column("framework") || !table.has_column("parallelism")) return false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.field(i, "method") == "serve") return true;
  }
  return false;
}

/// The rows of the log that `row` belongs to.
class Log {
 public:
  Log(const CsvTable& table, const CsvRow& row) : table_(&table), row_(row) {}

  /// The figure of another row of the same log.
  [[nodiscard]] std::optional<double> figure(std::string_view component) const {
    constexpr std::array<std::string_view, 6> kSameIn = {"source",  "framework",   "model",
                                                         "seq_len", "parallelism", "gpu"};
    for (std::size_t i = 0; i < table_->size(); ++i) {
      const CsvRow other(*table_, i);
      if (other["component"] != component) continue;
      bool same = true;
      for (const std::string_view column : kSameIn) same = same && other[column] == row_[column];
      if (same) return other.number("value");
    }
    return std::nullopt;
  }

 private:
  const CsvTable* table_;
  CsvRow row_;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// "TP2 EP2", "PP2 rank1": number after the tag, or `fallback`.
std::int64_t parallel_number(std::string_view text, std::string_view tag, std::int64_t fallback) {
  const std::size_t at = text.find(tag);
  if (at == std::string_view::npos || at + tag.size() >= text.size()) return fallback;
  return text[at + tag.size()] - '0';
}

std::optional<WeightFormat> format_of(std::string_view precision) {
  if (precision == "bf16" || precision == "fp16" || contains(precision, "bf16 kv")) {
    return plain_format(FormatMethod::bf16);
  }
  if (precision == "w8a8 int8") return plain_format(FormatMethod::int8_w8a8);
  if (contains(precision, "awq")) return awq(128);
  if (precision == "fp8") return plain_format(FormatMethod::fp8_block);
  if (contains(precision, "nf4")) return bnb_4bit(FormatMethod::bnb_nf4, true);
  if (precision == "nvfp4") return plain_format(FormatMethod::nvfp4);
  return std::nullopt;
}

/// The name without what says the format: "(unsloth bnb 4bit)", "-AWQ", "-FP8", "-1M".
std::string bare_name(std::string_view name) {
  std::string text(name.substr(0, name.find(" (")));
  for (const std::string_view suffix : {"-AWQ", "-FP8", "-1M"}) {
    if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  }
  return text;
}

/// Tokens of the profile run. vLLM V0 runs the whole length unless it is above 32768, where
/// chunked prefill with 512 tokens starts on its own; V1 always runs its batch of tokens.
std::int64_t profile_tokens(std::string_view framework, std::int64_t max_model_len,
                            const ServingSettings& settings) {
  if (!contains(framework, "V0")) return settings.max_num_batched_tokens;
  return max_model_len > 32768 ? 512 : max_model_len;
}

Bytes bytes_of_gib(double gib) {
  return static_cast<Bytes>(std::llround(gib * static_cast<double>(kGiB)));
}

struct Setup {
  const Model* model = nullptr;
  std::optional<WeightFormat> format;
  ServingSettings settings;
  std::int64_t stage = 0;
  std::int64_t profile_tokens = 0;
  bool is_vllm = false;
  bool chunked_v0 = false;
};

Bytes weights_of(const Setup& setup) {
  const auto bytes = tensor_bytes_in(*setup.model, *setup.format);
  const Bytes rope = setup.is_vllm ? rope_cache_bytes(*setup.model) : 0;
  return stage_weight_bytes(*setup.model, bytes, setup.settings.parallel, setup.stage) + rope;
}

Bytes activation_of(const Setup& setup) {
  const Bytes body =
      body_activation_bytes(*setup.model, setup.profile_tokens, setup.settings.parallel.tp);
  // Only the last stage samples. With V0's automatic chunks no row of the profile run is a whole
  // prompt, so nothing is sampled either.
  const bool samples = setup.stage == setup.settings.parallel.pp - 1 && !setup.chunked_v0;
  if (!samples) return body;
  return std::max(body, sampler_bytes(*setup.model, setup.settings.max_num_seqs));
}

struct Answer {
  std::optional<double> estimate;
  std::string reason;
  std::string terms;
};

Answer none(std::string reason) {
  return {std::nullopt, std::move(reason), {}};
}

/// Bytes of the pool as the log gives them.
std::optional<double> pool_bytes(const Log& log) {
  if (const auto bytes = log.figure("kv_bytes")) return *bytes;
  if (const auto gib = log.figure("kv_mem")) return *gib * static_cast<double>(kGiB);
  const auto k = log.figure("k_size");
  const auto v = log.figure("v_size");
  if (k && v) return (*k + *v) * static_cast<double>(kGiB);
  if (const auto free = log.figure("free_before_kv")) {
    return *free * 0.9 * static_cast<double>(kGiB);  // the fraction that this log names
  }
  return std::nullopt;
}

Answer pool_answer(const Setup& setup, const Log& log, std::string_view component) {
  const auto bytes = pool_bytes(log);
  if (!bytes) return none("the log does not give the pool in bytes");
  if (*bytes <= 0) return {0.0, {}, "no pool is left"};
  const KvPool pool =
      kv_pool(*setup.model, setup.settings, static_cast<Bytes>(std::llround(*bytes)), setup.stage);
  const std::string terms = "page " + std::to_string(pool.page_bytes) + " B";
  if (component == "kv_tokens") return {static_cast<double>(pool.n_tokens), {}, terms};
  if (component == "kv_blocks") return {static_cast<double>(pool.n_pages), {}, terms};
  return {pool.max_concurrency, {}, terms};
}

Answer answer_of(const Setup& setup, const Log& log, std::string_view component) {
  if (component == "kv_tokens" || component == "kv_blocks" || component == "max_concurrency") {
    return pool_answer(setup, log, component);
  }
  if (component == "act_peak") return {to_gib(activation_of(setup)), {}, "max(body, sampler)"};
  if (component == "weights" || component == "torch_peak") {
    if (!setup.format) return none("the row does not name a weight format");
    const Bytes weights = weights_of(setup);
    if (component == "weights") return {to_gib(weights), {}, "weights + rope table"};
    return {to_gib(weights + activation_of(setup)), {}, "weights + activation peak"};
  }
  if (component == "k_size" || component == "v_size") {
    const auto tokens = log.figure("kv_tokens");
    if (!tokens) return none("the log does not give the tokens");
    Bytes per_token = 0;
    for (const Layer& layer : setup.model->layers) {
      per_token += kv_bytes_per_token(layer, setup.settings.kv_type, setup.settings.parallel.tp);
    }
    return {*tokens * static_cast<double>(per_token) / 2 / static_cast<double>(kGiB),
            {},
            "half of K and V"};
  }
  if (component == "gpu_total" || component == "util" || component == "free_before_kv") {
    return none("an input of the estimate");
  }
  if (component == "kv_mem" || component == "kv_bytes") {
    return none("an input here: what the budget leaves after terms that are ranges");
  }
  return none("given as a range, not as one number");
}

std::optional<Setup> setup_of(const CsvRow& row, const Log& log, ModelStore& models) {
  Setup setup;
  setup.model = models.by_loose_name(bare_name(row["model"]));
  if (setup.model == nullptr) return std::nullopt;
  const std::string_view framework = row["framework"];
  const std::string_view parallel = row["parallelism"];
  setup.format = format_of(row["precision"]);
  setup.is_vllm = contains(framework, "vLLM");

  ServingSettings settings;
  settings.runtime = setup.is_vllm                     ? ServingRuntime::vllm
                     : contains(framework, "TensorRT") ? ServingRuntime::tensorrt_llm
                                                       : ServingRuntime::sglang;
  settings.parallel.tp = parallel_number(parallel, "TP", 1);
  settings.parallel.pp = parallel_number(parallel, "PP", 1);
  settings.device_total = bytes_of_gib(log.figure("gpu_total").value_or(80));
  settings.max_model_len = row.integer("seq_len");
  // V0 of 2024 had one default for all cards.
  if (contains(framework, "V0")) settings.max_num_seqs = 256;
  if (contains(row["note"], "64 tokens/block")) settings.block_size = 64;
  if (contains(row["precision"], "per-token-head")) {
    settings.kv_type = KvCacheType::int8_per_token_head;
  }
  const auto filled = with_defaults(settings, *setup.model);
  if (!filled) return std::nullopt;
  setup.settings = filled.value();
  setup.stage = parallel_number(parallel, "rank", 0);
  setup.profile_tokens = profile_tokens(framework, setup.settings.max_model_len, setup.settings);
  setup.chunked_v0 = contains(framework, "V0") && setup.settings.max_model_len > 32768;
  return setup;
}

Evaluation evaluate(const CsvTable& table, ModelStore& models) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    const std::string id = "line " + std::to_string(i + 2);
    const std::string component(row["component"]);
    const Log log(table, row);
    if (contains(row["precision"], "int2 kv")) {
      evaluation.unsupported.push_back({id, component, {}, "a cache of 2 bits has no estimate"});
      continue;
    }
    const auto setup = setup_of(row, log, models);
    if (!setup) {
      evaluation.unsupported.push_back({id, component, {}, "the model is in no catalog"});
      continue;
    }
    const Answer answer = answer_of(*setup, log, component);
    if (!answer.estimate) {
      evaluation.unsupported.push_back({id, component, {}, answer.reason});
      continue;
    }
    const double measured = row.number("value");
    ++evaluation.estimated;
    evaluation.comparisons.push_back(
        {id,
         component,
         std::string(row["model"]),
         {},
         *answer.estimate,
         measured,
         relative_error(*answer.estimate, measured, half_last_digit(row["value"])),
         answer.terms});
  }
  return evaluation;
}

}  // namespace
}  // namespace serving

const TableEvaluator kServing = {"serving", serving::is_serving, serving::evaluate};

}  // namespace validate
