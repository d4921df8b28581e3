#include "core/speed/serving.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/serving/cache_entry.hpp"
#include "core/serving/sharding.hpp"
#include "core/speed/work.hpp"
#include "core/units/rates.hpp"

namespace meyasu {
namespace {

constexpr const char* kSource = "assumed; see core/speed/serving.cpp";

// Kernels of servers read long rows in order: about three quarters of the printed rate for one
// request of an 8B model on A100 and H100.
constexpr double kRead = 0.75;
// Matrices of large batches and of prompts reach about half of the dense rate.
constexpr double kCompute = 0.5;
// One block in a CUDA graph; and its launches one by one from Python (enforce_eager).
constexpr double kGraphSeconds = 10e-6;
constexpr double kEagerSeconds = 300e-6;
// Choosing requests and sampling, once a step.
constexpr double kStepSeconds = 1e-3;
// Adding up between GPUs: NVLink, and PCIe through the host with its rate of 4.0 x16.
constexpr double kPeerLatency = 10e-6;
constexpr double kPcieLatency = 30e-6;
constexpr double kPcieGbS = 24;
constexpr double kActivation = 2;  // bytes of a 16-bit value
// Ends of the range, as multiples of the likely rate.
constexpr double kLow = 0.55;
constexpr double kHigh = 1.35;

/// Share of the routed experts of a block that a token uses, and that `n` tokens touch.
double used_share(const Model& model, const Tensor& tensor, double n) {
  if (tensor.role != TensorRole::routed_expert || tensor.layer < 0) return 1;
  return touched_share(model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward, n);
}

class ServingSpeed {
 public:
  ServingSpeed(const Model& model, std::span<const Bytes> tensor_bytes,
               const ServingSettings& settings, const ServingSpeedDevice& device,
               const SpeedWorkload& workload)
      : model_(model), bytes_(tensor_bytes), settings_(settings), device_(device), work_(workload) {
    tp_ = static_cast<double>(settings.parallel.tp);
  }

  Speed run() {
    if (model_.is_encoder) return read_only();
    Speed speed;
    decode(speed.decode);
    const double step = total(speed.decode);
    speed.decode_tok_s_each = around(1 / step);
    speed.decode_tok_s = around(work_.sequences / step);
    speed.slow = speed.decode_tok_s_each.likely < kComfortableTokS;
    speed.binding = largest(speed.decode);
    if (device_.tflops > 0 && work_.prompt > 0) {
      prompt(speed.prompt);
      const double seconds = total(speed.prompt);
      speed.prompt_tok_s = around(work_.prompt / seconds);
      const double first = seconds + step;
      speed.first_token_s = {first / kHigh, first, first / kLow};
    }
    return speed;
  }

 private:
  /// Of an encoder: tokens that it reads a second.
  [[nodiscard]] Speed read_only() const {
    Speed speed;
    speed.generates = false;
    prompt(speed.prompt);
    launches(speed.prompt);
    speed.prompt_tok_s = around(work_.prompt / total(speed.prompt));
    speed.decode_tok_s = speed.decode_tok_s_each = speed.prompt_tok_s;
    speed.decode = speed.prompt;
    speed.binding = largest(speed.decode);
    return speed;
  }

  static std::size_t largest(const std::vector<SpeedPart>& parts) {
    std::size_t found = 0;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i].seconds > parts[found].seconds) found = i;
    }
    return found;
  }
  static SpeedRange around(double likely) { return {likely * kLow, likely, likely * kHigh}; }
  static double total(const std::vector<SpeedPart>& parts) {
    double seconds = 0;
    for (const SpeedPart& part : parts) seconds += part.seconds;
    return seconds;
  }
  static void add(std::vector<SpeedPart>& parts, const char* id, const char* place,
                  SpeedResource resource, double seconds, Formula formula) {
    if (!(seconds > 0)) return;
    parts.push_back({id, place, resource, seconds, std::move(formula), Evidence::assumed, kSource});
  }
  [[nodiscard]] double reading(double bytes) const {
    return bytes / (kRead * device_.bandwidth_gb_s * kGiga);
  }
  [[nodiscard]] Formula read_formula(double bytes) const {
    return {"bytes / (eta * BW)",
            {{"bytes", bytes / kGiga, "GB"},
             {"eta", kRead, ""},
             {"BW", device_.bandwidth_gb_s, "GB/s"}}};
  }

  /// Weights that one GPU reads for a step of `n` tokens.
  [[nodiscard]] double weights_read(double n) const {
    std::vector<Bytes> read(bytes_.begin(), bytes_.end());
    for (std::size_t i = 0; i < read.size() && i < model_.tensors.size(); ++i) {
      const Tensor& tensor = model_.tensors[i];
      if (is_looked_up(tensor) && !model_.tied_embeddings) read[i] = 0;
      if (tensor.role == TensorRole::vision) read[i] = 0;
      read[i] = static_cast<Bytes>(static_cast<double>(read[i]) * used_share(model_, tensor, n));
    }
    Parallelism group = settings_.parallel;
    group.pp = group.dp = 1;
    return static_cast<double>(stage_weight_bytes(model_, read, group, 0));
  }
  /// 2 x active weights of one token, of one GPU.
  [[nodiscard]] double flop() const {
    double sum = 0;
    for (const Tensor& tensor : model_.tensors) {
      const bool head =
          tensor.role == TensorRole::embedding && model_.tied_embeddings && !model_.is_encoder;
      if ((is_looked_up(tensor) && !head) || tensor.ne[1] <= 1) continue;
      if (tensor.role == TensorRole::vision || tensor.role == TensorRole::mtp) continue;
      sum += 2 * used_share(model_, tensor, 1) * static_cast<double>(tensor.elements());
    }
    return sum / tp_;
  }
  /// Cache and state of one request that one GPU reads for a token at `depth`.
  [[nodiscard]] double cache_read(double depth) const {
    double sum = 0;
    for (const CacheEntry& entry : cache_entries(model_, settings_)) {
      const auto page = static_cast<double>(entry.page_bytes);
      if (entry.kind == KvGroupKind::state) {
        sum += 2 * page;  // read and written
        continue;
      }
      const bool whole = entry.reads == 0;
      const double keys = whole ? depth : std::min(depth, static_cast<double>(entry.reads));
      sum += keys * page / static_cast<double>(entry.block_tokens);
    }
    return sum;
  }
  /// Two sums per block over activations of `tokens` tokens.
  void all_reduce(std::vector<SpeedPart>& parts, double tokens) const {
    if (tp_ < 2) return;
    const bool peer = device_.peer_gb_s > 0;
    const double link = (peer ? device_.peer_gb_s / 2 : kPcieGbS) * kGiga;
    const double latency = peer ? kPeerLatency : kPcieLatency;
    const double bytes = tokens * static_cast<double>(model_.n_embd) * kActivation;
    const double n = 2 * static_cast<double>(model_.layers.size());
    add(parts, "all_reduce", "link", SpeedResource::link,
        n * (latency + 2 * (tp_ - 1) / tp_ * bytes / link),
        {"2 * n_layer * (latency + 2 * (tp - 1) / tp * bytes / link)",
         {{"n_layer", n / 2, ""},
          {"latency", latency * 1e6, "us"},
          {"tp", tp_, ""},
          {"bytes", bytes / 1e6, "MB"},
          {"link", link / kGiga, "GB/s"}}});
  }

  void decode(std::vector<SpeedPart>& parts) const {
    const double b = work_.sequences;
    const double weights = weights_read(b);
    add(parts, "weights", "gpu0", SpeedResource::memory, reading(weights), read_formula(weights));
    const double cache = b * cache_read(work_.depth);
    add(parts, "kv_cache", "gpu0", SpeedResource::memory, reading(cache), read_formula(cache));
    if (device_.tflops > 0) {
      const double computing = b * flop() / (kCompute * device_.tflops * kTera);
      add(parts, "batch_compute", "gpu0", SpeedResource::compute, computing - reading(weights),
          {"requests * FLOP / (share * F) - t(weights)",
           {{"requests", b, ""},
            {"FLOP", flop() / kGiga, "10^9"},
            {"share", kCompute, ""},
            {"F", device_.tflops, "10^12/s"}}});
    }
    all_reduce(parts, b);
    launches(parts);
  }

  void launches(std::vector<SpeedPart>& parts) const {
    const double tau = settings_.enforce_eager ? kEagerSeconds : kGraphSeconds;
    const auto n_layer = static_cast<double>(model_.layers.size());
    add(parts, "blocks", "gpu0", SpeedResource::launch, n_layer * tau + kStepSeconds,
        {"n_layer * tau + t_step",
         {{"n_layer", n_layer, ""},
          {"tau", tau * 1e6, "us"},
          {"t_step", kStepSeconds * 1e3, "ms"}}});
  }

  void prompt(std::vector<SpeedPart>& parts) const {
    const double tokens = work_.prompt;
    add(parts, "prompt_compute", "gpu0", SpeedResource::compute,
        tokens * flop() / (kCompute * device_.tflops * kTera),
        {"tokens * FLOP / (share * F)",
         {{"tokens", tokens, ""},
          {"FLOP", flop() / kGiga, "10^9"},
          {"share", kCompute, ""},
          {"F", device_.tflops, "10^12/s"}}});
    all_reduce(parts, tokens);
  }

  const Model& model_;
  std::span<const Bytes> bytes_;
  const ServingSettings& settings_;
  const ServingSpeedDevice& device_;
  const SpeedWorkload& work_;
  double tp_ = 1;
};

}  // namespace

Result<Speed> estimate_serving_speed(const Model& model, std::span<const Bytes> tensor_bytes,
                                     const ServingSettings& settings,
                                     const ServingSpeedDevice& device,
                                     const SpeedWorkload& workload) {
  const bool reads_only = model.is_encoder;
  if (reads_only && !(device.tflops > 0 && workload.prompt > 0)) {
    return Error{"speed_unknown", "gpu", {}};
  }
  if (!(device.bandwidth_gb_s > 0)) return Error{"speed_unknown", "gpu", {}};
  return ServingSpeed(model, tensor_bytes, settings, device, workload).run();
}

}  // namespace meyasu
