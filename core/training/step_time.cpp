#include "core/training/step_time.hpp"

#include <algorithm>
#include <string_view>

#include "core/units/rates.hpp"

namespace meyasu {
namespace {

// Published runs reach 30 to 55 % of the dense peak (PaLM, appendix B; torchtitan benchmarks).
constexpr double kShareOfPeak = 0.4;
// Where nothing is known: an A100-like card behind PCIe 4.0 x16, two channels of DDR5, an NVMe
// disk.
constexpr double kUnknownFlops = 150e12;
constexpr double kUnknownMemory = 1000e9;
constexpr double kUnknownLink = 25e9;
constexpr double kUnknownHost = 60e9;
constexpr double kUnknownDisk = 3e9;

double known(double value, double otherwise) {
  return value > 0 ? value : otherwise;
}

/// Multiply-adds of one token, forward.
struct Products {
  double blocks = 0;
  double head = 0;
  double frozen_quantized = 0;  // elements that are expanded before use
};

Products products_of(const Model& model, const TrainingSettings& s) {
  Products p;
  double table = 0;
  for (const Tensor& tensor : model.tensors) {
    if (tensor.n_dims < 2 || tensor.role == TensorRole::norm) continue;
    const auto n = static_cast<double>(tensor.elements());
    if (tensor.role == TensorRole::embedding) {
      table = n;
    } else if (tensor.role == TensorRole::output_head) {
      p.head = n;
    } else if (tensor.layer >= 0) {
      const FeedForward& f = model.layers[static_cast<std::size_t>(tensor.layer)].feed_forward;
      const bool routed = tensor.role == TensorRole::routed_expert && f.n_expert > 0;
      p.blocks +=
          routed ? n * static_cast<double>(f.n_expert_used) / static_cast<double>(f.n_expert) : n;
      if (s.lora && s.lora->base != BaseFormat::bits16) p.frozen_quantized += n;
    }
  }
  if (model.tied_embeddings) p.head = table;
  return p;
}

/// Scores and weighted sums of one token over half of the sequence, as causal attention needs.
double attention_products(const Model& model, std::int64_t sequence) {
  double sum = 0;
  for (const Layer& layer : model.layers) {
    if (layer.kind != LayerKind::attention) continue;
    const Attention& a = layer.attention;
    sum += static_cast<double>(a.n_head * (a.head_dim_k + a.head_dim_v)) *
           static_cast<double>(sequence) / 2;
  }
  return sum;
}

double tokens_of(const TrainingSettings& s) {
  double tokens = static_cast<double>(s.batch) * static_cast<double>(s.sequence);
  if (s.objective == Objective::dpo || s.objective == Objective::orpo) tokens *= 2;
  if (s.objective == Objective::grpo) tokens *= static_cast<double>(s.completions);
  return tokens;
}

/// Of the forward pass, how much backward does again.
double recomputed(Checkpointing checkpointing, double blocks, double attention) {
  switch (checkpointing) {
    case Checkpointing::none:
      return 0;
    case Checkpointing::selective:
      return attention;
    case Checkpointing::selective_op:
      return blocks / 2;
    case Checkpointing::full:
    case Checkpointing::offloaded:
      return blocks + attention;
  }
  return 0;
}

/// What leaves this rank in a step.
double sent_to_peers(const Model& model, const TrainingSettings& s, const TrainingEstimate& e,
                     double tokens, double passes) {
  const auto steps = static_cast<double>(s.accumulation);
  const auto n = static_cast<double>(s.shards());
  const auto t = static_cast<double>(s.tp);
  const double ring = (n - 1) / n;
  const double gradients = 2 * static_cast<double>(e.rank.trained);
  double bytes = 0;
  const bool gathers =
      s.data_parallel == DataParallel::zero3 || s.data_parallel == DataParallel::fsdp;
  if (s.dp > 1 && !gathers) {
    // Reduce and spread again: twice the gradients (ZeRO, section 7).
    bytes += 2 * gradients * ring;
  } else if (s.dp > 1) {
    const double weights = static_cast<double>(e.rank.weights) * n;
    bytes += (weights * passes + gradients) * ring * steps;
  }
  if (s.tp > 1) {
    // Two all-reduces a block and pass (Megatron-LM, section 3).
    bytes += static_cast<double>(model.layers.size()) * 2 * passes * 2 * (t - 1) / t * tokens *
             static_cast<double>(model.n_embd) * 2 * steps;
  }
  return bytes;
}

}  // namespace

StepRates step_rates(const Machine& machine) {
  StepRates rates;
  if (machine.devices.empty()) return rates;
  const Device& device = machine.devices.front().device;
  const double half = device.bf16_tflops > 0 ? device.bf16_tflops : device.fp16_tflops;
  rates.flops = known(half * kTera, kUnknownFlops) * kShareOfPeak;
  rates.fp32_flops = known(device.fp32_tflops * kTera, kUnknownFlops / 8) * kShareOfPeak;
  rates.memory = known(device.bandwidth_gb_s * kGiga, kUnknownMemory);
  const double link =
      machine.link ? machine.link->bandwidth_gb_s : link_gb_s(std::string_view(device.link));
  rates.link = known(link * kGiga, kUnknownLink);
  rates.host =
      known(machine.ram_class ? machine.ram_class->bandwidth_gb_s * kGiga : 0, kUnknownHost);
  rates.disk = known(machine.storage ? machine.storage->bandwidth_gb_s * kGiga : 0, kUnknownDisk);
  rates.peer = device.peer_gb_s > 0 ? device.peer_gb_s * kGiga / 2 : rates.link;
  return rates;
}

double StepTime::low() const {
  return std::max({compute + memory, link, host, disk, peers}) / tokens;
}
double StepTime::high() const {
  return (compute + memory + link + host + disk + peers) / tokens;
}

StepTime step_time(const Model& model, const TrainingSettings& s, const TrainingEstimate& e,
                   const StepRates& rates) {
  const Products p = products_of(model, s);
  const double attention = attention_products(model, s.sequence);
  const double tokens = tokens_of(s);
  const auto steps = static_cast<double>(s.accumulation);
  const double forward = p.blocks + p.head + attention;
  // Backward: the gradient of the input, and of each weight that trains.
  const double weights = s.lora ? 0 : p.blocks + p.head;
  const double again = recomputed(s.checkpointing, p.blocks, attention);
  const double products = forward + (forward + attention + weights) + again;
  const double ranks = static_cast<double>(s.tp * s.pp * s.cp);
  const bool fp32 = s.precision == TrainingPrecision::fp32;
  const auto micro = static_cast<double>(s.accumulation);
  const auto stages = static_cast<double>(s.pp);

  StepTime time;
  time.tokens = tokens * steps * static_cast<double>(s.dp);
  // A pipeline waits for its ends (GPipe, section 2.3).
  const double waiting = (micro + stages - 1) / micro;
  time.compute =
      2 * products * tokens * steps / ranks / (fp32 ? rates.fp32_flops : rates.flops) * waiting;

  const double passes = again > 0 && s.checkpointing != Checkpointing::selective ? 3 : 2;
  // Read 4 bits, write 16, read them again.
  constexpr double kExpand = 4.5;
  const auto states = static_cast<double>(e.rank.states + e.rank.gradients);
  time.memory = (p.frozen_quantized / ranks * kExpand * passes * steps + 2 * states) / rates.memory;

  const auto trained = static_cast<double>(e.rank.trained);
  const auto sharded = static_cast<double>(s.shards());
  if (s.offload != StateOffload::none) {
    // Gradients go down and weights come up, 16 bits each (ZeRO-Offload, section 4).
    time.link += 2 * 2 * trained / sharded / rates.link;
    time.host += 2 * static_cast<double>(e.rank.host) / rates.host;
    if (s.offload != StateOffload::optimizer) {
      time.link +=
          2 * static_cast<double>(e.rank.parameters) / sharded * passes * steps / rates.link;
    }
    time.disk += 2 * static_cast<double>(e.rank.nvme) / rates.disk;
  } else if (s.checkpointing == Checkpointing::offloaded) {
    time.link += 2 * static_cast<double>(e.rank.host) * steps / rates.link;
  }
  time.peers = sent_to_peers(model, s, e, tokens, passes) / rates.peer;
  return time;
}

}  // namespace meyasu
