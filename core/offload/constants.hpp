// A machine as the planner sees it: three capacities, the rates between them, and how fast it
// multiplies.
#pragma once

#include <string>

#include "core/hardware/hardware.hpp"
#include "core/units/bytes.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// Bytes a second and FLOP a second. Names as in FlexGen's cost model (experimental/cost_model.py):
/// prefill and decode use the units differently well, so each has rates of its own.
struct OffloadConstants {
  double up = 0;        // CPU -> GPU, pinned
  double down_kv = 0;   // GPU -> CPU, cache
  double down_act = 0;  // GPU -> CPU, activations
  double read = 0;      // disk -> CPU
  double write_kv_prefill = 0;
  double write_act_prefill = 0;
  double write_decode = 0;
  double read_weights_efficiency = 1;  // decode reads of weights against `read`
  double matmul_prefill = 0;
  double matmul_decode = 0;
  double attention_prefill = 0;  // batched products
  double attention_decode = 0;
  double cpu_attention = 0;
  /// CPU attention loses speed in small batches and narrow models: 1 + c1 x y - c2 x - c3 y with
  /// x = log2(64 / g), y = log2(4096 / n_embd), both at least 0, and the whole at least 0.1.
  double c1 = 0;
  double c2 = 0;
  double c3 = 0;
  double expand = 0;           // values a second, 4-bit groups to FP16
  double compress = 0;         // values a second, FP16 to 4-bit groups
  double gpu_memory = 0;       // 0: not a bound
  double up_kv = 0;            // cache to the GPU when the CPU does not attend: unpinned, relayed
  double read_kv = 0;          // 0: as `read`
  double write_kv_decode = 0;  // 0: as `write_decode`
};

struct OffloadMachine {
  std::string name;
  Bytes gpu = 0;
  Bytes cpu = 0;
  Bytes disk = 0;
  OffloadConstants rates;
  Evidence evidence = Evidence::measured;
  std::string source;
};

/// The constants that FlexGen's authors fitted on their T4 (experimental/cost_model.py).
[[nodiscard]] OffloadConstants t4_authors();
/// The same with disk, cache and GPU memory rates derived again from the paper's table 8 and its
/// own runs: the authors' disk rate of 0.473 GiB/s predicts OPT-175B 4.5 times too slow.
[[nodiscard]] OffloadConstants t4_measured();

/// Google Cloud's T4 of the paper: 15 GiB of the card, 200 GiB RAM, 1500 GiB disk.
[[nodiscard]] OffloadMachine flexgen_t4(OffloadConstants rates);

/// Nominal figures of the hardware catalog. Zero: unknown, the T4 machine's figure is kept.
struct OffloadParts {
  double fp16_tflops = 0;
  double gpu_memory_gb_s = 0;
  double link_gb_s = 0;  // one way
  double ram_gb_s = 0;
  double ssd_read_gb_s = 0;
  double ssd_write_gb_s = 0;
};
/// `of_t4`, each rate scaled by the part that bounds it: another machine is taken to reach
/// the same share of its nominal figures. Evidence: assumed, since only the T4 was measured.
[[nodiscard]] OffloadConstants scaled_from_t4(const OffloadConstants& of_t4,
                                              const OffloadParts& parts);

}  // namespace meyasu
