#include "core/offload/device_map.hpp"

#include <algorithm>
#include <cstddef>

namespace meyasu {

std::vector<PlacedModule> placed_modules(const Model& model) {
  constexpr Bytes kTwo = 2;  // bytes of a 16-bit value
  std::vector<PlacedModule> before;
  std::vector<PlacedModule> blocks(model.layers.size(), {0, true});
  std::vector<PlacedModule> after;
  for (const Tensor& tensor : model.tensors) {
    const Bytes bytes = kTwo * tensor.elements();
    if (tensor.layer >= 0) {
      // Prediction blocks are not loaded to generate text.
      if (model.layers[static_cast<std::size_t>(tensor.layer)].is_mtp) continue;
      blocks[static_cast<std::size_t>(tensor.layer)].bytes += bytes;
    } else if (tensor.role == TensorRole::embedding || tensor.role == TensorRole::position) {
      before.push_back({bytes, false});
    } else {
      after.push_back({bytes, false});
    }
  }
  before.insert(before.end(), blocks.begin(), blocks.end());
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

DeviceMap infer_device_map(const std::vector<PlacedModule>& modules, std::vector<Bytes> gpu_free,
                           Bytes cpu_free, DeviceMapMode mode) {
  Bytes total = 0;
  Bytes block = 0;
  for (const PlacedModule& module : modules) {
    total += module.bytes;
    if (module.is_block) block = std::max(block, module.bytes);
  }
  const std::size_t n = gpu_free.size();
  if (n == 1) gpu_free[0] = gpu_free[0] / 10 * 9;
  if (n > 1 && mode == DeviceMapMode::balanced) {
    const Bytes share = total / static_cast<Bytes>(n) + block * 5 / 4;
    for (std::size_t i = 0; i + 1 < n; ++i) gpu_free[i] = std::min(gpu_free[i], share);
  }

  // The largest module from each on.
  std::vector<Bytes> largest(modules.size() + 1, 0);
  for (std::size_t i = modules.size(); i-- > 0;) {
    largest[i] = std::max(largest[i + 1], modules[i].bytes);
  }
  std::vector<Bytes> room = gpu_free;
  room.push_back(cpu_free);
  std::vector<Bytes> used(n + 2, 0);  // GPUs, CPU, disk
  std::size_t at = 0;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto has_room = [&] {
      if (at > n) return true;  // the disk is not limited
      const bool keeps_free = at == 0 || at == n;
      return used[at] + modules[i].bytes <= room[at] - (keeps_free ? largest[i] : 0);
    };
    while (!has_room()) ++at;
    used[at] += modules[i].bytes;
  }
  DeviceMap map;
  map.disk = used[n + 1];
  map.cpu = used[n];
  used.resize(n);
  map.gpus = std::move(used);
  return map;
}

}  // namespace meyasu
