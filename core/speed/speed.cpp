#include "core/speed/speed.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
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
// A token goes from one GPU to the next: 0.1 to 0.3 ms between 2 to 8 cards of one benchmark,
// longer between A100 and H100.
constexpr double kHandOverSeconds = 150e-6;
// Prompt arithmetic of CPUs, by the RAM that is matched to them: 25 FLOP per byte of bandwidth.
constexpr double kCpuFlopPerByte = 25;
// Prompts read every weight once per micro-batch, and scores, at nearly the full rate.
constexpr double kPromptRead = 0.9;
// CUDA takes products with weights on the host over only for batches of 32 and more
// (GGML_OP_OFFLOAD_MIN_BATCH of llama.cpp).
constexpr double kOffloadBatch = 32;

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
      gpus_.push_back({prompt_costs(gpu, machine.age), batch_shares(speed_class(gpu)),
                       gpu.bandwidth_gb_s * kGiga, half_rate_tflops(gpu) * kTera,
                       decode_read_rate(gpu), gpu.fp32_tflops * kTera,
                       decode_costs(gpu, machine.age)});
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
    const auto with_layers = static_cast<double>(
        std::count_if(work.begin(), std::prev(work.end()),
                      [](const PlaceWork& place) { return place.n_layer > 0; }));
    add("hand_over", "link", SpeedResource::launch, (with_layers - 1) * kHandOverSeconds,
        {"(GPUs - 1) * sigma",
         {{"GPUs", with_layers, ""}, {"sigma", kHandOverSeconds * 1e3, "ms"}}});
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
    if (!over_room(all.resident_host)) return;
    // Of experts the share that is missing, of other weights all, since reading them in turn evicts
    // what is needed next.
    const double missing = 1 - static_cast<double>(machine_.host_usable) / all.resident_host;
    add_disk(host.experts * missing + (host.weight_bytes() - host.experts));
  }

  void prompt(const SpeedWork& all, Speed& speed) {
    parts_ = &speed.prompt;
    const StepWork& work = all.prompt;
    const double n_ubatch = micro_batches();
    const double overlap = pipeline(static_cast<double>(settings_.devices.size()));
    for (std::size_t i = 0; i + 1 < work.size(); ++i) {
      prompt_on_gpu(work[i], settings_.devices[i].name, gpus_[i], n_ubatch, overlap);
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
      add_prompt(host, settings_.devices.front().name, product_rate(host, gpus_.front().prompt), 1);
    } else {
      const double rate = host_ * kCpuFlopPerByte * (has_experts(host) ? kCpuExperts : 1);
      add_prompt(host, "host", rate, 1);
    }
    // A micro-batch touches nearly all experts in turn, which evicts what the next one needs first.
    if (over_room(all.resident_host)) add_disk(n_ubatch * host.weight_bytes());
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
    PromptCosts prompt = {};
    BatchShares batch = {};
    double bytes = 0;
    double flops = 0;    // as printed
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
  /// Of one question. Questions that come together share micro-batches.
  [[nodiscard]] double micro_batches() const {
    const double all = workload_.sequences * workload_.prompt;
    return std::max(1.0, std::ceil(all / std::max(ubatch(), 1.0))) /
           std::max(workload_.sequences, 1.0);
  }
  /// Layers split over n GPUs work like a pipeline on m micro-batches: (m + n - 1) / (m n) of the
  /// time of one GPU, with 8 % for each hand-over between GPUs that work at the same time, and 2 %
  /// where each waits for the one before (2, 4 and 8 cards of one benchmark).
  [[nodiscard]] double pipeline(double n) const {
    if (n < 2) return 1;
    constexpr double kBusyHandOver = 0.08;
    constexpr double kIdleHandOver = 0.02;
    const double m = micro_batches() * std::max(workload_.sequences, 1.0);
    if (m < 2) return 1 + kIdleHandOver * (n - 1);
    return (m + n - 1) / (m * n) * (1 + kBusyHandOver * (n - 1));
  }
  /// FLOP/s of products with the weights of a place.
  static double product_rate(const PlaceWork& work, const PromptCosts& costs) {
    double elements = 0;
    double seconds = 0;
    for (std::size_t i = 0; i < kUnpackClasses; ++i) {
      elements += work.elements[i];
      if (work.elements[i] > 0) seconds += work.elements[i] / costs.products[i];
    }
    const double rate = elements > 0 ? elements / seconds : costs.products[0];
    if (!has_experts(work)) return rate;
    return rate * costs.experts * work.tokens_per_expert /
           (work.tokens_per_expert + costs.experts_half);
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

  void prompt_on_gpu(const PlaceWork& work, const std::string& place, const Rates& gpu,
                     double n_ubatch, double overlap) {
    const double tokens = workload_.prompt;
    const double rate = product_rate(work, gpu.prompt);
    add_prompt(work, place, rate, overlap);
    // Weights are read beside the products: what is seen is how much longer both take.
    const double computing = tokens * work.flop / rate;
    const double reading = n_ubatch * work.weight_bytes() / (kPromptRead * gpu.bytes);
    add("prompt_weights", place, SpeedResource::memory,
        overlap * (side_by_side(computing, reading) - computing),
        {"(t(prompt_compute)^4 + (bytes / (eta * BW))^4)^(1/4) - t(prompt_compute)",
         read_formula(n_ubatch * work.weight_bytes(), kPromptRead, gpu.bytes).inputs});
    if (gpu.prompt.unpacks_first) add_unpacking(work, place, gpu, n_ubatch, overlap);
    if (work.scores > 0 && gpu.prompt.score_bytes > 0) {
      const double bytes = gpu.prompt.score_bytes * work.scores;
      add("prompt_attention", place, SpeedResource::memory,
          overlap * tokens *
              (work.attention_flop / gpu.prompt.products[0] + bytes / (kPromptRead * gpu.bytes)),
          {"tokens * (attention FLOP / F + bytes of scores / (eta * BW))",
           {{"tokens", tokens, ""},
            {"FLOP", work.attention_flop / kGiga, "10^9"},
            {"F", gpu.prompt.products[0] / kTera, "10^12/s"},
            {"bytes", bytes / kGiga, "GB"},
            {"eta", kPromptRead, ""},
            {"BW", gpu.bytes / kGiga, "GB/s"}}});
      return;
    }
    add("prompt_attention", place, SpeedResource::compute,
        overlap * tokens * work.attention_flop / gpu.prompt.attention,
        {"tokens * attention FLOP / F",
         {{"tokens", tokens, ""},
          {"FLOP", work.attention_flop / kGiga, "10^9"},
          {"F", gpu.prompt.attention / kTera, "10^12/s"}}});
  }

  /// Quantized weights are read and written as 16 bits, once per micro-batch.
  void add_unpacking(const PlaceWork& work, const std::string& place, const Rates& gpu,
                     double n_ubatch, double overlap) {
    double bytes = 0;
    for (std::size_t i = static_cast<std::size_t>(UnpackClass::byte); i < kUnpackClasses; ++i) {
      bytes += work.weights[i] + 2 * work.elements[i];
    }
    add("prompt_unpack", place, SpeedResource::memory, overlap * n_ubatch * bytes / gpu.bytes,
        read_formula(n_ubatch * bytes, 1, gpu.bytes));
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
    const double b = workload_.sequences;
    const double flop = work.flop + work.head_flop;
    const double one_by_one = (b - 1) / gpu.batch.one_by_one;
    const double tiles = std::ceil(b / kTile) * kTile / gpu.batch.tiles;
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

  /// Weights that do not fit in the RAM come from the disk.
  [[nodiscard]] bool over_room(double resident) const {
    const auto room = static_cast<double>(machine_.host_usable);
    return room > 0 && resident > room;
  }
  void add_disk(double bytes) {
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
               std::max(workload.prompt * workload.sequences, 1.0));
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
  estimator.prompt(work, speed);
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
    estimator.prompt(work, speed);
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
