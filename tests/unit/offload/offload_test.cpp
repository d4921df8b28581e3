#include <algorithm>
#include <catch_amalgamated.hpp>
#include <string>

#include "core/offload/known_cases.hpp"
#include "core/offload/plan.hpp"
#include "core/offload/policy_search.hpp"
#include "core/offload/realised.hpp"
#include "core/offload/run.hpp"
#include "core/offload/streaming.hpp"
#include "tests/unit/support/offload_machine.hpp"

using namespace meyasu;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

double gb(Bytes bytes) {
  return to_gb(bytes);
}

}  // namespace

TEST_CASE("a block of OPT has 12 h^2 matrix elements and 2 h of cache a token", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-30b");
  const double h = 7168;
  CHECK(shape.n_layer == 48);
  CHECK(shape.matrix_elements == 12 * h * h);
  CHECK(shape.active_matrix_elements == shape.matrix_elements);
  CHECK(shape.kv_elements == 2 * h);
  CHECK(shape.attention_width == h);
  CHECK(shape.n_ff == 4 * h);
}

TEST_CASE("grouped and latent attention keep less, experts pass less", "[offload]") {
  const OffloadShape llama = shape_of("meta-llama/Llama-3.1-8B");
  CHECK(llama.kv_elements == 2 * 8 * 128);
  CHECK(llama.attention_width == 4096);
  const OffloadShape mixtral = shape_of("mistralai/Mixtral-8x7B-Instruct-v0.1");
  CHECK(mixtral.active_matrix_elements < 0.3 * mixtral.matrix_elements);
  CHECK(mixtral.n_ff == 2 * 14336);
}

TEST_CASE("experts that a file does not count are all used", "[offload]") {
  Model model = catalog_model_of("mistralai/Mixtral-8x7B-Instruct-v0.1");
  for (Layer& layer : model.layers) {
    layer.feed_forward.n_expert = layer.feed_forward.n_expert_used = 0;
  }
  const OffloadShape shape = offload_shape(model).value();
  CHECK(shape.active_matrix_elements == shape.matrix_elements);
}

TEST_CASE("a requested percentage places whole tensors", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-30b");
  // The paper's 20 / 80 puts one of twelve parts on the GPU, 10 / 90 none; 0 / 50 is exact.
  CHECK_THAT(realised_weights(shape, {0.2, 0.8, 0}).gpu, WithinAbs(1.0 / 12, 1e-12));
  CHECK_THAT(realised_weights(shape, {0.1, 0.9, 0}).gpu, WithinAbs(0, 1e-12));
  CHECK_THAT(realised_weights(shape, {0, 0.5, 0.5}).disk, WithinAbs(0.5, 1e-12));
}

TEST_CASE("OPT-30B in RAM takes the README's about 90 GB", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-30b");
  OffloadPolicy policy;
  policy.weights = {0, 1, 0};
  const RealisedRam ram = realised_ram(shape, {512, 32}, policy, true);
  CHECK(ram.block_weights == 72 * kGiB);
  CHECK_THAT(gb(ram.total()), WithinAbs(89.8, 0.1));
  // Not pinned, tensors keep their size.
  CHECK(realised_ram(shape, {512, 32}, policy, false).block_weights == 48 * Bytes{1233125376});
}

TEST_CASE("Colab's RAM runs 1.3B barely, 6.7B with Pro, 30B not", "[offload]") {
  OffloadPolicy policy;
  policy.weights = {0, 1, 0};
  const auto total = [&](const char* id) {
    return to_gib(realised_ram(shape_of(id), {512, 32}, policy, true).total());
  };
  CHECK(total("facebook/opt-125m") < 12.0);
  CHECK_THAT(total("facebook/opt-1.3b"), WithinAbs(12.4, 0.3));
  CHECK_THAT(total("facebook/opt-6.7b"), WithinAbs(22.6, 0.3));
  CHECK(total("facebook/opt-6.7b") < 83.48);
  CHECK(total("facebook/opt-30b") > 83.48);
}

TEST_CASE("the best policy fits and no other block size beats it", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-6.7b");
  const OffloadMachine machine = flexgen_t4(t4_measured());
  SearchSettings settings;
  settings.most_batches = 16;
  const auto best = best_policy(shape, machine, {512, 32}, settings);
  REQUIRE(best);
  const double slack = 1 + 1e-6;
  CHECK(best->peaks.gpu_code() <= slack * 0.8 * static_cast<double>(machine.gpu));
  CHECK(best->peaks.cpu() <= slack * 0.8 * static_cast<double>(machine.cpu));
  CHECK(best->peaks.disk <= slack * 0.8 * static_cast<double>(machine.disk));
  for (const std::int64_t g : gpu_batch_steps(settings)) {
    const auto other = best_placement(shape, machine, {512, 32}, settings, g, 4);
    if (other) CHECK(other->times.tokens_per_second <= best->times.tokens_per_second * slack);
  }
}

TEST_CASE("more of a tier never makes the plan slower", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-66b");
  SearchSettings settings;
  settings.most_batches = 8;
  double before = 0;
  for (const Bytes ram : {100, 200, 400}) {
    OffloadMachine machine = flexgen_t4(t4_measured());
    machine.cpu = ram * kGiB;
    const auto best = best_policy(shape, machine, {512, 32}, settings);
    REQUIRE(best);
    CHECK(best->times.tokens_per_second >= before * (1 - 1e-9));
    before = best->times.tokens_per_second;
  }
}

TEST_CASE("OPT-175B without a disk fits nowhere on the T4's machine", "[offload]") {
  OffloadMachine machine = flexgen_t4(t4_authors());
  machine.disk = 0;
  CHECK_FALSE(best_policy(shape_of("facebook/opt-175b"), machine, {512, 32}, {}));
}

TEST_CASE("streaming every layer costs the weights for every token", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-30b");
  const auto times = streaming_times(shape, t4_measured(), {512, 32}, StreamingRuntime::accelerate,
                                     streamed_from(shape, WeightHome::cpu), 8);
  // Figure 1: 413 s for 32 tokens of 8 sequences.
  CHECK_THAT(times.prefill + 31 * times.token, WithinRel(413.0, 0.06));
}

// --- the answer of the page -----------------------------------------------------------------

TEST_CASE("OPT-175B on the T4: the paper's 0.69 tokens a second within 5 %", "[offload]") {
  OffloadQuestion question;
  question.block = 256;
  const auto plan = plan_throughput(shape_of("facebook/opt-175b"), paper_machine(), question);
  REQUIRE(plan.ok());
  CHECK_THAT(plan.value().likely, WithinRel(0.69, 0.05));
  CHECK(plan.value().low < 0.69);
  CHECK(plan.value().high > 0.69);
  CHECK_FALSE(plan.value().fits_gpu);
  // What the page draws adds up to what is used, and stays in its tier.
  for (const OffloadTier& tier : plan.value().tiers) {
    Bytes sum = 0;
    for (const Term& term : tier.terms) sum += term.bytes;
    CHECK(sum == tier.used);
    CHECK(tier.used <= tier.capacity);
  }
  const auto& paths = plan.value().paths;
  CHECK(std::count_if(paths.begin(), paths.end(), [](const auto& p) { return p.binding; }) == 1);
  CHECK(std::find_if(paths.begin(), paths.end(), [](const auto& p) { return p.binding; })->path ==
        "read");
}

TEST_CASE("the speed of a plan opens to its formula", "[offload]") {
  OffloadQuestion question;
  question.block = 256;
  const auto plan = plan_throughput(shape_of("facebook/opt-175b"), paper_machine(), question);
  REQUIRE(plan.ok());
  const Formula& formula = plan.value().formula;
  CHECK(formula.expression == "b x n / (T_prefill + T_decode)");
  REQUIRE(formula.inputs.size() == 4);
  const auto value = [&](std::size_t i) { return formula.inputs[i].value; };
  CHECK_THAT(value(0) * value(1) / (value(2) + value(3)), WithinRel(plan.value().likely, 1e-9));
  CHECK(plan.value().source.starts_with("arXiv 2303.06865"));
}

TEST_CASE("what is missing is said as a number, and where", "[offload]") {
  const OffloadShape shape = shape_of("facebook/opt-175b");
  Machine machine = paper_machine();
  machine.storage.reset();
  const auto short_of = plan_throughput(shape, machine, {});
  REQUIRE_FALSE(short_of.ok());
  CHECK(short_of.error().code == "offload_short");
  CHECK(std::stod(short_of.error().detail) > 100);

  machine.ram = 10 * kGiB;  // less half a GiB for the system
  const auto no_buffers = plan_throughput(shape, machine, {});
  REQUIRE_FALSE(no_buffers.ok());
  CHECK(no_buffers.error() == Error{"ram_min", "machine.ram_gib", "9.6"});

  machine.devices.clear();
  CHECK(plan_throughput(shape, machine, {}).error().code == "no_gpu");
  OffloadQuestion question;
  question.work.generated = 0;
  CHECK(plan_throughput(shape, paper_machine(), question).error() ==
        Error{"tokens_zero", "generated", {}});
  question = {};
  question.block = -1;
  CHECK(plan_throughput(shape, paper_machine(), question).error() ==
        Error{"batch_zero", "block", {}});
}

TEST_CASE("one memory for GPU and CPU leaves nothing to plan", "[offload]") {
  for (const char* id : {"m4-max-40", "ryzen-ai-max-395"}) {
    Machine machine;
    machine.devices.push_back({device_of(id), 1, {}});
    CHECK(plan_throughput(shape_of("facebook/opt-30b"), machine, {}).error() ==
          Error{"one_memory", "machine.devices", {}});
  }
}

TEST_CASE("FlexGen's --percent: six numbers, pairs up to 100, activations never on disk",
          "[offload]") {
  const auto half = policy_from_percent("0 50 0 0 0 100");
  REQUIRE(half.ok());
  CHECK(half.value().weights.disk == 0.5);
  CHECK(half.value().cache.disk == 1);
  CHECK(half.value().activations.cpu == 1);
  CHECK(policy_from_percent("0, 100, 100, 0, 100, 0").ok());
  for (const char* bad : {"", "0 100", "0 100 100 0 100 0 7", "60 60 100 0 100 0",
                          "0 100 100 0 50 0", "0 100 100 0 100 x", "-1 100 100 0 100 0"}) {
    INFO(bad);
    CHECK(policy_from_percent(bad).error() == Error{"percent_bad", "percent", {}});
  }
}

namespace {

Result<OffloadPlan> plan_of(std::string_view id) {
  const auto devices = DeviceCatalog::built_in();
  REQUIRE(devices.ok());
  const auto cases = known_cases();
  const auto known =
      std::find_if(cases.begin(), cases.end(), [&](const KnownCase& it) { return it.id == id; });
  REQUIRE(known != cases.end());
  const auto machine = machine_of(*known, devices.value());
  const auto question = question_of(*known);
  REQUIRE(machine.ok());
  REQUIRE(question.ok());
  return plan_throughput(shape_of(known->model), machine.value(), question.value());
}

}  // namespace

TEST_CASE("every case with a published speed is met within the stated range", "[offload]") {
  int n_published = 0;
  for (const KnownCase& known : known_cases()) {
    if (known.published == 0) continue;
    ++n_published;
    INFO(known.id);
    const auto plan = plan_of(known.id);
    REQUIRE(plan.ok());
    CHECK(plan.value().low <= known.published);
    CHECK(plan.value().high >= known.published);
    CHECK_FALSE(known.source.empty());
  }
  CHECK(n_published == 5);
}

TEST_CASE("the paper's machine runs every size up to 175B", "[offload]") {
  for (const KnownCase& known : known_cases()) {
    if (known.group != "paper") continue;
    INFO(known.id);
    CHECK(plan_of(known.id).ok());
  }
}

TEST_CASE("Colab free runs 125M with all weights in RAM and is just too small for 1.3B",
          "[offload]") {
  CHECK(plan_of("free-125m").ok());
  const auto short_of = plan_of("free-1.3b");
  REQUIRE_FALSE(short_of.ok());
  CHECK(short_of.error().code == "ram_short");
  CHECK(std::stod(short_of.error().detail) < 0.5);
}

TEST_CASE("Colab Pro runs 1.3B and 6.7B; 30B needs about 90 GB pinned", "[offload]") {
  CHECK(plan_of("pro-1.3b").ok());
  const auto middle = plan_of("pro-6.7b");
  REQUIRE(middle.ok());
  CHECK_THAT(to_gib(middle.value().ram.total()), WithinAbs(22.6, 0.3));
  const auto large = plan_of("pro-30b");
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().code == "ram_short_pinned");
  CHECK(std::stod(large.error().detail) < 1.5);
}

TEST_CASE("FlexGen refuses OPT-350M for its norms and its narrow token table", "[offload]") {
  const auto plan = plan_of("free-350m");
  REQUIRE(plan.ok());
  CHECK(plan.value().refusals == std::vector<std::string>{"post_norm", "projected_embeddings"});
  CHECK(plan_of("free-125m").value().refusals.empty());
}

TEST_CASE("BLOOM-176B is 352 GB in 16 bit", "[offload]") {
  const auto plan = plan_of("one-bloom");
  REQUIRE(plan.ok());
  CHECK_THAT(gb(plan.value().model_bytes), WithinAbs(352.5, 0.1));
  CHECK_FALSE(plan.value().fits_gpu);
}

TEST_CASE("a chat of one sequence is tens of times slower than a block of them", "[offload]") {
  CHECK(plan_of("t4-30b").value().likely > 20 * plan_of("t4-30b-chat").value().likely);
}

TEST_CASE("the answer comes in steps: the plan first, then the rest, with progress to 1",
          "[offload]") {
  OffloadQuestion question;
  const OffloadShape shape = shape_of("facebook/opt-66b");
  auto started = OffloadRun::start(shape, paper_machine(), question);
  REQUIRE(started.ok());
  OffloadRun& run = started.value();
  std::vector<OffloadRun::Part> parts;
  double before = 0;
  int n_steps = 0;
  while (parts.empty() || parts.back() != OffloadRun::Part::what_if) {
    REQUIRE(++n_steps < 200);
    const OffloadRun::Part part = run.step();
    if (part != OffloadRun::Part::none) parts.push_back(part);
    CHECK(run.progress() > before);
    before = run.progress();
  }
  using Part = OffloadRun::Part;
  CHECK(parts == std::vector<Part>{Part::plan, Part::others, Part::curve, Part::what_if});
  CHECK(run.progress() == 1);
  CHECK(run.plan()->value().likely ==
        plan_throughput(shape, paper_machine(), question).value().likely);
  // No block of the curve beats the plan, which tried them all.
  for (const BlockPoint& point : run.curve()) {
    CHECK(point.tokens_per_second <= run.plan()->value().likely * (1 + 1e-9));
  }
  CHECK(run.curve().size() > 5);
  // Faster parts never slow a plan; streaming every layer is slower than planning.
  REQUIRE(run.what_if().size() == 4);
  for (const WhatIf& row : run.what_if()) {
    INFO(row.change);
    if (row.change != "compress") {
      CHECK(row.tokens_per_second >= run.plan()->value().likely * (1 - 1e-9));
    }
  }
  for (const StreamingRow& row : run.others()) {
    CHECK(row.tokens_per_second < run.plan()->value().likely);
  }
}

TEST_CASE("a run that does not fit says so, and which change would make it", "[offload]") {
  Machine machine = paper_machine();
  machine.storage.reset();
  auto run = OffloadRun::start(shape_of("facebook/opt-175b"), machine, {});
  REQUIRE(run.ok());
  while (run.value().step() != OffloadRun::Part::what_if) {
  }
  CHECK(run.value().plan()->error().code == "offload_short");
  CHECK(run.value().curve().empty());
  for (const WhatIf& row : run.value().what_if()) {
    INFO(row.change);
    CHECK((row.tokens_per_second > 0) == (row.change == "compress"));
  }
}

TEST_CASE("tensors that move whole have a speed of their own", "[offload]") {
  OffloadQuestion question;
  question.block = 144;
  question.placement = policy_from_percent("20 80 0 100 0 100").value();
  const auto plan = plan_throughput(shape_of("facebook/opt-30b"), paper_machine(), question);
  REQUIRE(plan.ok());
  // The search may ask for shares that no tensor has; a placement by hand is computed as it is.
  CHECK_THAT(plan.value().realised.gpu, WithinAbs(1.0 / 12, 1e-12));
  CHECK_THAT(plan.value().realised_tokens_per_second, WithinRel(plan.value().likely, 1e-9));
}

TEST_CASE("a tier holds context, tables and buffers too, and the disk is spared among equals",
          "[offload]") {
  Machine machine;
  machine.devices.push_back({device_of("rtx-4060-ti-16gb"), 1, {}});
  machine.ram = 32 * kGiB;
  machine.ram_class = device_of("ddr5-5600-dual");
  machine.storage = device_of("nvme-pcie4-x4");
  const auto plan = plan_throughput(shape_of("meta-llama/Llama-3.1-8B"), machine, {});
  REQUIRE(plan.ok());
  const auto on = [&](std::size_t tier, const char* id) {
    Bytes bytes = 0;
    for (const Term& term : plan.value().tiers[tier].terms) {
      if (term.id == id) bytes += term.bytes;
    }
    return bytes;
  };
  CHECK(on(0, "runtime_context") > 100 * kMiB);
  CHECK(on(1, "copy_buffers") == 8 * kGiB);
  // Table, head, last norm, and the 64 frequencies of its positions.
  CHECK(on(0, "embeddings") + on(1, "embeddings") == Bytes{2} * ((2 * 128256 + 1) * 4096 + 64));
  CHECK(plan.value().tiers[2].used < 2 * kGiB);
  CHECK(plan.value().ram.total() < 31 * kGiB + kGiB / 2);
}

TEST_CASE("the authors' constants can be chosen: their disk makes 175B 4.5 times slower",
          "[offload]") {
  OffloadQuestion question;
  question.block = 256;
  const OffloadShape shape = shape_of("facebook/opt-175b");
  const auto ours = plan_throughput(shape, paper_machine(), question);
  question.authors_rates = true;
  const auto theirs = plan_throughput(shape, paper_machine(), question);
  REQUIRE(ours.ok());
  REQUIRE(theirs.ok());
  CHECK_THAT(ours.value().likely / theirs.value().likely, WithinRel(4.5, 0.15));
}

TEST_CASE("a model that the GPU holds needs no offload, and the plan says so", "[offload]") {
  OffloadQuestion question;
  question.block = 1;
  const auto plan = plan_throughput(shape_of("facebook/opt-1.3b"), paper_machine(), question);
  REQUIRE(plan.ok());
  CHECK(plan.value().fits_gpu);
}
