// Advice for training: what it saves, what it costs in time, and that it does what it says.
#include <algorithm>
#include <catch_amalgamated.hpp>
#include <optional>
#include <utility>

#include "core/advice/training.hpp"
#include "tests/unit/support/catalogs.hpp"

using namespace meyasu;

namespace {

using Kind = TrainingAdviceKind;

Model llama_8b() {
  return catalog_model_of("meta-llama/Llama-3.1-8B");
}

Machine machine_with(std::string_view id, std::int64_t count) {
  Machine machine;
  machine.devices.push_back({device_of(id), count, {}});
  machine.ram = 256 * kGiB;
  return machine;
}

std::vector<TrainingAdvice> advice_for(const TrainingSettings& s, const Machine& machine) {
  auto made = advise_training(llama_8b(), s, machine);
  REQUIRE(made.ok());
  return std::move(made.value());
}

std::optional<TrainingAdvice> single(const std::vector<TrainingAdvice>& list, Kind kind) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const TrainingAdvice& a) {
    return a.kinds == std::vector<Kind>{kind};
  });
  return found == list.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

TEST_CASE("Training advice is cheapest first and tells what each change saves", "[advice]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.checkpointing = Checkpointing::none;
  s.batch = 4;
  const auto list = advice_for(s, machine_with("h100-sxm", 1));
  REQUIRE(list.size() > 5);
  for (std::size_t i = 2; i < list.size(); ++i) {
    const bool before = list[i - 1].verdict == Verdict::over;
    const bool now = list[i].verdict == Verdict::over;
    CHECK(before <= now);
    if (before == now) CHECK(list[i - 1].cost <= list[i].cost);
  }
  for (const TrainingAdvice& a : list) {
    CHECK(a.saving > 0);
    CHECK(a.time_low <= a.time_high);
  }
  for (const Kind kind : {Kind::loss, Kind::checkpointing, Kind::optimizer_8bit, Kind::lora,
                          Kind::qlora, Kind::state_offload, Kind::batch}) {
    CHECK(single(list, kind).has_value());
  }
  // Backward is two forwards; computing one of them again makes four of three.
  const auto checkpointing = single(list, Kind::checkpointing);
  CHECK(checkpointing->time_high > 1.2);
  CHECK(checkpointing->time_high < 1.4);
  // A frozen base needs no gradients of its weights.
  CHECK(single(list, Kind::lora)->time_high < 1);
  CHECK(single(list, Kind::qlora)->saving > single(list, Kind::lora)->saving);
}

TEST_CASE("Where one change is not enough, the fewest that are come first", "[advice]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.checkpointing = Checkpointing::none;
  s.sequence = 8192;
  s.batch = 2;
  Machine machine = machine_with("rtx-3090", 1);
  const auto list = advice_for(s, machine);
  REQUIRE_FALSE(list.empty());
  CHECK(list.front().kinds.size() > 1);
  CHECK(list.front().verdict != Verdict::over);
  CHECK(list.front().margin >= 0);
}

TEST_CASE("With several GPUs a higher stage and one more GPU are advice", "[advice]") {
  TrainingSettings s = usual_training(TrainingMethod::full);
  s.precision = TrainingPrecision::master_fp32;
  const Machine machine = machine_with("h100-sxm", 4);
  use_machine(s, machine);
  CHECK(s.dp == 4);
  const auto list = advice_for(s, machine);
  CHECK(single(list, Kind::zero).has_value());
  const auto more = single(list, Kind::more_gpus);
  REQUIRE(more.has_value());
  CHECK(more->cost == AdviceCost::hardware);
  CHECK(more->changes.front() == OptionChange{"add_gpus", "1"});
  // Every gathered weight crosses the link once more than gradients alone do.
  s.data_parallel = DataParallel::zero3;
  CHECK_FALSE(single(advice_for(s, machine), Kind::zero).has_value());
}

TEST_CASE("Training advice refuses what the estimate refuses", "[advice]") {
  TrainingSettings s = usual_training(TrainingMethod::qlora);
  s.lora->rank = 0;
  CHECK(advise_training(llama_8b(), s, machine_with("rtx-3090", 1)).error().code == "lora_rank");
  s.lora->rank = 16;
  CHECK(advise_training(llama_8b(), s, Machine{}).error().code == "no_gpu");
}
