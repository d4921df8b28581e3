// Models and devices of the built-in catalogs, by id; a test that names one that is not there
// fails.
#pragma once

#include <catch_amalgamated.hpp>
#include <string_view>
#include <utility>

#include "core/catalog/catalog.hpp"
#include "core/hardware/hardware.hpp"

namespace meyasu {

inline Model catalog_model_of(std::string_view id) {
  const auto catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  const CatalogEntry* entry = catalog.value().find(id);
  REQUIRE(entry != nullptr);
  auto model = model_of(*entry);
  REQUIRE(model.ok());
  return std::move(model.value());
}

inline Device device_of(std::string_view id) {
  const auto catalog = DeviceCatalog::built_in();
  REQUIRE(catalog.ok());
  const Device* device = catalog.value().find(id);
  REQUIRE(device != nullptr);
  return *device;
}

}  // namespace meyasu
