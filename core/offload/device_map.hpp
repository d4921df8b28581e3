// Where Hugging Face Accelerate puts the modules of a model: `device_map` "auto" (the same as
// "balanced") and "sequential".
// Source: accelerate src/accelerate/utils/modeling.py, get_balanced_memory and
// infer_auto_device_map.
#pragma once

#include <vector>

#include "core/model/model.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {

enum class DeviceMapMode { balanced, sequential };

/// A module that is placed as one: a block, or an embedding, norm or head outside the blocks.
struct PlacedModule {
  Bytes bytes = 0;
  bool is_block = false;
};

/// The modules in the order in which a checkpoint runs through them, in 16 bit. A tied head costs
/// nothing: it goes where the table is.
[[nodiscard]] std::vector<PlacedModule> placed_modules(const Model& model);

struct DeviceMap {
  std::vector<Bytes> gpus;
  Bytes cpu = 0;
  Bytes disk = 0;
};

/// Modules in turn, each whole to the first device with room, never back to an earlier one. The
/// first GPU and the CPU keep the largest module still to come free, to bring offloaded ones in.
/// `gpu_free` and `cpu_free` are free bytes; of a single GPU 90 % are used. With several GPUs
/// `balanced` limits all but the last to an even share and a buffer of 1.25 blocks.
[[nodiscard]] DeviceMap infer_device_map(const std::vector<PlacedModule>& modules,
                                         std::vector<Bytes> gpu_free, Bytes cpu_free,
                                         DeviceMapMode mode);

}  // namespace meyasu
