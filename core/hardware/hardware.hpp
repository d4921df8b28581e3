// The hardware catalog: what can hold a model or move its bytes, with the figures that decide
// memory, fit and speed. The data is core/hardware/devices.json (README.md there explains the
// fields), built into the library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/units/bytes.hpp"
#include "core/units/confidence.hpp"
#include "core/units/result.hpp"

namespace meyasu {

enum class DeviceClass {
  gpu,
  unified,      // CPU and GPU share one memory
  accelerator,  // TPU, Gaudi
  ram,          // a class of main memory: channels and rate, any size
  storage,
  link,  // PCIe
};

/// Whose rules decide how much of a shared memory the GPU may use.
enum class SharedMemory { none, apple, gb10, thor, jetson, apu };

struct Device {
  std::string id;      // "rtx-4090"
  std::string vendor;  // "NVIDIA"; "generic" for memory, storage and links
  std::string name;    // "GeForce RTX 4090"
  DeviceClass device_class = DeviceClass::gpu;
  SharedMemory shared = SharedMemory::none;

  Bytes memory = 0;  // as sold, where a "GB" of memory chips is a GiB; 0: any size
  std::vector<int> memory_options_gib;  // sizes sold, when more than one
  /// What the driver's tools report as total (nvidia-smi); 0: no such reading. ECC in GDDR memory
  /// and firmware have their share taken out already.
  Bytes reported_total = 0;
  bool reported_verified = false;            // seen in a public log of that card, not recalled
  std::vector<Bytes> reported_alternatives;  // ECC switched, other drivers

  double bandwidth_gb_s = 0;  // of its memory, or of the link or disk; 10^9 bytes
  double write_gb_s = 0;      // storage only
  int n_sm = 0;               // NVIDIA streaming multiprocessors; 0: unknown
  double compute_capability = 0;
  /// NVIDIA: what the board may draw as sold, of slices their part by multiprocessors; 0: unknown.
  double power_w = 0;

  // Dense, 10^12 a second; 0: no such unit.
  double fp16_tflops = 0;
  double bf16_tflops = 0;
  double fp8_tflops = 0;
  double fp4_tflops = 0;
  double int8_tops = 0;
  double fp32_tflops = 0;
  std::string link;      // "4.0 x16"
  double peer_gb_s = 0;  // NVLink, Infinity Fabric: sum of both directions

  /// Id of the device of which this is a hardware slice (MIG): memory, bandwidth and processors of
  /// its own, no link to other slices, and a program sees one of them. Empty: a whole device.
  std::string slice_of;

  Confidence confidence = Confidence::high;
  std::string source;

  /// Threads that one multiprocessor holds at a time: 2048 for compute capability 6.x, 7.0, 7.2,
  /// 8.0, 9.0 and 10.x, 1024 for 7.5, else 1536 (CUDA programming guide, technical specifications).
  [[nodiscard]] int threads_per_sm() const;
};

/// "3.0 x16" in GB/s one way: lanes times the rate of the generation (PCI-SIG, after encoding); 0:
/// no such link.
[[nodiscard]] double link_gb_s(std::string_view link);

class DeviceCatalog {
 public:
  /// Errors: "json_bad" (detail: line), or "damaged" with the id at fault.
  [[nodiscard]] static Result<DeviceCatalog> parse(std::string_view json);
  [[nodiscard]] static Result<DeviceCatalog> built_in();

  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::vector<Device>& devices() const { return devices_; }
  /// nullptr when there is none with that id.
  [[nodiscard]] const Device* find(std::string_view id) const;

 private:
  std::string version_;
  std::vector<Device> devices_;
};

/// The text of devices.json without insignificant white space.
[[nodiscard]] std::string_view built_in_devices_json();

/// A device that the catalog lacks, or a slice of one (MIG): `total` as its driver reports it.
/// Errors (code, field): device_zero device; not_positive bandwidth (zero means unknown).
[[nodiscard]] Result<Device> custom_device(std::string name, DeviceClass device_class, Bytes total,
                                           double bandwidth_gb_s);

}  // namespace meyasu
