#include "core/offload/constants.hpp"

#include "core/units/rates.hpp"

namespace meyasu {
namespace {

constexpr double kGiBPerSecond = static_cast<double>(kGiB);

}  // namespace

OffloadConstants t4_authors() {
  OffloadConstants c;
  c.up = 12.89 * kGiBPerSecond;
  c.down_kv = 0.97 * kGiBPerSecond;
  c.down_act = 4.82 * kGiBPerSecond;
  c.read = 0.473 * kGiBPerSecond;
  c.write_kv_prefill = 0.746 * kGiBPerSecond;
  c.write_act_prefill = 2.015 * kGiBPerSecond;
  c.write_decode = 2.015 * kGiBPerSecond;
  c.read_weights_efficiency = 0.95;
  c.matmul_prefill = 21.24 * kTera;
  c.matmul_decode = 4.3 * kTera;
  c.attention_prefill = 9.97 * kTera;
  c.attention_decode = 0.079 * kTera;
  c.cpu_attention = 0.0123 * kTera;
  c.c1 = 0.0168;
  c.c2 = 0.0328;
  c.c3 = 0.0621;
  // From two compressed runs of OPT-6.7B.
  c.expand = 14.4 * kGiga;
  c.compress = 2.0 * kGiga;
  // The run of OPT-30B without CPU attention.
  c.up_kv = 4.0 * kGiga;
  return c;
}

OffloadConstants t4_measured() {
  OffloadConstants c = t4_authors();
  // Table 8 of the paper, OPT-175B: bytes over the seconds of each transfer.
  c.read = 2.38 * kGiga;
  c.read_weights_efficiency = 1;
  c.write_kv_prefill = 2.37 * kGiga;
  c.write_act_prefill = 2.37 * kGiga;
  c.write_decode = 2.37 * kGiga;
  c.read_kv = 2.81 * kGiga;
  c.write_kv_decode = 0.30 * kGiga;
  // Decode of OPT-6.7B wholly on the GPU: 79 % of the card's 320 GB/s.
  c.gpu_memory = 254 * kGiga;
  return c;
}

OffloadMachine flexgen_t4(OffloadConstants rates) {
  OffloadMachine machine;
  machine.name = "gcp-t4";
  machine.gpu = 15 * kGiB;
  machine.cpu = 200 * kGiB;
  machine.disk = 1500 * kGiB;
  machine.rates = rates;
  machine.source = "arXiv 2303.06865, section 6; FlexLLMGen experimental/cost_model.py";
  return machine;
}

OffloadConstants scaled_from_t4(const OffloadConstants& of_t4, const OffloadParts& parts) {
  // Nominal figures of the machine that was measured: T4, PCIe 3.0 x16, six channels of DDR4-2933,
  // an NVMe disk of PCIe 3.0 x4. What it reached of them is in the rates.
  constexpr OffloadParts kT4 = {65, 320, 15.75, 140.8, 3.5, 3.0};
  OffloadConstants c = of_t4;
  const auto ratio = [](double part, double there) { return part > 0 ? part / there : 1.0; };
  const double compute = ratio(parts.fp16_tflops, kT4.fp16_tflops);
  for (double* rate : {&c.matmul_prefill, &c.matmul_decode, &c.attention_prefill}) *rate *= compute;
  const double memory = ratio(parts.gpu_memory_gb_s, kT4.gpu_memory_gb_s);
  // Attention in decode reads the cache once: bound by memory, as is (de)compression.
  for (double* rate : {&c.gpu_memory, &c.attention_decode, &c.expand, &c.compress}) *rate *= memory;
  const double link = ratio(parts.link_gb_s, kT4.link_gb_s);
  for (double* rate : {&c.up, &c.down_kv, &c.down_act, &c.up_kv}) *rate *= link;
  c.cpu_attention *= ratio(parts.ram_gb_s, kT4.ram_gb_s);
  const double reads = ratio(parts.ssd_read_gb_s, kT4.ssd_read_gb_s);
  for (double* rate : {&c.read, &c.read_kv}) *rate *= reads;
  const double writes = ratio(parts.ssd_write_gb_s, kT4.ssd_write_gb_s);
  for (double* rate :
       {&c.write_kv_prefill, &c.write_act_prefill, &c.write_decode, &c.write_kv_decode}) {
    *rate *= writes;
  }
  return c;
}

}  // namespace meyasu
