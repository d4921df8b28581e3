#include "core/offload/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "core/serving/pytorch_context.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

// Without a stated size a common disk is taken.
constexpr Bytes kUsualDisk = 1000 * kGB;
const char* const kSource =
    "arXiv 2303.06865, section 4.2 and appendix A.3; FlexLLMGen experimental/cost_model.py";

/// Between host and the first device, GB/s one way; 0: unknown.
double link_of(const Machine& machine) {
  if (machine.link) return machine.link->bandwidth_gb_s;
  return machine.devices.empty() ? 0 : link_gb_s(machine.devices.front().device.link);
}

/// The best split of a block of this size into GPU batches.
std::optional<PlannedPolicy> best_of_block(const OffloadShape& shape, const OffloadMachine& machine,
                                           const OffloadQuestion& question, std::int64_t block) {
  std::optional<PlannedPolicy> best;
  for (std::int64_t g = 1; g <= std::min(block, question.settings.largest_gpu_batch); ++g) {
    if (block % g != 0) continue;
    const auto plan =
        best_placement(shape, machine, question.work, question.settings, g, block / g);
    if (plan && (!best || plan->times.tokens_per_second > best->times.tokens_per_second)) {
      best = plan;
    }
  }
  return best;
}

/// A placement that was asked for, in the split of its block that is fastest and leaves the GPU
/// room; where none does, the smallest.
PlannedPolicy asked_placement(const OffloadShape& shape, const OffloadMachine& machine,
                              const OffloadQuestion& question) {
  // FlexLLMGen's own default, `--gpu-batch-size 4 --num-gpu-batches 1`.
  constexpr std::int64_t kDefaultBatch = 4;
  const std::int64_t block = question.block > 0 ? question.block : kDefaultBatch;
  const SearchSettings& settings = question.settings;
  std::optional<PlannedPolicy> best;
  for (std::int64_t g = 1; g <= std::min(block, settings.largest_gpu_batch); ++g) {
    if (block % g != 0) continue;
    PlannedPolicy plan;
    plan.policy = *question.placement;
    plan.policy.gpu_batch = g;
    plan.policy.n_batches = block / g;
    plan.policy.compress_weights = settings.compress_weights;
    plan.policy.compress_cache = settings.compress_cache;
    plan.policy.cpu_attention = settings.cpu_attention && !settings.compress_cache;
    // Tensors move whole: what is asked for and what happens can differ much.
    OffloadPolicy real = plan.policy;
    real.weights = realised_weights(shape, plan.policy.weights);
    plan.times = pass_times(shape, machine.rates, question.work, real);
    plan.peaks = offload_peaks(shape, question.work, real);
    const bool fits = plan.peaks.gpu_code() <= static_cast<double>(machine.gpu);
    const bool faster = best && plan.times.tokens_per_second > best->times.tokens_per_second;
    if (!best || (fits && faster)) best = plan;
  }
  return *best;
}

Term term(const char* id, const char* tier, double bytes, const char* expression,
          std::vector<FormulaInput> inputs, Evidence evidence = Evidence::derived) {
  return exact_term(id, tier, to_bytes(bytes), {expression, std::move(inputs)}, evidence, kSource);
}

std::vector<OffloadTier> tiers_of(const OffloadShape& shape, const OffloadMachine& machine,
                                  const OffloadQuestion& question, const PlannedPolicy& plan) {
  const OffloadPolicy& p = plan.policy;
  const double ratio = p.compress_weights ? kGroupwise4BitRatio : 1;
  const double cache_ratio = p.compress_cache ? kGroupwise4BitRatio : 1;
  const double layer = 2 * shape.matrix_elements * ratio;
  const double weights = layer * shape.n_layer;
  const double length = question.work.prompt + question.work.generated;
  const double cache = 2 * shape.kv_elements * cache_ratio * p.block() * shape.n_layer * length;
  const double activations = 2 * shape.n_embd * question.work.prompt * p.block();
  const auto shares = [&](const char* tier, double w, double k, double a) {
    std::vector<Term> terms;
    if (w > 0) {
      terms.push_back(term("weights", tier, weights * w, "2 x elements x n_layer x share",
                           {{"elements", shape.matrix_elements, ""},
                            {"n_layer", static_cast<double>(shape.n_layer), ""},
                            {"share", w, ""}}));
    }
    if (k > 0) {
      terms.push_back(term("kv_cache", tier, cache * k,
                           "2 x kv_elements x n_layer x (s + n) x b x share",
                           {{"kv_elements", shape.kv_elements, ""},
                            {"n_layer", static_cast<double>(shape.n_layer), ""},
                            {"s + n", length, ""},
                            {"b", p.block(), ""},
                            {"share", k, ""}}));
    }
    if (a > 0) {
      terms.push_back(term("activations", tier, activations * a, "2 x n_embd x s x b x share",
                           {{"n_embd", shape.n_embd, ""},
                            {"s", question.work.prompt, ""},
                            {"b", p.block(), ""},
                            {"share", a, ""}}));
    }
    return terms;
  };
  const auto rest = [](const char* tier, std::vector<Term>& terms, double peak) {
    double sum = 0;
    for (const Term& one : terms) sum += static_cast<double>(one.bytes);
    if (peak - sum >= 1) {
      terms.push_back(term("compute_buffer", tier, peak - sum, "peak - shares",
                           {{"peak", peak, "B"}, {"shares", sum, "B"}}));
    }
  };
  std::vector<OffloadTier> tiers = {
      {"gpu", machine.gpu, 0, shares("gpu", p.weights.gpu, p.cache.gpu, p.activations.gpu)},
      {"host", machine.cpu, 0, shares("host", p.weights.cpu, p.cache.cpu, p.activations.cpu)},
      {"disk", machine.disk, 0, shares("disk", p.weights.disk, p.cache.disk, 0)}};
  rest("gpu", tiers[0].terms, plan.peaks.gpu_code());
  rest("host", tiers[1].terms, plan.peaks.cpu());
  return tiers;
}

std::vector<PathTime> paths_of(const OffloadShape& shape, const OffloadMachine& machine,
                               const OffloadQuestion& question, const PlannedPolicy& plan) {
  const DecodeTimes d = decode_times(shape, machine.rates, question.work, plan.policy);
  std::vector<PathTime> paths = {{"up", 0, d.up, false},
                                 {"up_cache", d.up, d.up_cache, false},
                                 {"read", d.up, d.read, false},
                                 {"compute", d.up, d.compute, false},
                                 {"gpu_memory", d.up, d.gpu_memory, false},
                                 {"down", d.up, d.down, false},
                                 {"write", d.up, d.write, false}};
  auto longest = std::max_element(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
    return a.seconds < b.seconds;
  });
  longest->binding = true;
  return paths;
}

constexpr std::size_t kGpuTier = 0;
constexpr std::size_t kHostTier = 1;
constexpr std::size_t kDiskTier = 2;

/// Tables and head are placed like any group of matrices: by where the middle of the largest falls.
std::size_t home_of_outer(const TierShares& weights) {
  constexpr double kMiddle = 0.5;
  if (kMiddle < weights.disk) return kDiskTier;
  return kMiddle < weights.disk + weights.cpu ? kHostTier : kGpuTier;
}

Term outer_term(const OffloadShape& shape) {
  // A tied table is loaded twice, as input and as head.
  const double twice = shape.tied_embeddings ? shape.embedding_elements : 0;
  return term(
      "embeddings", "", 2 * (shape.outer_elements + twice), "2 x (tables + head)",
      {{"tables", shape.embedding_elements + shape.position_elements, ""},
       {"head", shape.outer_elements + twice - shape.embedding_elements - shape.position_elements,
        ""}});
}

/// What the program takes before any tensor is placed.
std::vector<Term> fixed_terms(const Device& device) {
  std::vector<Term> terms = pytorch_context_terms({"gpu", device.n_sm, device.threads_per_sm()});
  const RealisedRam ram = realised_ram({}, {}, OffloadPolicy{}, true);
  terms.push_back(exact_term("copy_buffers", "host", ram.copy_buffers,
                             {"threads x 2^30 x 2", {{"threads", 4, ""}}}, Evidence::derived,
                             "FlexLLMGen flexllmgen/pytorch_backend.py"));
  terms.push_back(exact_term("process", "host", ram.process, {"interpreter, PyTorch, CUDA", {}},
                             Evidence::assumed, "offload.md of our references, section 1"));
  return terms;
}

/// Bytes that the question needs at least: 16-bit or compressed weights and one sequence's cache.
double least_bytes(const OffloadShape& shape, const OffloadQuestion& question) {
  const SearchSettings& s = question.settings;
  const double weights =
      2 * shape.matrix_elements * shape.n_layer * (s.compress_weights ? kGroupwise4BitRatio : 1);
  const double cache = 2 * shape.kv_elements * shape.n_layer *
                       (question.work.prompt + question.work.generated) *
                       (s.compress_cache ? kGroupwise4BitRatio : 1);
  return weights + cache;
}

std::string one_decimal(double value) {
  const auto tenths = std::llround(std::ceil(value * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

Error shortage(const OffloadShape& shape, const OffloadMachine& machine,
               const OffloadQuestion& question) {
  const double room = question.settings.usable_share *
                      static_cast<double>(machine.gpu + machine.cpu + machine.disk);
  const double missing = std::max(least_bytes(shape, question) - room, 0.0);
  // Enough in all, but a tier is too small for the work buffers of a layer.
  if (missing <= 0) return {"offload_buffers", "machine.ram", {}};
  return {"offload_short", "machine.storage_free_gb",
          one_decimal(missing / static_cast<double>(kGiB))};
}

}  // namespace

double rate_spread(const OffloadMachine& machine) {
  // 15 published runs against the model on the machine that was measured: 17 % at most.
  constexpr double kMeasured = 0.2;
  // On other machines the rates are scaled from nominal figures. Assumed.
  constexpr double kScaled = 0.5;
  return machine.evidence == Evidence::measured ? kMeasured : kScaled;
}

Bytes free_on_gpu(const Machine& machine, const MachineDevice& device) {
  if (device.use.measured_free > 0) return device.use.measured_free;
  const auto capacity = device_capacity(machine, device);
  if (!capacity.ok()) return 0;
  return std::min(capacity.value().reported, capacity.value().usable.high);
}

Bytes disk_free(const Machine& machine) {
  if (!machine.storage) return 0;
  return machine.storage_free > 0 ? machine.storage_free : kUsualDisk;
}

Result<OffloadMachine> offload_machine(const Machine& machine, const OffloadConstants& of_t4) {
  if (machine.devices.empty()) return Error{"no_gpu", "machine.devices", {}};
  if (shares_memory(machine)) return Error{"one_memory", "machine.devices", {}};
  const MachineDevice& first = machine.devices.front();
  const auto device = device_capacity(machine, first);
  if (!device.ok()) return device.error();
  const auto host = host_capacity(machine);
  if (!host.ok()) return Error{host.error().code, "machine.ram_gib", host.error().detail};
  OffloadMachine made;
  made.name = first.device.name;
  // What the driver reports: the share that the optimiser leaves free stands for the CUDA context,
  // embeddings, head and rounding.
  made.gpu = free_on_gpu(machine, first);
  made.cpu = host.value().usable.bytes;
  made.disk = disk_free(machine);
  OffloadParts parts;
  parts.fp16_tflops = first.device.fp16_tflops;
  parts.gpu_memory_gb_s = first.device.bandwidth_gb_s;
  parts.link_gb_s = link_of(machine);
  if (machine.ram_class) parts.ram_gb_s = machine.ram_class->bandwidth_gb_s;
  if (machine.storage) {
    parts.ssd_read_gb_s = machine.storage->bandwidth_gb_s;
    parts.ssd_write_gb_s = machine.storage->write_gb_s;
  }
  made.rates = scaled_from_t4(of_t4, parts);
  made.evidence = first.device.id == "t4" ? Evidence::measured : Evidence::assumed;
  made.source = kSource;
  return made;
}

Result<PlanSearch> PlanSearch::start(const OffloadShape& shape, const Machine& machine,
                                     const OffloadQuestion& question) {
  auto made = offload_machine(machine, question.authors_rates ? t4_authors() : t4_measured());
  if (!made.ok()) return made.error();
  if (question.block < 0) return Error{"batch_zero", "block", {}};
  if (!(question.work.prompt >= 1)) return Error{"tokens_zero", "prompt", {}};
  if (!(question.work.generated >= 1)) return Error{"tokens_zero", "generated", {}};
  PlanSearch search;
  search.shape_ = shape;
  search.machine_ = std::move(made.value());
  search.question_ = question;
  // FlexGen runs on Linux servers and notebook machines without a desktop; those use about this
  // much before the first program starts. Assumed.
  constexpr Bytes kServerSystem = kGiB / 2;
  search.machine_.cpu = std::max(machine.ram - kServerSystem, search.machine_.cpu);
  search.fixed_ = fixed_terms(machine.devices.front().device);
  search.room_ = search.machine_;
  Bytes buffers = 0;
  for (const Term& term : search.fixed_) {
    if (term.device == "host") buffers += term.bytes;
    Bytes& room = term.device == "host" ? search.room_.cpu : search.room_.gpu;
    room = std::max<Bytes>(room - term.bytes, 0);
  }
  if (search.machine_.cpu < buffers) {
    return Error{"ram_min", "machine.ram_gib", one_decimal(to_gib(buffers))};
  }
  if (question.block == 0 && !question.placement) {
    search.search_.emplace(search.shape_, search.room_, question.work, question.settings);
  }
  return search;
}

bool PlanSearch::step() {
  if (done_) return false;
  if (search_) {
    done_ = !search_->step();
    best_ = search_->best();
  } else {
    best_ = question_.placement ? asked_placement(shape_, room_, question_)
                                : best_of_block(shape_, room_, question_, question_.block);
    done_ = true;
  }
  return !done_;
}

std::size_t PlanSearch::n_steps() const {
  return search_ ? search_->n_steps() : 1;
}

std::optional<Error> PlanSearch::shortage_of_placement(const PlannedPolicy& asked) const {
  const auto missing = [](double bytes) { return one_decimal(bytes / static_cast<double>(kGiB)); };
  const double gpu = asked.peaks.gpu_code() - static_cast<double>(room_.gpu);
  if (gpu > 0) return Error{"gpu_short", "machine.devices", missing(gpu)};
  const auto ram = [&](bool pinned) {
    return realised_ram(shape_, question_.work, asked.policy, pinned).total() - machine_.cpu;
  };
  if (ram(question_.pin) > 0) {
    return Error{ram(false) > 0 ? "ram_short" : "ram_short_pinned", "machine.ram_gib",
                 missing(static_cast<double>(ram(question_.pin)))};
  }
  const double disk = asked.peaks.disk - static_cast<double>(machine_.disk);
  if (disk > 0) return Error{"disk_short", "machine.storage_free_gb", missing(disk)};
  return std::nullopt;
}

Result<OffloadPlan> PlanSearch::plan() const {
  if (!best_) return shortage(shape_, room_, question_);
  if (question_.placement) {
    if (auto error = shortage_of_placement(*best_)) return *error;
  }
  return described(*best_);
}

Result<OffloadPlan> PlanSearch::described(const PlannedPolicy& best) const {
  OffloadPlan plan;
  plan.best = best;
  plan.model_bytes =
      to_bytes(2 * (shape_.matrix_elements * shape_.n_layer + shape_.outer_elements));
  plan.realised = realised_weights(shape_, best.policy.weights);
  OffloadPolicy real = best.policy;
  real.weights = plan.realised;
  plan.realised_tokens_per_second =
      pass_times(shape_, machine_.rates, question_.work, real).tokens_per_second;
  plan.ram = realised_ram(shape_, question_.work, best.policy, true);
  // Where the rounding up of pinned tensors does not fit, weights are left unpinned, as the authors
  // did for OPT-175B.
  plan.pinned = plan.ram.total() <= machine_.cpu && (question_.pin || !question_.placement);
  if (!plan.pinned) plan.ram = realised_ram(shape_, question_.work, best.policy, false);
  plan.tiers = tiers_of(shape_, machine_, question_, best);
  for (const Term& term : fixed_) {
    plan.tiers[term.device == "host" ? kHostTier : kGpuTier].terms.push_back(term);
  }
  for (OffloadTier& tier : plan.tiers) {
    for (const Term& one : tier.terms) tier.used += one.bytes;
  }
  // The shares that a search leaves free have room for the tables; else another tier has to.
  const Term outer = outer_term(shape_);
  const std::size_t home = home_of_outer(best.policy.weights);
  const auto fits = [&](std::size_t at) {
    return plan.tiers[at].used + outer.bytes <= plan.tiers[at].capacity;
  };
  std::optional<std::size_t> where;
  for (const std::size_t at : {home, kGpuTier, kHostTier, kDiskTier}) {
    if (!where && fits(at)) where = at;
  }
  if (!where) return Error{"offload_buffers", "machine.ram", {}};
  plan.tiers[*where].terms.push_back(outer);
  plan.tiers[*where].used += outer.bytes;
  for (OffloadTier& tier : plan.tiers) {
    for (Term& one : tier.terms) one.device = tier.tier;
  }
  plan.paths = paths_of(shape_, machine_, question_, best);
  plan.likely = best.times.tokens_per_second;
  plan.formula = {"b x n / (T_prefill + T_decode)",
                  {{"b", best.policy.block(), ""},
                   {"n", question_.work.generated, ""},
                   {"T_prefill", best.times.prefill, "s"},
                   {"T_decode", best.times.decode, "s"}}};
  plan.source = machine_.source;
  plan.evidence = machine_.evidence == Evidence::measured ? Evidence::derived : Evidence::assumed;
  const double spread = rate_spread(machine_);
  plan.low = plan.likely / (1 + spread);
  plan.high = plan.likely * (1 + spread);
  plan.fits_gpu = least_bytes(shape_, question_) + 2 * shape_.outer_elements <
                  question_.settings.usable_share * static_cast<double>(machine_.gpu);
  if (shape_.post_norm) plan.refusals.emplace_back("post_norm");
  if (shape_.projected_embeddings) plan.refusals.emplace_back("projected_embeddings");
  return plan;
}

Result<OffloadPlan> plan_throughput(const OffloadShape& shape, const Machine& machine,
                                    const OffloadQuestion& question) {
  auto search = PlanSearch::start(shape, machine, question);
  if (!search.ok()) return search.error();
  while (search.value().step()) {
  }
  return search.value().plan();
}

std::vector<std::int64_t> block_steps(const SearchSettings& settings) {
  std::vector<std::int64_t> steps;
  const std::int64_t most = settings.largest_gpu_batch * settings.most_batches;
  for (std::int64_t block = 1; block <= most; block *= 2) steps.push_back(block);
  return steps;
}

std::optional<BlockPoint> throughput_of_block(const OffloadShape& shape,
                                              const OffloadMachine& machine,
                                              const OffloadQuestion& question, std::int64_t block) {
  const auto plan = best_of_block(shape, machine, question, block);
  if (!plan) return std::nullopt;
  return BlockPoint{block, plan->times.tokens_per_second, plan->times.total()};
}

std::vector<Change> changes_of(const Machine& machine, const OffloadQuestion& question) {
  std::vector<Change> changes;
  const auto add = [&](const char* name) -> Change& {
    return changes.emplace_back(Change{name, {}, machine, question});
  };
  if (machine.ram > 0) add("ram_64").machine.ram += 64 * kGiB;
  if (machine.storage) {
    Device& disk = *add("disk_2x").machine.storage;
    disk.bandwidth_gb_s *= 2;
    disk.write_gb_s *= 2;
  }
  const double link = link_of(machine);
  const double pcie_5 = link_gb_s("5.0 x16");
  if (link > 0 && link < pcie_5) {
    Change& faster = add("pcie_5");
    faster.part = "pcie5-x16";
    Device& card = faster.machine.link.emplace();
    card.device_class = DeviceClass::link;
    card.bandwidth_gb_s = pcie_5;
  }
  if (!question.settings.compress_weights) {
    SearchSettings& settings = add("compress").question.settings;
    settings.compress_weights = settings.compress_cache = true;
  }
  return changes;
}

std::vector<StreamingRow> streaming_rows(const OffloadShape& shape, const OffloadMachine& machine,
                                         const OffloadQuestion& question) {
  std::vector<StreamingRow> rows;
  const double weights = 2 * shape.matrix_elements * shape.n_layer;
  const auto usable = [&](Bytes capacity) {
    return question.settings.usable_share * static_cast<double>(capacity);
  };
  for (const auto runtime : {StreamingRuntime::accelerate, StreamingRuntime::zero_inference}) {
    StreamingRow row;
    row.runtime = runtime;
    if (weights < usable(machine.gpu)) {
      row.home = WeightHome::gpu;
    } else {
      row.home = weights < usable(machine.cpu) ? WeightHome::cpu : WeightHome::disk;
    }
    const bool room = row.home != WeightHome::disk || weights < usable(machine.disk);
    // The largest batch whose cache and work buffers fit beside two layers.
    for (std::int64_t batch = 1; room && batch <= question.settings.largest_gpu_batch; batch *= 2) {
      OffloadPolicy policy;
      policy.gpu_batch = batch;
      if (row.home != WeightHome::gpu) policy.weights = {0, 1, 0};
      if (offload_peaks(shape, question.work, policy).gpu_code() > usable(machine.gpu)) break;
      row.batch = batch;
      row.tokens_per_second = streaming_times(shape, machine.rates, question.work, runtime,
                                              streamed_from(shape, row.home), batch)
                                  .tokens_per_second;
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace meyasu
