#include "core/serving/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/serving/activation.hpp"
#include "core/serving/sharding.hpp"

namespace meyasu {
namespace {

struct Range {
  Bytes low = 0;
  Bytes likely = 0;
  Bytes high = 0;
};

constexpr Bytes mib(std::int64_t n) {
  return n * kMiB;
}

Term range_term(std::string id, Range range, Formula formula, Evidence evidence,
                std::string source) {
  return {std::move(id),      "gpu0",   range.likely,     range.low, range.high,
          std::move(formula), evidence, std::move(source)};
}

/// Growth of the process after its start besides tensors: kernels, cuBLAS, communicators. Readings
/// of vLLM's `non_torch`: one GPU 0.02-0.35 GiB, tensor parallel up to 2.1 GiB with NCCL on
/// data-centre cards (overhead.csv of the tests).
Range non_torch(const Parallelism& parallel) {
  if (parallel.tp == 1 && parallel.pp == 1) return {mib(20), mib(150), mib(350)};
  return {mib(100), mib(550), mib(2150)};
}

/// CUDA graphs of vLLM V1: 0.11-0.96 GiB in logs, more with more captured batch sizes.
Range cuda_graphs(const ServingSettings& s) {
  if (s.enforce_eager) return {};
  return {mib(100), mib(500), mib(1024)};
}

/// The context of the process is outside the budget since December 2024.
constexpr Range kContext = {mib(120), mib(450), mib(700)};

/// A rounding of the residual over the weight formula that logs show: 0.1-0.4 % on one GPU, 1.2 %
/// with two (not explained).
Range weight_range(Bytes weights, const Parallelism& parallel) {
  const Bytes more = parallel.tp > 1 ? weights / 80 : weights / 250;
  return {weights, weights, weights + more};
}

/// Everything a rank of one stage takes; the KV pool is what the budget leaves.
struct StagePlan {
  std::int64_t stage = 0;
  StageWeights split;
  Bytes weights = 0;  // with the rope table
  Bytes rope = 0;
  Bytes activation = 0;
  Bytes kv = 0;
  KvPool pool;
};

Bytes fraction_of(Bytes bytes, double fraction) {
  return static_cast<Bytes>(std::floor(static_cast<double>(bytes) * fraction));
}

/// Rows of logits that are sampled at the peak. vLLM's profile run takes every place. SGLang runs
/// none; what it reserves is for its largest graph. TensorRT-LLM's dry run is prompts alone.
std::int64_t sampled_rows(const ServingSettings& s) {
  switch (s.runtime) {
    case ServingRuntime::vllm:
      return s.max_num_seqs;
    case ServingRuntime::sglang:
      return std::min(std::max(sglang_graph_batch(s), s.users), s.max_num_seqs);
    case ServingRuntime::tensorrt_llm:
      return 0;
  }
  return 0;
}

Bytes activation_bytes(const Model& model, const ServingSettings& s, std::int64_t stage) {
  const Bytes body = body_activation_bytes(model, s.max_num_batched_tokens, s.parallel.tp);
  const bool samples = stage == s.parallel.pp - 1 && !model.is_encoder;
  return samples ? std::max(body, sampler_bytes(model, sampled_rows(s))) : body;
}

Bytes kv_bytes_left(const ServingSettings& s, Bytes weights, Bytes activation) {
  const Bytes growth = non_torch(s.parallel).likely;
  switch (s.runtime) {
    case ServingRuntime::vllm:
      return fraction_of(s.device_total, s.memory_fraction) - weights - activation - growth -
             cuda_graphs(s).likely;
    case ServingRuntime::sglang:
      // Activations and graphs live in the part that the fraction leaves out.
      return fraction_of(s.device_total - kContext.likely, s.memory_fraction) - weights - growth;
    case ServingRuntime::tensorrt_llm:
      // A fraction of what is free after the weights and the workspace, not of the whole card.
      return fraction_of(s.device_total - kContext.likely - weights - activation - growth,
                         s.memory_fraction);
  }
  return 0;
}

StagePlan plan_stage(const Model& model, std::span<const Bytes> tensor_bytes,
                     const ServingSettings& s, std::int64_t stage) {
  StagePlan plan;
  plan.stage = stage;
  plan.rope = s.runtime == ServingRuntime::vllm ? rope_cache_bytes(model) : 0;
  plan.split = stage_weights(model, tensor_bytes, s.parallel, stage);
  plan.weights = plan.split.bytes() + plan.rope;
  plan.activation = activation_bytes(model, s, stage);
  plan.kv = std::max<Bytes>(0, kv_bytes_left(s, plan.weights, plan.activation));
  plan.pool = kv_pool(model, s, plan.kv, stage);
  // Without a cache, only the batch limits how many texts are read at a time.
  if (model.is_encoder && plan.kv > 0) {
    plan.pool.max_concurrency = static_cast<double>(s.max_num_seqs);
  }
  return plan;
}

/// Of a plan whose weights and pages are known.
LayerCosts rank_costs(const Model& model, const Parallelism& parallel, const StagePlan& plan) {
  const StageLayers range = stage_layers(model, parallel.pp, plan.stage);
  const KvPool& pool = plan.pool;
  LayerCosts costs;
  costs.outside_weights = plan.split.outside + plan.rope;
  costs.outside_cache = pool.pages_per_request * pool.page_bytes;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const auto in_stage = static_cast<std::size_t>(i - range.begin);
    LayerCost cost{
        .layer = static_cast<int>(i), .device = 0, .weights = plan.split.blocks[in_stage]};
    if (in_stage < pool.request.size()) {
      cost.kv_cache = pool.request[in_stage].cells;
      cost.recurrent_state = pool.request[in_stage].state;
    }
    costs.outside_cache -= cost.kept();
    costs.blocks.push_back(cost);
  }
  return costs;
}

const char* weights_source(ServingRuntime runtime) {
  switch (runtime) {
    case ServingRuntime::vllm:
      return "vllm/v1/worker/gpu_worker.py, model_executor/layers/linear.py";
    case ServingRuntime::sglang:
      return "sglang/srt/model_executor/model_runner.py";
    case ServingRuntime::tensorrt_llm:
      return "TensorRT-LLM docs: memory usage";
  }
  return "";
}

const char* pool_expression(ServingRuntime runtime) {
  switch (runtime) {
    case ServingRuntime::vllm:
      return "total * gpu_memory_utilization - weights - activations - non_torch - graphs; "
             "floor(kv_pool / page) = pages";
    case ServingRuntime::sglang:
      return "(total - context) * mem_fraction_static - weights - non_torch; "
             "floor(kv_pool / page) = pages";
    case ServingRuntime::tensorrt_llm:
      return "(total - context - weights - activations - non_torch) * fraction; "
             "floor(kv_pool / page) = pages";
  }
  return "";
}

std::vector<Term> make_terms(const Model& model, const ServingSettings& s, const StagePlan& plan) {
  const Parallelism& p = s.parallel;
  const bool sampler =
      plan.activation > body_activation_bytes(model, s.max_num_batched_tokens, p.tp);
  std::vector<Term> terms;
  terms.push_back(
      range_term("weights", weight_range(plan.weights, p),
                 {"sum(linears) / tp + vocabulary tables / tp + replicated + rope table",
                  {count_input("tp", p.tp), count_input("pp", p.pp),
                   count_input("rope_cache", plan.rope, "B")}},
                 Evidence::derived, weights_source(s.runtime)));
  const Range activation = {plan.activation - plan.activation / 20, plan.activation,
                            plan.activation + plan.activation * 3 / 10};
  terms.push_back(range_term(
      "activations", activation,
      sampler
          ? Formula{"40 B * rows * n_vocab",
                    {count_input("rows", sampled_rows(s)), count_input("n_vocab", model.n_vocab)}}
          : Formula{"max_num_batched_tokens * 2 B * (3 * n_ff / tp + 3 * n_embd)",
                    {count_input("max_num_batched_tokens", s.max_num_batched_tokens),
                     count_input("n_embd", model.n_embd), count_input("tp", p.tp)}},
      s.runtime == ServingRuntime::vllm ? Evidence::derived : Evidence::assumed,
      "profile run, vllm/v1/worker/gpu_model_runner.py"));
  terms.push_back(range_term("non_torch", non_torch(p), {"readings", {count_input("tp", p.tp)}},
                             Evidence::measured, "overhead.csv"));
  const Range graphs = cuda_graphs(s);
  if (graphs.high > 0) {
    terms.push_back(
        range_term("cuda_graphs", graphs, {"readings", {}}, Evidence::measured, "overhead.csv"));
  }
  if (!model.is_encoder) {
    terms.push_back(exact_term("kv_pool", "gpu0", plan.kv,
                               {pool_expression(s.runtime),
                                {count_input("total", s.device_total, "B"),
                                 {"fraction", s.memory_fraction, ""},
                                 count_input("page", plan.pool.page_bytes, "B"),
                                 count_input("pages", plan.pool.n_pages),
                                 count_input("pages_per_request", plan.pool.pages_per_request)}},
                               Evidence::derived, weights_source(s.runtime)));
  }
  terms.push_back(
      range_term("device_context", kContext, {"readings", {}}, Evidence::measured, "overhead.csv"));
  return terms;
}

}  // namespace

Result<ServingEstimate> estimate_serving(const Model& model, std::span<const Bytes> tensor_bytes,
                                         const ServingSettings& settings) {
  if (model.layers.empty()) return Error{"arch_unknown", "model", model.architecture};
  const Result<ServingSettings> filled = with_defaults(settings, model);
  if (!filled) return filled.error();
  const ServingSettings& s = filled.value();

  StagePlan tightest = plan_stage(model, tensor_bytes, s, 0);
  for (std::int64_t stage = 1; stage < s.parallel.pp; ++stage) {
    StagePlan plan = plan_stage(model, tensor_bytes, s, stage);
    if (plan.pool.page_bytes == 0) continue;  // its blocks keep nothing
    const bool tighter =
        tightest.pool.page_bytes == 0 || plan.pool.max_concurrency < tightest.pool.max_concurrency;
    if (tighter) tightest = std::move(plan);
  }

  ServingEstimate estimate;
  estimate.settings = s;
  estimate.stage = tightest.stage;
  estimate.budget = fraction_of(s.device_total, s.memory_fraction);
  estimate.terms = make_terms(model, s, tightest);
  estimate.starts = model.is_encoder ? tightest.pool.max_concurrency > 0
                                     : tightest.pool.n_pages >= tightest.pool.pages_per_request &&
                                           tightest.pool.n_pages > 0;
  estimate.layers = rank_costs(model, s.parallel, tightest);
  estimate.pool = std::move(tightest.pool);
  if (model.n_ctx_train > 0 && s.max_model_len > model.n_ctx_train) {
    estimate.warnings.push_back({"ctx_over", "max_model_len", std::to_string(model.n_ctx_train)});
  }
  return estimate;
}

}  // namespace meyasu
