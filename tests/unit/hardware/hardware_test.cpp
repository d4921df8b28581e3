#include "core/hardware/hardware.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/hardware/search.hpp"
#include "core/inference/llama_cpp/overhead.hpp"

using namespace meyasu;

namespace {

const DeviceCatalog& devices() {
  static const Result<DeviceCatalog> kDevices = DeviceCatalog::built_in();
  REQUIRE(kDevices.ok());
  return kDevices.value();
}

const Device& device(std::string_view id) {
  const Device* found = devices().find(id);
  INFO(id);
  REQUIRE(found != nullptr);
  return *found;
}

std::vector<std::string> ids(std::string_view query, std::size_t limit = 300) {
  const DeviceSearch search(devices());
  std::vector<std::string> found;
  for (const std::size_t index : search.find(query, limit)) {
    found.push_back(devices().devices()[index].id);
  }
  return found;
}

}  // namespace

TEST_CASE("every device has a source, a unique id, a bandwidth and a plausible memory",
          "[hardware]") {
  CHECK(devices().devices().size() >= 276);  // none was lost
  std::set<std::string> seen;
  for (const Device& d : devices().devices()) {
    INFO(d.id);
    CHECK(seen.insert(d.id).second);
    CHECK_FALSE(d.source.empty());
    CHECK(d.bandwidth_gb_s > 0);
    const bool holds_a_model =
        d.device_class == DeviceClass::gpu || d.device_class == DeviceClass::accelerator;
    if (holds_a_model) CHECK(d.memory >= 3 * kGiB);
    CHECK((d.shared != SharedMemory::none) == (d.device_class == DeviceClass::unified));
    if (d.reported_total > 0) {
      CHECK(d.reported_total <= d.memory + d.memory / 10);
      // Names of slices are rounded up: 16 GiB of an H200 are "18gb".
      if (d.slice_of.empty()) CHECK(d.reported_total >= d.memory / 100 * 92);
    }
    for (const int option : d.memory_options_gib) CHECK(option * kGiB <= d.memory);
  }
}

TEST_CASE("totals are those that nvidia-smi prints", "[hardware]") {
  CHECK(device("rtx-4090").reported_total == 24564 * kMiB);
  CHECK(device("rtx-4090").reported_verified);
  CHECK(device("t4").reported_total == 15360 * kMiB);
  CHECK(device("h100-sxm").reported_total == 81559 * kMiB);
  CHECK(device("h100-pcie").reported_total == 81559 * kMiB);
  CHECK(device("a100-sxm-80gb").reported_total == 81920 * kMiB);
  CHECK(device("rtx-4090").memory == 24 * kGiB);
  CHECK(device("mi300x").reported_total == 0);
}

TEST_CASE("multiprocessors and their threads give the CUDA contexts that were read", "[hardware]") {
  struct Reading {
    const char* id;
    double low;
    double high;
  };
  // MiB, the extremes of total - free at start on machines without a desktop; 19 % either way is
  // the worst error of the formula.
  for (const Reading& r : std::vector<Reading>{{"gtx-1080", 110, 110},
                                               {"rtx-3060", 113, 119},
                                               {"rtx-4060-ti-16gb", 134, 134},
                                               {"tesla-p40", 148, 148},
                                               {"rtx-4070", 169, 169},
                                               {"l4", 194, 194},
                                               {"rtx-3090", 262, 344},
                                               {"a100-pcie-40gb", 432, 432},
                                               {"rtx-4090", 392, 476},
                                               {"rtx-5090", 523, 523},
                                               {"h100-sxm", 514, 527},
                                               {"rtx-pro-6000-blackwell-ws", 561, 621}}) {
    INFO(r.id);
    const Device& d = device(r.id);
    const double context =
        static_cast<double>(cuda_context_bytes(d.n_sm, d.threads_per_sm())) / kMiB;
    CHECK(context >= r.low * 0.81);
    CHECK(context <= r.high * 1.19);
  }
  CHECK(device("t4").threads_per_sm() == 1024);
  CHECK(device("a100-pcie-40gb").threads_per_sm() == 2048);
  CHECK(device("rtx-4090").threads_per_sm() == 1536);
}

TEST_CASE("devices are found by what people type", "[hardware]") {
  CHECK(ids("4090").front() == "rtx-4090");
  // A size in the name makes it no longer: the Ti comes after.
  CHECK(ids("3060").front() == "rtx-3060");
  CHECK(ids("ＲＴＸ４０９０").front() == "rtx-4090");
  CHECK(ids("rtx4090 laptop").front() == "rtx-4090-laptop");
  CHECK(ids("h100 80gb sxm").front() == "h100-sxm");
  CHECK(ids("m3 max").front().starts_with("m3-max"));
  CHECK(ids("ラデオン 7900 xtx").front() == "rx-7900-xtx");
  CHECK(ids("らでおん 7900 xtx").front() == "rx-7900-xtx");
  CHECK(ids("strix halo").front() == "ryzen-ai-max-395");
  CHECK(ids("no such card").empty());
  CHECK(ids("", 1000).size() == devices().devices().size());
  for (const std::string& id : ids("nvidia 24gb")) CHECK(device(id).memory == 24 * kGiB);
  CHECK(ids("nvidia 24gb").size() > 10);
  // Sold with 24 GB as well as with more.
  const std::vector<std::string> apple = ids("apple 24gb");
  CHECK(std::find(apple.begin(), apple.end(), "m4") != apple.end());
}

TEST_CASE("how many is part of what people type", "[hardware]") {
  const auto read = [](const char* query) {
    const DeviceQuery found = read_device_query(query);
    return std::to_string(found.count) + " " + found.text;
  };
  CHECK(read("2x L40S") == "2 l40s");
  CHECK(read("l40s x8") == "8 l40s");
  CHECK(read("4 × RTX 3090") == "4 rtx 3090");
  CHECK(read("３０９０　２枚") == "2 3090");
  CHECK(read("3090") == "1 3090");
  CHECK(read("RX 7900") == "1 rx 7900");
  CHECK(read("64x 3090") == "1 64x 3090");
  CHECK(ids("2x l40s").front() == "l40s");
}

TEST_CASE("what browsers print about graphics names a device, or nothing", "[hardware]") {
  const auto named = [](const char* text) {
    std::vector<std::string> found;
    for (const std::size_t at : DeviceSearch(devices()).named_in(text)) {
      found.push_back(devices().devices()[at].id);
    }
    return found;
  };
  using Ids = std::vector<std::string>;
  CHECK(named("ANGLE (NVIDIA, NVIDIA GeForce RTX 4090 (0x00002684) Direct3D11 vs_5_0 ps_5_0)") ==
        Ids{"rtx-4090"});
  CHECK(named("ANGLE (NVIDIA, NVIDIA GeForce RTX 4060 Ti Direct3D11)") ==
        Ids{"rtx-4060-ti-16gb", "rtx-4060-ti-8gb"});
  CHECK(named("ANGLE (Apple, ANGLE Metal Renderer: Apple M3 Max, Unspecified Version)").size() ==
        2);
  CHECK(named("ANGLE Metal Renderer: Apple M2") == Ids{"m2"});
  CHECK(named("nvidia ampere").empty());
  CHECK(named("Google SwiftShader").empty());
  CHECK(named("").empty());
}

TEST_CASE("a device of one's own needs a size", "[hardware]") {
  const Result<Device> slice =
      custom_device("H100 MIG 1g.10gb", DeviceClass::gpu, 9856 * kMiB, 335);
  REQUIRE(slice.ok());
  CHECK(slice.value().reported_total == 9856 * kMiB);
  CHECK(custom_device("x", DeviceClass::gpu, 0, 1).error().code == "device_zero");
  CHECK(custom_device("x", DeviceClass::gpu, kGiB, -1).error().code == "not_positive");
}

TEST_CASE("damaged device lists are refused", "[hardware]") {
  CHECK(DeviceCatalog::parse("{").error().code == "json_bad");
  CHECK(DeviceCatalog::parse("{}").error().code == "damaged");
  const char* no_source = R"({"version":"1","sources":{},"groups":[{"vendor":"V","class":"gpu",
    "devices":[{"id":"a","name":"A","gib":8,"gb_s":1,"src":"x"}]}]})";
  CHECK(DeviceCatalog::parse(no_source).error() == Error{"damaged", "devices", "a"});
  const char* no_class = R"({"version":"1","sources":{},"groups":[{"vendor":"V","class":"toaster",
    "devices":[]}]})";
  CHECK(DeviceCatalog::parse(no_class).error().code == "damaged");
}

TEST_CASE("the built-in device list stays small", "[hardware]") {
  CHECK(built_in_devices_json().size() <= 48'000);
}

TEST_CASE("MIG slices: parts of a device that is there", "[hardware]") {
  const DeviceCatalog catalog = DeviceCatalog::built_in().value();
  int slices = 0;
  for (const Device& slice : catalog.devices()) {
    if (slice.slice_of.empty()) continue;
    INFO(slice.id);
    ++slices;
    const Device* whole = catalog.find(slice.slice_of);
    REQUIRE(whole != nullptr);
    CHECK(slice.reported_total < whole->reported_total);
    CHECK(slice.bandwidth_gb_s < whole->bandwidth_gb_s);
    CHECK(slice.n_sm < whole->n_sm);
    CHECK(slice.peer_gb_s == 0);
  }
  CHECK(slices > 10);
}
