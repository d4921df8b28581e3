#include "core/speed/speed.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/units/rates.hpp"

namespace meyasu {
namespace {

constexpr double kMicro = 1e-6;
constexpr const char* kFit = "fit to tests/truth/throughput.csv; offload.md section 5";

// Assumed where nothing is stated: two channels of DDR5-5600 (89.6) or DDR4-3200 (51.2); PCIe 4.0
// x16; an NVMe disk of PCIe 3.
constexpr double kUsualHostGbS = 64;
constexpr double kUsualLinkGbS = 24;
constexpr double kUsualDiskGbS = 3;
// Page faults of memory-mapped weights reach 0.3 to 0.8 of the sequential rate.
constexpr double kMappedDisk = 0.5;
// One block on the host: two copies between GPU and host and a wait. 0.1 to 0.2 ms were read.
constexpr double kHopSeconds = 165e-6;
// Prompt arithmetic of CPUs, by the RAM that is matched to them: 25 FLOP per byte of bandwidth.
constexpr double kCpuFlopPerByte = 25;
// Prompts read every weight once per micro-batch, at nearly the full rate.
constexpr double kPromptRead = 0.9;
// CUDA takes products with weights on the host over only for batches of 32 and more
// (GGML_OP_OFFLOAD_MIN_BATCH of llama.cpp).
constexpr double kOffloadBatch = 32;
// Micro-batches of one batch that GPUs pass on like a pipeline: n_batch / n_ubatch by default.
constexpr double kPipeline = 4;

/// Multiples of the likely rate at the ends of the range; so chosen that at least four of five
/// readings lie between.
struct Spread {
  double low;
  double high;
};
Spread decode_spread(bool host, bool gpu, double sequences) {
  if (host && !gpu) return {0.45, 1.7};
  if (host) return {0.65, 1.4};
  if (sequences > 1) return {0.70, 1.4};
  return {0.75, 1.3};
}
Spread prompt_spread(bool host) {
  return host ? Spread{0.4, 2.0} : Spread{0.65, 1.45};
}

SpeedRange around(double likely, const Spread& spread) {
  return {likely * spread.low, likely, likely * spread.high};
}

class Estimator {
 public:
  Estimator(const LlamaCppSettings& settings, const SpeedMachine& machine,
            const SpeedWorkload& workload)
      : settings_(settings), machine_(machine), workload_(workload) {
    for (const Device& gpu : machine.gpus) {
      gpus_.push_back({&efficiency(speed_class(gpu)), gpu.bandwidth_gb_s * kGiga,
                       half_rate_tflops(gpu) * kTera, decode_read_rate(gpu),
                       gpu.fp32_tflops * kTera, decode_costs(gpu, machine.age)});
    }
    host_ = (machine.host_gb_s > 0 ? machine.host_gb_s : kUsualHostGbS) * kGiga;
    link_ = (machine.link_gb_s > 0 ? machine.link_gb_s : kUsualLinkGbS) * kGiga;
    disk_ = (machine.disk_gb_s > 0 ? machine.disk_gb_s : kUsualDiskGbS) * kGiga * kMappedDisk;
  }

  void decode(const SpeedWork& all, Speed& speed) {
    parts_ = &speed.decode;
    const StepWork& work = all.decode;
    double n_layer = 0;
    for (const PlaceWork& place : work) n_layer += place.n_layer;
    for (std::size_t i = 0; i + 1 < work.size(); ++i) {
      decode_on_gpu(work[i], settings_.devices[i].name, gpus_[i],
                    all.n_operations / std::max(n_layer, 1.0));
    }
    const PlaceWork& host = work.back();
    host_used_ = host.weight_bytes() + host.cache > 0;
    if (!host_used_) return;
    decode_on_host(host);
    if (!settings_.devices.empty()) {
      const int hops = std::max(host.n_layer, host.n_expert_layer);
      add("hops", "host", SpeedResource::launch, hops * kHopSeconds,
          {"blocks on the host * sigma",
           {{"blocks", static_cast<double>(hops), ""}, {"sigma", kHopSeconds * 1e3, "ms"}}});
    }
    add_disk(host, all.resident_host);
  }

  void prompt(const StepWork& work, Speed& speed) {
    parts_ = &speed.prompt;
    const double n_ubatch = micro_batches();
    const auto n_gpu = static_cast<double>(settings_.devices.size());
    // Half of the gain that a perfect pipeline over GPUs would have (its square root).
    const double in_flight = std::min(n_ubatch, kPipeline);
    const double overlap = n_gpu > 1 ? std::sqrt((in_flight + n_gpu - 1) / (in_flight * n_gpu)) : 1;
    for (std::size_t i = 0; i + 1 < work.size(); ++i) {
      const PlaceWork& it = work[i];
      const std::string& place = settings_.devices[i].name;
      const Rates& gpu = gpus_[i];
      const double rate = gpu.flops * prompt_share(it, *gpu.shares);
      add_prompt(it, place, rate, overlap);
      add("prompt_attention", place, SpeedResource::compute,
          overlap * workload_.prompt * it.attention_flop /
              (gpu.flops * gpu.shares->prompt_attention),
          {"tokens * attention FLOP / (share * F)",
           {{"tokens", workload_.prompt, ""},
            {"FLOP", it.attention_flop / kGiga, "10^9"},
            {"F", gpu.flops / kTera, "10^12/s"},
            {"share", gpu.shares->prompt_attention, ""}}});
      add("prompt_weights", place, SpeedResource::memory,
          overlap * n_ubatch * it.weight_bytes() / (kPromptRead * gpu.bytes),
          read_formula(n_ubatch * it.weight_bytes(), kPromptRead, gpu.bytes));
    }
    const PlaceWork& host = work.back();
    if (host.weight_bytes() <= 0) return;
    const bool moved = !settings_.devices.empty() && settings_.op_offload &&
                       std::min(workload_.prompt, ubatch()) >= kOffloadBatch;
    if (moved) {
      add("transfer", "link", SpeedResource::link, n_ubatch * host.weight_bytes() / link_,
          {"micro-batches * host weights / link",
           {{"micro-batches", n_ubatch, ""},
            {"weights", host.weight_bytes() / kGiga, "GB"},
            {"link", link_ / kGiga, "GB/s"}}},
          machine_.link_gb_s > 0 ? Evidence::derived : Evidence::assumed);
      const Rates& gpu = gpus_.front();
      add_prompt(host, settings_.devices.front().name, gpu.flops * prompt_share(host, *gpu.shares),
                 1);
    } else {
      const bool experts = has_experts(host);
      const double rate =
          host_ * kCpuFlopPerByte * (experts ? efficiency(SpeedClass::cpu).prompt_experts : 1);
      add_prompt(host, "host", rate, 1);
    }
  }

  /// Encoders are small enough for the start of each operation to count.
  void launches(const SpeedWork& all, Speed& speed) {
    parts_ = &speed.prompt;
    const StepWork& work = all.prompt;
    double n_layer = 0;
    for (const PlaceWork& place : work) n_layer += place.n_layer;
    for (std::size_t i = 0; i + 1 < work.size(); ++i) {
      const double operations = all.n_operations * work[i].n_layer / std::max(n_layer, 1.0);
      const double tau = gpus_[i].costs.operation_us;
      add("blocks", settings_.devices[i].name, SpeedResource::launch,
          kMicro * micro_batches() * operations * tau,
          {"micro-batches * operations * tau",
           {{"micro-batches", micro_batches(), ""},
            {"operations", operations, ""},
            {"tau", tau, "us"}}});
    }
    host_used_ = work.back().weight_bytes() > 0;
  }

  [[nodiscard]] bool host_used() const { return host_used_; }
  [[nodiscard]] bool rate_known() const {
    return std::all_of(gpus_.begin(), gpus_.end(), [](const Rates& it) { return it.flops > 0; });
  }

 private:
  /// Of one place: bytes and 16-bit operations a second.
  struct Rates {
    const Efficiency* shares = nullptr;
    double bytes = 0;
    double flops = 0;
    double reading = 0;  // bytes a second of products with one vector
    double fp32 = 0;     // 0: unknown
    DecodeCosts costs = {};
  };

  static bool has_experts(const PlaceWork& work) {
    constexpr double kMostly = 0.3;
    return work.experts > kMostly * work.weight_bytes();
  }
  [[nodiscard]] double ubatch() const {
    return static_cast<double>(settings_.n_ubatch > 0 ? settings_.n_ubatch : settings_.n_batch);
  }
  [[nodiscard]] double micro_batches() const {
    return std::max(1.0, std::ceil(workload_.prompt / std::max(ubatch(), 1.0)));
  }
  static double prompt_share(const PlaceWork& work, const Efficiency& shares) {
    const double all = std::max(work.weight_bytes(), 1.0);
    const double plain = (work.weights[static_cast<std::size_t>(UnpackClass::half)] +
                          work.weights[static_cast<std::size_t>(UnpackClass::byte)]) /
                         all;
    const double share = shares.prompt_plain * plain + shares.prompt_quantized * (1 - plain);
    return has_experts(work) ? share * shares.prompt_experts : share;
  }
  static Formula read_formula(double bytes, double share, double rate) {
    return {"bytes / (eta * BW)",
            {{"bytes", bytes / kGiga, "GB"}, {"eta", share, ""}, {"BW", rate / kGiga, "GB/s"}}};
  }

  void add(const char* id, const std::string& place, SpeedResource resource, double seconds,
           Formula formula, Evidence evidence = Evidence::measured) {
    if (!(seconds > 0)) return;
    parts_->push_back({id, place, resource, seconds, std::move(formula), evidence, kFit});
  }

  void add_prompt(const PlaceWork& work, const std::string& place, double rate, double overlap) {
    add("prompt_compute", place, SpeedResource::compute,
        overlap * workload_.prompt * work.flop / rate,
        {"tokens * 2 * active parameters / F",
         {{"tokens", workload_.prompt, ""},
          {"active parameters", work.flop / 2 / kGiga, "10^9"},
          {"F", rate / kTera, "10^12/s"}}});
  }

  void decode_on_gpu(const PlaceWork& work, const std::string& place, const Rates& gpu,
                     double operations_per_layer) {
    add_weights(work, place, gpu);
    const double b = workload_.sequences;
    const double cache = b * (work.cache + work.state);
    const double reading = cache / (gpu.costs.cache * gpu.reading);
    add("kv_cache", place, SpeedResource::memory, reading,
        read_formula(cache, gpu.costs.cache, gpu.reading));
    if (gpu.flops > 0) {
      const double rate = gpu.flops * gpu.costs.attention;
      add("attention", place, SpeedResource::compute, b * work.attention_flop / rate - reading,
          {"sequences * attention FLOP / (share * F) - t(kv_cache)",
           {{"sequences", b, ""},
            {"FLOP", work.attention_flop / kGiga, "10^9"},
            {"share", gpu.costs.attention, ""},
            {"F", gpu.flops / kTera, "10^12/s"}}});
      add_batch(work, place, gpu);
    }
    const double operations =
        work.n_layer * operations_per_layer - work.n_expert_layer * gpu.costs.fused;
    add("blocks", place, SpeedResource::launch, kMicro * operations * gpu.costs.operation_us,
        {"operations * tau",
         {{"operations", operations, ""}, {"tau", gpu.costs.operation_us, "us"}}});
  }

  void add_weights(const PlaceWork& work, const std::string& place, const Rates& gpu) {
    double seconds = 0;
    double unpacking = 0;
    for (std::size_t i = 0; i < kUnpackClasses; ++i) {
      const double unpack = gpu.fp32 > 0 ? work.elements[i] * gpu.costs.unpack[i] / gpu.fp32 : 0;
      unpacking += unpack;
      seconds += side_by_side(work.weights[i] / gpu.reading, unpack);
    }
    const double bytes = work.weight_bytes();
    const bool reads = bytes / gpu.reading > unpacking;
    add("weights", place, reads ? SpeedResource::memory : SpeedResource::compute, seconds,
        {"((bytes / R)^4 + unpack^4)^(1/4)",
         {{"bytes", bytes / kGiga, "GB"},
          {"R", gpu.reading / kGiga, "GB/s"},
          {"unpack", unpacking * 1e3, "ms"}}});
  }

  /// Few tokens go through the kernels for one, one after the other; many through those of prompts,
  /// in tiles.
  void add_batch(const PlaceWork& work, const std::string& place, const Rates& gpu) {
    constexpr double kTile = 32;
    constexpr double kOfPrompts = 0.75;  // tiles are narrower than a prompt's
    const double b = workload_.sequences;
    const double flop = work.flop + work.head_flop;
    const double one_by_one = (b - 1) / gpu.shares->batch;
    const double tiles = std::ceil(b / kTile) * kTile / (kOfPrompts * gpu.shares->prompt_quantized);
    const double share = (b - 1) / std::min(one_by_one, tiles);
    if (!(b > 1)) return;
    add("batch_compute", place, SpeedResource::compute, (b - 1) * flop / (gpu.flops * share),
        {"(sequences - 1) * FLOP / (share * F)",
         {{"sequences", b, ""},
          {"FLOP", flop / kGiga, "10^9"},
          {"share", share, ""},
          {"F", gpu.flops / kTera, "10^12/s"}}});
  }

  void decode_on_host(const PlaceWork& work) {
    const Evidence evidence = machine_.host_gb_s > 0 ? Evidence::measured : Evidence::assumed;
    double seconds = 0;
    for (std::size_t i = 0; i < kUnpackClasses; ++i) {
      seconds += work.weights[i] / (kCpuWeights[i] * host_);
    }
    const double bytes = work.weight_bytes();
    if (bytes > 0) {
      add("weights", "host", SpeedResource::memory, seconds,
          read_formula(bytes, bytes / (seconds * host_), host_), evidence);
    }
    const double b = workload_.sequences;
    const double cache = b * (work.cache + work.state);
    add("kv_cache", "host", SpeedResource::memory, cache / (kCpuCache * host_),
        read_formula(cache, kCpuCache, host_), evidence);
    const double computing = b * work.attention_flop + (b - 1) * (work.flop + work.head_flop);
    add("batch_compute", "host", SpeedResource::compute, computing / (host_ * kCpuFlopPerByte),
        {"FLOP / F",
         {{"FLOP", computing / kGiga, "10^9"}, {"F", host_ * kCpuFlopPerByte / kTera, "10^12/s"}}});
  }

  /// Weights that do not fit in the RAM come from the disk: of experts the share that is missing,
  /// of other weights all, since reading them in turn evicts what is needed next.
  void add_disk(const PlaceWork& host, double resident) {
    const auto room = static_cast<double>(machine_.host_usable);
    if (room <= 0 || resident <= room) return;
    const double missing = 1 - room / resident;
    const double bytes = host.experts * missing + (host.weight_bytes() - host.experts);
    add("disk", "disk", SpeedResource::disk, bytes / disk_,
        {"missing bytes / (share * disk)",
         {{"missing bytes", bytes / kGiga, "GB"},
          {"share", kMappedDisk, ""},
          {"disk", disk_ / kMappedDisk / kGiga, "GB/s"}}},
        Evidence::assumed);
  }

  const LlamaCppSettings& settings_;
  const SpeedMachine& machine_;
  const SpeedWorkload& workload_;
  std::vector<Rates> gpus_;
  double host_ = 0;
  double link_ = 0;
  double disk_ = 0;
  bool host_used_ = false;
  std::vector<SpeedPart>* parts_ = nullptr;
};

double total(const std::vector<SpeedPart>& parts) {
  double seconds = 0;
  for (const SpeedPart& part : parts) seconds += part.seconds;
  return seconds;
}

}  // namespace

std::string_view resource_name(SpeedResource resource) {
  switch (resource) {
    case SpeedResource::memory:
      return "memory";
    case SpeedResource::compute:
      return "compute";
    case SpeedResource::launch:
      return "launch";
    case SpeedResource::link:
      return "link";
    case SpeedResource::disk:
      return "disk";
  }
  return "";
}

SpeedMachine speed_machine(const Machine& machine) {
  SpeedMachine result;
  for (const MachineDevice& kind : machine.devices) {
    for (std::int64_t i = 0; i < kind.count; ++i) result.gpus.push_back(kind.device);
  }
  if (machine.ram_class) result.host_gb_s = machine.ram_class->bandwidth_gb_s;
  if (shares_memory(machine)) result.host_gb_s = machine.devices.front().device.bandwidth_gb_s;
  // Pinned copies reach 0.8 of what a link is printed with (offload.md section 5).
  constexpr double kPinned = 0.8;
  if (machine.link) result.link_gb_s = kPinned * machine.link->bandwidth_gb_s;
  if (machine.storage) result.disk_gb_s = machine.storage->bandwidth_gb_s;
  const auto host = host_capacity(machine);
  if (host && !shares_memory(machine)) result.host_usable = host.value().usable.bytes;
  return result;
}

SpeedWorkload usual_question(std::int64_t n_ctx, std::int64_t users) {
  constexpr double kTokens = 1000;
  const double tokens = std::min(kTokens, static_cast<double>(n_ctx));
  return {tokens, tokens, static_cast<double>(std::max<std::int64_t>(users, 1)), 0};
}

Result<SpeedWork> speed_work(const Model& model, const LlamaCppSettings& settings,
                             const SpeedWorkload& workload) {
  auto decode = step_work(model, settings, workload.sequences, workload.depth);
  if (!decode) return decode.error();
  // A step of very many tokens touches every expert: the weights that have to be somewhere.
  constexpr double kAllExperts = 1e6;
  const auto all = step_work(model, settings, kAllExperts, 0);
  if (!all) return all.error();
  const double ubatch =
      std::min(static_cast<double>(std::max<std::int64_t>(
                   settings.n_ubatch > 0 ? settings.n_ubatch : settings.n_batch, 1)),
               std::max(workload.prompt, 1.0));
  // A token sees those before it, half of the prompt in the mean; in an encoder all of its batch.
  const double seen = model.is_encoder ? ubatch : workload.prompt_depth + workload.prompt / 2;
  auto prompt = step_work(model, settings, ubatch, seen);
  if (!prompt) return prompt.error();
  return SpeedWork{std::move(decode.value()), std::move(prompt.value()),
                   step_operations(model, settings), all.value().back().weight_bytes(),
                   !model.is_encoder};
}

Result<Speed> estimate_speed(const Model& model, const LlamaCppSettings& settings,
                             const SpeedMachine& machine, const SpeedWorkload& workload) {
  const auto work = speed_work(model, settings, workload);
  if (!work) return work.error();
  return estimate_speed(work.value(), settings, machine, workload);
}

namespace {

std::size_t largest(const std::vector<SpeedPart>& parts) {
  const auto found = std::max_element(
      parts.begin(), parts.end(),
      [](const SpeedPart& a, const SpeedPart& b) { return a.seconds < b.seconds; });
  return static_cast<std::size_t>(found - parts.begin());
}

/// Of an encoder: tokens that it reads a second. Its constants are those of prompts of other
/// models, so the range is the widest of those.
Result<Speed> reading_speed(const SpeedWork& work, Estimator& estimator,
                            const SpeedWorkload& workload) {
  if (!estimator.rate_known()) return Error{"speed_unknown", "gpu", {}};
  Speed speed;
  speed.generates = false;
  estimator.prompt(work.prompt, speed);
  estimator.launches(work, speed);
  const double seconds = total(speed.prompt);
  if (!(seconds > 0)) return Error{"speed_unknown", "model", {}};
  for (SpeedPart& part : speed.prompt) part.evidence = Evidence::assumed;
  speed.prompt_tok_s = around(workload.prompt / seconds, prompt_spread(true));
  speed.decode_tok_s = speed.prompt_tok_s;
  speed.decode_tok_s_each = speed.prompt_tok_s;
  speed.decode = speed.prompt;
  speed.binding = largest(speed.decode);
  return speed;
}

}  // namespace

Result<Speed> estimate_speed(const SpeedWork& work, const LlamaCppSettings& settings,
                             const SpeedMachine& machine, const SpeedWorkload& workload) {
  if (machine.gpus.size() != settings.devices.size()) return Error{"speed_unknown", "gpu", {}};
  for (const Device& gpu : machine.gpus) {
    if (gpu.bandwidth_gb_s <= 0) return Error{"speed_unknown", "gpu", gpu.name};
  }
  Speed speed;
  Estimator estimator(settings, machine, workload);
  if (!work.generates) return reading_speed(work, estimator, workload);
  estimator.decode(work, speed);
  const double step = total(speed.decode);
  if (!(step > 0)) return Error{"speed_unknown", "model", {}};
  const bool gpu = !settings.devices.empty();
  const Spread spread = decode_spread(estimator.host_used(), gpu, workload.sequences);
  speed.decode_tok_s_each = around(1 / step, spread);
  speed.decode_tok_s = around(workload.sequences / step, spread);
  speed.slow = speed.decode_tok_s_each.likely < kComfortableTokS;
  speed.binding = largest(speed.decode);
  if (estimator.rate_known() && workload.prompt > 0) {
    estimator.prompt(work.prompt, speed);
    const Spread wide = prompt_spread(estimator.host_used());
    const double seconds = total(speed.prompt);
    if (seconds > 0) {
      speed.prompt_tok_s = around(workload.prompt / seconds, wide);
      speed.first_token_s = {seconds / wide.high + step / spread.high, seconds + step,
                             seconds / wide.low + step / spread.low};
    }
  }
  return speed;
}

}  // namespace meyasu
