// Catalog models and machines of the tests about offloading.
#pragma once

#include <catch_amalgamated.hpp>

#include "core/hardware/machine.hpp"
#include "core/offload/shape.hpp"
#include "tests/unit/support/catalogs.hpp"

namespace meyasu {

inline OffloadShape shape_of(std::string_view id) {
  const auto shape = offload_shape(catalog_model_of(id));
  REQUIRE(shape.ok());
  return shape.value();
}

/// FlexGen's machine, from the parts of the hardware catalog.
inline Machine paper_machine() {
  Machine machine;
  machine.devices.push_back({device_of("t4"), 1, {}});
  machine.ram = 208 * kGiB;
  machine.ram_class = device_of("ddr4-2933-6ch");
  machine.storage = device_of("nvme-pcie3-x4");
  machine.storage_free = 1610 * kGB;
  return machine;
}

}  // namespace meyasu
