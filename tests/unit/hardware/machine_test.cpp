#include "core/hardware/machine.hpp"

#include <catch_amalgamated.hpp>

#include "core/inference/machine.hpp"

using namespace meyasu;

namespace {

MachineDevice device(const char* id, std::int64_t count = 1) {
  static const Result<DeviceCatalog> kDevices = DeviceCatalog::built_in();
  REQUIRE(kDevices.ok());
  const Device* found = kDevices.value().find(id);
  REQUIRE(found != nullptr);
  return {.device = *found, .count = count, .use = {}};
}

Bytes usable(const Machine& machine, std::size_t at) {
  return device_capacity(machine, machine.devices[at]).value().usable.bytes;
}

}  // namespace

TEST_CASE("a machine may hold unequal devices, each with its own reserve", "[hardware]") {
  Machine machine;
  machine.devices = {device("rtx-4090", 2), device("rtx-3060")};
  CHECK(machine.n_devices() == 3);
  const Bytes before = usable(machine, 1);
  machine.devices[1].use.reserve = kGiB;
  CHECK(usable(machine, 1) == before - kGiB);
  CHECK(usable(machine, 0) > 23 * kGiB);
  machine.devices[1].use.reserve = 12 * kGiB;
  CHECK(device_capacity(machine, machine.devices[1]).error().code == "reserve_over");
}

TEST_CASE("the system of the machine counts for each device", "[hardware]") {
  Machine machine;
  machine.devices = {device("m4")};
  machine.devices[0].use.memory = 16 * kGiB;
  machine.os = usual_system(machine);
  CHECK(machine.os == OperatingSystem::macos);
  const Bytes newer = usable(machine, 0);
  machine.macos = MacOsVersion::sequoia_or_older;
  CHECK(usable(machine, 0) < newer);
}

TEST_CASE("the host leaves room for the system, and shares what devices share", "[hardware]") {
  Machine machine;
  CHECK(host_capacity(machine).error() == Error{"ram_unknown", "ram", {}});
  // Beside a GPU it may stay unknown; where it is all there is, somebody has to say it.
  CHECK(host_room(machine).error() == Error{"ram_unknown", "ram", {}});
  machine.devices = {device("rtx-4090")};
  CHECK(host_room(machine).value() == 0);
  machine.devices.clear();
  machine.ram = -1;
  CHECK(host_capacity(machine).error().code == "not_positive");
  machine.ram = 32 * kGiB;
  CHECK(host_capacity(machine).value().usable.bytes == 27 * kGiB);
  // A Mac has no other memory, whatever else was typed: the host gets what Metal does not lend.
  machine.devices = {device("m4-max-40")};
  machine.devices[0].use.memory = 64 * kGiB;
  REQUIRE(shares_memory(machine));
  const Bytes host = host_capacity(machine).value().usable.bytes;
  CHECK(host > 0);
  CHECK(host + usable(machine, 0) <= 64 * kGiB);
}

TEST_CASE("the backend is the one that all devices have in common", "[hardware]") {
  Machine machine;
  machine.devices = {device("rtx-4090"), device("rtx-3060")};
  CHECK(usual_backend(machine) == LlamaCppBackend::cuda);
  machine.devices.push_back(device("rx-7900-xtx"));
  CHECK(usual_backend(machine) == LlamaCppBackend::vulkan);
}
