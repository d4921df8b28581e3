#include "core/hardware/capacity.hpp"

#include <catch_amalgamated.hpp>
#include <string_view>
#include <vector>

using namespace meyasu;

namespace {

const Device& device(std::string_view id) {
  static const Result<DeviceCatalog> kDevices = DeviceCatalog::built_in();
  REQUIRE(kDevices.ok());
  const Device* found = kDevices.value().find(id);
  INFO(id);
  REQUIRE(found != nullptr);
  return *found;
}

UsableCapacity capacity(std::string_view id, const MachineUse& use = {}) {
  const Result<UsableCapacity> result = usable_capacity(device(id), use);
  INFO(id);
  REQUIRE(result.ok());
  return result.value();
}

double mib(Bytes bytes) {
  return static_cast<double>(bytes) / static_cast<double>(kMiB);
}

}  // namespace

TEST_CASE("CUDA's total on Linux lies in the range for every card that was read", "[capacity]") {
  struct Reading {
    const char* id;
    double total;
  };
  for (const Reading& r : std::vector<Reading>{{"rtx-3060", 11909},
                                               {"rtx-4070", 11903},
                                               {"rtx-4070-ti-super", 15942},
                                               {"rtx-3090", 24124},
                                               {"rtx-5070-ti", 15842},
                                               {"rtx-5090", 32106},
                                               {"rtx-6000-ada", 48508},
                                               {"rtx-pro-6000-blackwell-maxq", 97288},
                                               {"gtx-1080", 8107},
                                               {"t4", 15094},
                                               {"a100-sxm-80gb", 81152}}) {
    INFO(r.id);
    const Term usable = capacity(r.id).usable;
    CHECK(mib(usable.low) <= r.total);
    CHECK(mib(usable.high) >= r.total);
    CHECK(mib(usable.bytes) == Catch::Approx(r.total).margin(180));
  }
}

TEST_CASE("on Windows the driver's total is all there, the budget is other programs' share",
          "[capacity]") {
  MachineUse use;
  use.os = OperatingSystem::windows;
  CHECK(capacity("rtx-4090", use).usable.bytes == 24564 * kMiB);
  use.subtract_other_programs = true;
  const Term usable = capacity("rtx-4090", use).usable;
  CHECK(usable.low == (24564 - 1210) * kMiB);
  CHECK(usable.bytes == (24564 - 1050) * kMiB);
  CHECK(usable.high == (24564 - 890) * kMiB);
}

TEST_CASE("why a card shows less than its box says", "[capacity]") {
  CHECK(capacity("rtx-4090").reported == 24564 * kMiB);
  CHECK(capacity("rtx-4090").reason == "driver_total");
  CHECK(capacity("t4").reported == 15360 * kMiB);
  CHECK(capacity("t4").reason == "ecc_hidden");
  CHECK(capacity("h100-sxm").reported == 81559 * kMiB);
  CHECK(capacity("h100-sxm").reason == "driver_total");
  CHECK(capacity("b300-sxm").reason == "driver_total");  // HBM: ECC takes nothing
  CHECK(capacity("rx-7900-xtx").reason == "as_sold");
  CHECK(capacity("m4-max-40").reason == "metal_share");
}

TEST_CASE("Metal's limit by memory and macOS", "[capacity]") {
  struct Row {
    int gib;
    double newer;
    double older;  // MiB; 0: not seen
  };
  for (const Row& row : std::vector<Row>{{8, 5461, 5461},
                                         {16, 12124, 10922},
                                         {18, 13640, 0},
                                         {24, 18186, 0},
                                         {32, 25559, 21845},
                                         {36, 28753, 27648},
                                         {48, 38338, 36864},
                                         {64, 53084, 49152},
                                         {128, 110100, 98304},
                                         {512, 475136, 475136}}) {
    INFO(row.gib);
    MachineUse use;
    use.memory = row.gib * kGiB;
    const Term newer = capacity("m1", use).usable;
    CHECK(mib(newer.bytes) == Catch::Approx(row.newer).margin(1));
    CHECK(newer.evidence == Evidence::measured);
    CHECK(newer.low == newer.high);
    use.macos = MacOsVersion::sequoia_or_older;
    if (row.older > 0)
      CHECK(mib(capacity("m1", use).usable.bytes) == Catch::Approx(row.older).margin(1));
  }
  const MetalShare between = metal_share(96 * kGiB, MacOsVersion::tahoe);
  CHECK(between.evidence == Evidence::assumed);
  CHECK(between.low == Catch::Approx(0.81));
  CHECK(between.high == Catch::Approx(0.84));
  CHECK(between.likely == Catch::Approx(0.825));
  // Seen as 73,728 MiB.
  CHECK(mib(static_cast<Bytes>(metal_share(96 * kGiB, MacOsVersion::sequoia_or_older).likely * 96 *
                               kGiB)) == Catch::Approx(73728));
}

TEST_CASE("a raised limit replaces the share but not the needs of the system", "[capacity]") {
  MachineUse use;
  use.memory = 64 * kGiB;
  use.gpu_limit = 56 * kGiB;
  const UsableCapacity raised = capacity("m1-max", use);
  CHECK(raised.usable.bytes == 56 * kGiB);  // 8 GiB remain for the system
  CHECK(raised.reason == "gpu_limit");
  use.gpu_limit = 64 * kGiB;
  CHECK(capacity("m1-max", use).usable.bytes == 59 * kGiB);
  CHECK(capacity("m1-max", use).usable.low == 56 * kGiB);
}

TEST_CASE("shared memory of GB10 and Strix Halo", "[capacity]") {
  const UsableCapacity spark = capacity("gb10-dgx-spark");
  CHECK(mib(spark.reported) == Catch::Approx(124610).margin(100));
  // A fresh box had 121,443 MiB available.
  CHECK(mib(spark.usable.high) == Catch::Approx(121443).margin(150));
  CHECK(spark.usable.low < spark.usable.bytes);
  CHECK(mib(capacity("ryzen-ai-max-395").reported) == Catch::Approx(63395).margin(1));
  MachineUse windows;
  windows.os = OperatingSystem::windows;
  CHECK(mib(capacity("ryzen-ai-max-395", windows).usable.bytes) == Catch::Approx(110456).margin(1));
  windows.vulkan = true;
  CHECK(mib(capacity("ryzen-ai-max-395", windows).usable.bytes) ==
        Catch::Approx(110456 * 0.95).margin(1));
}

TEST_CASE("a reading of free memory stands above every estimate", "[capacity]") {
  MachineUse use;
  use.measured_free = 20'000 * kMiB;
  use.reserve = 1'000 * kMiB;
  const UsableCapacity measured = capacity("rtx-4090", use);
  CHECK(measured.usable.bytes == 19'000 * kMiB);
  CHECK(measured.usable.low == measured.usable.high);
  CHECK(measured.usable.evidence == Evidence::measured);
}

TEST_CASE("what cannot hold a model has no capacity", "[capacity]") {
  CHECK(usable_capacity(device("pcie4-x16"), {}).error().code == "not_memory");
  CHECK(usable_capacity(device("nvme-pcie4-x4"), {}).error().code == "not_memory");
  CHECK(usable_capacity(device("ddr5-5600-dual"), {}).error().code == "device_zero");
  MachineUse use;
  use.memory = 64 * kGiB;
  CHECK(capacity("ddr5-5600-dual", use).usable.bytes == 59 * kGiB);
  use.reserve = 100 * kGiB;
  CHECK(usable_capacity(device("ddr5-5600-dual"), use).error().code == "reserve_over");
  use.reserve = -1;
  CHECK(usable_capacity(device("ddr5-5600-dual"), use).error().code == "not_positive");
}
