#include "core/fit/machine_fit.hpp"

#include <catch_amalgamated.hpp>

using namespace meyasu;

TEST_CASE("an amount against all devices together, or RAM alone", "[fit]") {
  Machine machine;
  const auto device = custom_device("card", DeviceClass::gpu, 12 * kGiB, 0);
  REQUIRE(device.ok());
  machine.devices.push_back({device.value(), 2, {}});
  const auto one = device_capacity(machine, machine.devices.front());
  REQUIRE(one.ok());
  const Bytes both = one.value().usable.bytes * 2;
  CHECK(fit_machine(machine, both + 1).value().verdict() == Verdict::over);
  CHECK(fit_machine(machine, both).value().verdict() == Verdict::tight);
  CHECK(fit_machine(machine, both / 2).value().verdict() == Verdict::fits);
  machine.devices.clear();
  CHECK_FALSE(fit_machine(machine, kGiB).ok());  // no RAM given
  machine.ram = 32 * kGiB;
  CHECK(fit_machine(machine, 31 * kGiB).value().verdict() == Verdict::over);
  CHECK(fit_machine(machine, 8 * kGiB).value().verdict() == Verdict::fits);
}
