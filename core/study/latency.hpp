// One sequence at a time on one machine: how fast each program answers, and where it has the
// weights. Side by side, since each program splits a model by its own rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/machine.hpp"
#include "core/offload/plan.hpp"
#include "core/study/study.hpp"

namespace meyasu {

enum class LatencyRuntime {
  flexgen,                // a block of one sequence
  llama_cpp,              // layers or experts on the CPU; pages of the file where RAM is too small
  accelerate_auto,        // device_map "auto", "balanced" is the same
  accelerate_sequential,  // listed with several GPUs, where it differs
  zero_cpu,               // ZeRO-Inference, all weights in RAM
  zero_disk,              // ZeRO-Inference, all weights on NVMe
};
[[nodiscard]] std::string_view latency_runtime_name(LatencyRuntime runtime);

/// Tokens a second of one sequence while it decodes; weights in 16 bit but where `mix` says
/// otherwise. Zeros: it does not run, and `missing` bytes of `missing_on` ("gpu", "host", "disk")
/// say why.
struct LatencyRow {
  LatencyRuntime runtime = LatencyRuntime::flexgen;
  std::string mix;    // of llama.cpp: "F16", "Q4_K_M"
  std::string flags;  // of llama.cpp: "-ngl 99 --n-cpu-moe 12 -ts 40,9"
  Bytes gpu = 0;      // weights there, all GPUs
  Bytes host = 0;
  Bytes disk = 0;  // read again for every token
  double low = 0;
  double likely = 0;
  double high = 0;
  Bytes missing = 0;
  std::string missing_on;
  Formula formula;  // of `likely`
  Evidence evidence = Evidence::derived;
  std::string source;
};

/// One sequence of `question.work`; the block and compression of the question do not count. Where
/// GPU and CPU have one memory, and without a GPU, llama.cpp alone is listed: the others gain
/// nothing there. Empty for a prompt or an answer below one token.
[[nodiscard]] std::vector<LatencyRow> latency_rows(InferenceStudy& study, const Machine& machine,
                                                   const OffloadQuestion& question);

/// Published speeds of programs whose placement no honest formula gives.
struct LatencyReference {
  std::string program;
  std::string model;  // what it was measured with
  std::string machine;
  double low = 0;  // tokens a second
  double high = 0;
  bool applies =
      false;  // models of this kind run on it: experts (KTransformers), ReLU (PowerInfer)
  std::string source;
};
[[nodiscard]] std::vector<LatencyReference> latency_references(const Model& model);

}  // namespace meyasu
