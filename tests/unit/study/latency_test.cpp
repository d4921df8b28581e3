#include "core/study/latency.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>

#include "core/offload/device_map.hpp"
#include "tests/unit/support/offload_machine.hpp"

using namespace meyasu;
using Catch::Matchers::WithinRel;

namespace {

std::vector<LatencyRow> rows_of(std::string_view id, const Machine& machine,
                                const OffloadQuestion& question = {}) {
  InferenceStudy study(catalog_model_of(id));
  return latency_rows(study, machine, question);
}

LatencyRow row_of(const std::vector<LatencyRow>& rows, LatencyRuntime runtime) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const LatencyRow& row) { return row.runtime == runtime; });
  REQUIRE(found != rows.end());
  return *found;
}

/// Two blocks of 10 between a table of 4 and a head of 3.
const std::vector<PlacedModule> kSmall = {{4, false}, {10, true}, {10, true}, {3, false}};

}  // namespace

TEST_CASE("a single GPU lends 90 % and keeps the largest module to come free", "[offload]") {
  // 30 x 0.9 = 27: table and one block leave 13 - 10 for the second, which does not go in; the head
  // would, but nothing goes back.
  const DeviceMap map = infer_device_map(kSmall, {30}, 100, DeviceMapMode::balanced);
  CHECK(map.gpus == std::vector<Bytes>{14});
  CHECK(map.cpu == 13);
  CHECK(map.disk == 0);
  CHECK(infer_device_map(kSmall, {40}, 100, DeviceMapMode::balanced).gpus ==
        std::vector<Bytes>{27});
}

TEST_CASE("what the CPU cannot hold beside its largest module goes to disk", "[offload]") {
  const DeviceMap map = infer_device_map(kSmall, {10}, 15, DeviceMapMode::balanced);
  CHECK(map.gpus == std::vector<Bytes>{0});
  CHECK(map.cpu == 4);
  CHECK(map.disk == 23);
}

TEST_CASE("sequential fills the first GPU, balanced shares the model", "[offload]") {
  std::vector<PlacedModule> modules(20, PlacedModule{10, true});
  const auto sequential = infer_device_map(modules, {500, 500}, 0, DeviceMapMode::sequential);
  CHECK(sequential.gpus == std::vector<Bytes>{200, 0});
  // 200 / 2 + 1.25 blocks, less one kept free on the first.
  const auto balanced = infer_device_map(modules, {500, 500}, 0, DeviceMapMode::balanced);
  CHECK(balanced.gpus == std::vector<Bytes>{100, 100});
}

TEST_CASE("no byte of a model is lost or counted twice", "[offload]") {
  for (const char* id : {"facebook/opt-30b", "meta-llama/Llama-3.1-8B",
                         "mistralai/Mixtral-8x7B-Instruct-v0.1", "deepseek-ai/DeepSeek-R1"}) {
    const Model model = catalog_model_of(id);
    Bytes expected = 0;
    for (const Tensor& tensor : model.tensors) {
      const bool mtp =
          tensor.layer >= 0 && model.layers[static_cast<std::size_t>(tensor.layer)].is_mtp;
      if (!mtp) expected += 2 * tensor.elements();
    }
    const DeviceMap map = infer_device_map(placed_modules(model), {16 * kGiB, 8 * kGiB}, 32 * kGiB,
                                           DeviceMapMode::balanced);
    CHECK(map.gpus[0] + map.gpus[1] + map.cpu + map.disk == expected);
    CHECK(map.gpus[0] <= 16 * kGiB);
    CHECK(map.gpus[1] <= 8 * kGiB);
    CHECK(map.cpu <= 32 * kGiB);
  }
}

TEST_CASE("Accelerate's own table: OPT-30B on two Titan RTX, 2.37 s a token", "[offload]") {
  Machine machine = paper_machine();
  machine.devices = {{device_of("titan-rtx"), 2, {}}};
  machine.ram = 32 * kGiB;
  const auto row = row_of(rows_of("facebook/opt-30b", machine), LatencyRuntime::accelerate_auto);
  // 14.1 GB were on the CPU, nothing on disk.
  CHECK_THAT(to_gb(row.host), WithinRel(14.1, 0.25));
  CHECK(row.disk == 0);
  CHECK(row.low < 1 / 2.37);
  CHECK(row.high > 1 / 2.37);
}

TEST_CASE("one sequence of OPT-30B: the published order of programs and their speeds",
          "[offload]") {
  OffloadQuestion question;
  const auto rows = rows_of("facebook/opt-30b", paper_machine(), question);
  // Figure 1 of the paper: seconds for 32 tokens of one sequence.
  CHECK_THAT(32 / row_of(rows, LatencyRuntime::zero_cpu).likely, WithinRel(203.0, 0.1));
  const double flexgen = 32 / row_of(rows, LatencyRuntime::flexgen).likely;
  CHECK(flexgen < 165);
  CHECK(flexgen > 100);
  const auto accelerate = row_of(rows, LatencyRuntime::accelerate_auto);
  // What lies on the GPU is not streamed: faster than the paper's run, which kept nothing there.
  CHECK(32 / accelerate.likely < 405);
  CHECK(accelerate.gpu + accelerate.host + accelerate.disk > 59 * kGB);
  CHECK(row_of(rows, LatencyRuntime::zero_disk).likely <
        row_of(rows, LatencyRuntime::zero_cpu).likely);
}

TEST_CASE("a program that does not run says how much is missing and where", "[offload]") {
  Machine machine = paper_machine();
  machine.ram = 32 * kGiB;
  machine.storage_free = 80 * kGB;
  const auto rows = rows_of("facebook/opt-175b", machine);
  for (const LatencyRow& row : rows) {
    INFO(latency_runtime_name(row.runtime) << row.mix);
    CHECK(row.likely == 0);
    CHECK(row.missing > 10 * kGB);
  }
  const LatencyRow zero = row_of(rows, LatencyRuntime::zero_disk);
  CHECK(zero.missing_on == "disk");
  CHECK(zero.missing == zero.disk - 80 * kGB);
  CHECK(row_of(rows, LatencyRuntime::zero_cpu).missing_on == "host");
  CHECK(row_of(rows, LatencyRuntime::llama_cpp).missing_on == "disk");
}

TEST_CASE("without a disk nothing is placed there, and its rows are absent", "[offload]") {
  Machine machine = paper_machine();
  machine.storage.reset();
  const auto rows = rows_of("facebook/opt-30b", machine);
  CHECK(std::none_of(rows.begin(), rows.end(), [](const LatencyRow& row) {
    return row.runtime == LatencyRuntime::zero_disk;
  }));
  CHECK(row_of(rows, LatencyRuntime::accelerate_auto).disk == 0);
}

TEST_CASE("a cache that does not fit beside the weights is said to be too much for the GPU",
          "[offload]") {
  OffloadQuestion question;
  question.work = {200000, 32};
  const auto row = row_of(rows_of("facebook/opt-30b", paper_machine(), question),
                          LatencyRuntime::accelerate_auto);
  CHECK(row.likely == 0);
  CHECK(row.missing_on == "gpu");
}

TEST_CASE("one memory for GPU and CPU: llama.cpp answers, nothing else is moved", "[offload]") {
  Machine machine;
  machine.devices.push_back({device_of("m4-max-40"), 1, {}});
  machine.os = OperatingSystem::macos;
  const auto rows = rows_of("meta-llama/Llama-3.1-70B", machine);
  REQUIRE(rows.size() == 2);
  for (const LatencyRow& row : rows) CHECK(row.runtime == LatencyRuntime::llama_cpp);
  CHECK(rows[1].mix == "Q4_K_M");
  CHECK(rows[1].host + rows[1].disk < rows[1].gpu / 50);
  // 546 GB/s over 42.5 GB.
  CHECK(rows[1].low < 10);
  CHECK(rows[1].high > 10);
}

TEST_CASE("the split over unequal cards is among the flags", "[offload]") {
  Machine machine = paper_machine();
  machine.devices = {{device_of("rtx-3090"), 1, {}}, {device_of("rtx-3060"), 1, {}}};
  const LatencyRow row = rows_of("meta-llama/Llama-3.1-70B", machine)[2];
  CHECK(row.mix == "Q4_K_M");
  CHECK(row.flags.find(" -ts ") != std::string::npos);
}

TEST_CASE("llama.cpp leaves layers of a dense model on the CPU, experts of a mixture",
          "[offload]") {
  Machine machine = paper_machine();
  machine.devices = {{device_of("rtx-4090"), 1, {}}};
  machine.ram = 192 * kGiB;
  const auto quantized = [&](const char* id) { return rows_of(id, machine)[2]; };
  const LatencyRow dense = quantized("meta-llama/Llama-3.1-70B");
  CHECK(dense.mix == "Q4_K_M");
  CHECK(dense.flags.starts_with("-ngl "));
  CHECK(dense.flags.find("n-cpu-moe") == std::string::npos);
  CHECK(dense.gpu > 15 * kGB);
  CHECK(dense.host > 15 * kGB);
  CHECK(dense.disk == 0);
  const LatencyRow mixture = quantized("Qwen/Qwen3-235B-A22B");
  CHECK(mixture.flags.find("--n-cpu-moe ") != std::string::npos);
  // Though three times as large.
  CHECK(mixture.gpu + mixture.host > 2 * (dense.gpu + dense.host));
  CHECK(mixture.likely > dense.likely);
  double seconds = 0;
  for (const FormulaInput& input : dense.formula.inputs) seconds += input.value / 1e3;
  CHECK(Catch::Approx(1 / seconds) == dense.likely);
}

TEST_CASE("what finds no room in RAM is read from the disk, at the speed of the disk",
          "[offload]") {
  Machine machine = paper_machine();
  machine.devices = {{device_of("rtx-3090"), 1, {}}};
  machine.ram = 48 * kGiB;
  const LatencyRow row = rows_of("meta-llama/Llama-3.1-70B", machine)[1];
  CHECK(row.mix == "F16");
  CHECK(row.disk > 50 * kGB);
  CHECK(row.host < 48 * kGB);
  // A dense model evicts what it needs next: all of the 120 GB off the GPU, 3.5 GB/s at best.
  CHECK(row.likely < 3.5 / 110);
  CHECK(row.evidence == Evidence::assumed);
  machine.storage.reset();
  const LatencyRow none = rows_of("meta-llama/Llama-3.1-70B", machine)[1];
  CHECK(none.likely == 0);
  CHECK(none.missing_on == "host");
  CHECK(none.missing == row.disk);
}

TEST_CASE("BLOOM-176B fills eight cards of 48 GB; seven leave a part in RAM", "[offload]") {
  Machine machine = paper_machine();
  machine.devices = {{device_of("rtx-a6000"), 8, {}}};
  machine.ram = 512 * kGiB;
  const auto eight = row_of(rows_of("bigscience/bloom", machine), LatencyRuntime::accelerate_auto);
  CHECK_THAT(to_gb(eight.gpu), Catch::Matchers::WithinAbs(352.5, 0.1));
  CHECK(eight.host == 0);
  machine.devices[0].count = 7;
  const auto seven = row_of(rows_of("bigscience/bloom", machine), LatencyRuntime::accelerate_auto);
  CHECK(seven.host > 0);
}

TEST_CASE("published speeds say whether the program takes the model", "[offload]") {
  const auto applies = [](const char* id) {
    const auto references = latency_references(catalog_model_of(id));
    return std::pair(references[0].applies, references[1].applies);
  };
  CHECK(applies("deepseek-ai/DeepSeek-R1") == std::pair(true, false));
  CHECK(applies("facebook/opt-30b") == std::pair(false, true));
  CHECK(applies("meta-llama/Llama-3.1-8B") == std::pair(false, false));
}
