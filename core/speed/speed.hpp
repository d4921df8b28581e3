// Generated tokens a second and the time to the first one: bytes read per token over the bandwidth
// of the memory they are in, arithmetic over the rate of the device, place after place. Always a
// range, made of parts that say what was divided by what.
//   decode:  t = sum over GPUs of  (read^4 + unpack^4)^(1/4)  with  read = weights / R,
//                unpack = sum over formats of elements * cost / FP32 rate
//                + max(B * cache / (eta_kv * R), B * attention FLOP / F_att)
//                + min((B - 1) * FLOP / F_vec, ceil(B / 32) * 32 * FLOP / F_mat)
//                + operations * tau
//                + (GPUs - 1) * sigma
//                + on the host  weights / (eta * BW)  +  B * cache / (eta_kv * BW)  + hops * sigma
//   prompt:  t = sum over GPUs of  tokens * FLOP / F beside the weights, read once per micro-batch
//                + tokens * attention FLOP / F_att,  or without flash attention
//                  tokens * (attention FLOP / F + scores * 24 B / (eta * BW))
//                + before autumn 2024  quantized weights written out once per micro-batch
//                + weights on the host across PCIe once per micro-batch
//   On NVIDIA cards F is what the board's power allows, of experts what the tokens of each allow.
// Layers split over GPUs run one after the other, so their times add; prompts pass through them in
// micro-batches like through a pipeline.
#pragma once

#include <string>
#include <vector>

#include "core/hardware/machine.hpp"
#include "core/speed/efficiency.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// What moves and computes. `gpus` stand beside LlamaCppSettings::devices.
struct SpeedMachine {
  std::vector<Device> gpus;
  double host_gb_s = 0;   // printed rate of the RAM: channels x rate x 8; 0: unknown, assumed
  double link_gb_s = 0;   // host to GPU, pinned; 0: unknown, assumed
  double disk_gb_s = 0;   // sequential reads; 0: unknown, assumed
  Bytes host_usable = 0;  // RAM for the weights on the host; 0: enough
  SoftwareAge age = SoftwareAge::current;
};

/// The machine of the page. Unified memory serves the CPU at its own rate.
[[nodiscard]] SpeedMachine speed_machine(const Machine& machine);

struct SpeedWorkload {
  double prompt = 512;      // tokens of the question
  double depth = 512;       // tokens in the cache while answering
  double sequences = 1;     // answered at the same time
  double prompt_depth = 0;  // tokens that were in the cache before the question
};

/// A question of 1,000 tokens, or of what fits into `n_ctx`, asked by each of `users`.
[[nodiscard]] SpeedWorkload usual_question(std::int64_t n_ctx, std::int64_t users);

struct SpeedRange {
  double low = 0;
  double likely = 0;
  double high = 0;
};

/// What limits a part.
enum class SpeedResource : std::uint8_t { memory, compute, launch, link, disk };
[[nodiscard]] std::string_view resource_name(SpeedResource resource);

/// One share of the time. `id`: weights, kv_cache, attention, batch_compute, blocks, hops,
/// hand_over, disk, all_reduce; for prompts prompt_compute, prompt_attention, prompt_weights,
/// prompt_unpack, transfer.
struct SpeedPart {
  std::string id;
  std::string place;  // "gpu0", "host", "link", "disk"
  SpeedResource resource = SpeedResource::memory;
  double seconds = 0;
  Formula formula;
  Evidence evidence = Evidence::measured;
  std::string source;
};

/// Tokens a second of one request. Faster than most people read (about 250 words a minute, 5 to 6
/// tokens a second) with a margin.
inline constexpr double kComfortableTokS = 10;

struct Speed {
  /// False for encoders, which write nothing: `decode` and the rates beside it are then those of
  /// reading, and first_token_s is 0.
  bool generates = true;
  SpeedRange decode_tok_s;       // of all sequences together
  SpeedRange decode_tok_s_each;  // of one
  SpeedRange prompt_tok_s;       // 0: the arithmetic rate of the device is unknown
  SpeedRange first_token_s;      // reading the prompt, then one step; 0: unknown
  std::vector<SpeedPart> decode;
  std::vector<SpeedPart> prompt;
  std::size_t binding = 0;  // index into `decode`: the largest part
  /// Slower than kComfortableTokS.
  bool slow = false;
};

/// The work behind a speed: the same on all machines whose devices get the same parts of the model,
/// whatever their rates.
struct SpeedWork {
  StepWork decode;
  StepWork prompt;           // of one micro-batch
  double n_operations = 0;   // of one step, on all places
  double resident_host = 0;  // bytes of weights that the host has to keep
  bool generates = true;
};
/// Errors: those of step_work().
[[nodiscard]] Result<SpeedWork> speed_work(const Model& model, const LlamaCppSettings& settings,
                                           const SpeedWorkload& workload);

/// `work` of the same settings and workload. Error speed_unknown: field "gpu" (detail: its name)
/// when the bandwidth of a device is not known, field "model" when nothing is read.
[[nodiscard]] Result<Speed> estimate_speed(const SpeedWork& work, const LlamaCppSettings& settings,
                                           const SpeedMachine& machine,
                                           const SpeedWorkload& workload);
/// Both in one.
[[nodiscard]] Result<Speed> estimate_speed(const Model& model, const LlamaCppSettings& settings,
                                           const SpeedMachine& machine,
                                           const SpeedWorkload& workload);

}  // namespace meyasu
