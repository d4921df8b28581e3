// Terms of a step one by one: what papers print and what runs were measured to take.
#include <catch_amalgamated.hpp>
#include <cmath>
#include <string>
#include <utility>

#include "core/training/activations.hpp"
#include "core/training/loss.hpp"
#include "core/training/timeline.hpp"
#include "tests/unit/support/catalogs.hpp"

using namespace meyasu;

namespace {

TrainingEstimate estimate(const Model& model, const TrainingSettings& settings) {
  auto result = estimate_training(model, settings);
  REQUIRE(result.ok());
  return std::move(result.value());
}

Bytes part_at_peak(const TrainingEstimate& e, TrainingPart part) {
  return e.stages[e.peak].parts[part];
}

const TrainingStage& stage_of(const TrainingEstimate& e, StageKind kind) {
  for (const TrainingStage& stage : e.stages) {
    if (stage.kind == kind) return stage;
  }
  FAIL("no such stage");
  return e.stages.front();
}

/// GPT-3 175B, the shape of Korthikanti et al., Table 3.
BlockShape gpt3() {
  BlockShape shape;
  shape.gpt = true;
  shape.gated = false;
  shape.n_embd = 12288;
  shape.n_head = shape.n_head_kv = 96;
  shape.q = shape.k = shape.v = shape.out = shape.n_embd;
  shape.n_ff = 4 * shape.n_embd;
  return shape;
}

}  // namespace

TEST_CASE("Each regime has its bytes for a parameter", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  const struct {
    TrainingPrecision precision;
    bool fp32_gradients;
    double bytes;
  } regimes[] = {
      {TrainingPrecision::fp32, false, 16},        {TrainingPrecision::bf16, false, 8},
      {TrainingPrecision::master_fp32, false, 16}, {TrainingPrecision::master_fp32, true, 18},
      {TrainingPrecision::fsdp_mixed, false, 16},  {TrainingPrecision::master_bf16, false, 8},
  };
  for (const auto& regime : regimes) {
    TrainingSettings s;
    s.precision = regime.precision;
    s.fp32_gradients = regime.fp32_gradients;
    const RankParameters rank = estimate(model, s).rank;
    const Bytes sum = rank.weights + rank.gradients + rank.states;
    CHECK(static_cast<double>(sum) == regime.bytes * 8'030'261'248);
  }
  TrainingSettings s;
  s.precision = TrainingPrecision::autocast;
  const RankParameters rank = estimate(model, s).rank;
  CHECK(rank.weights + rank.gradients + rank.states == Bytes{16} * 8'030'261'248);
  // training.md, section 2: exactly two bytes for each parameter of a linear layer, head included.
  CHECK(rank.casts == Bytes{2} * (6'979'321'856 + 525'336'576));
}

TEST_CASE("Worked steps of Llama 3.1 8B: one sequence of 2048, AdamW", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.update = UpdateKind::fused;
  const auto gb = [&] { return to_gb(estimate(model, s).peak_bytes()); };
  s.checkpointing = Checkpointing::none;
  s.precision = TrainingPrecision::fp32;
  CHECK(std::fabs(gb() - 128.5) < 1.5);
  s.precision = TrainingPrecision::autocast;  // with 15 GB of copies at the loss
  CHECK(std::fabs(gb() - 130.9) < 0.5);
  s.precision = TrainingPrecision::bf16;
  CHECK(std::fabs(gb() - 65.0) < 0.2);
  s.checkpointing = Checkpointing::full;
  CHECK(std::fabs(gb() - 64.7) < 0.2);
  s.precision = TrainingPrecision::autocast;
  s.lora = LoraSettings{};
  s.lora->autocast = true;
  CHECK(std::fabs(gb() - 20.9) < 0.2);
  s.lora->base = BaseFormat::nf4_double;
  CHECK(std::fabs(gb() - 10.6) < 0.1);
  s.lora->fp32_embeddings = true;
  CHECK(std::fabs(gb() - 12.7) < 0.1);
  s.lora->fp32_embeddings = false;
  s.loss = LossPath::linear;
  CHECK(std::fabs(gb() - 7.6) < 0.35);
}

TEST_CASE("Optimizers keep what their authors say, tensor by tensor", "[training]") {
  const TrainedTensor matrix{4096, 14336, 1, true, true};
  const std::int64_t n = matrix.elements();
  const auto states = [&](Optimizer optimizer, const TrainedTensor& tensor, std::int64_t element) {
    return optimizer_state_bytes(optimizer, tensor, element, 128);
  };
  CHECK(states(Optimizer::adamw, matrix, 4) == 8 * n);
  CHECK(states(Optimizer::adamw, matrix, 2) == 4 * n);
  // bitsandbytes: two bytes and two fp32 maxima for 256; 4095 elements stay fp32.
  CHECK(states(Optimizer::adamw_8bit, matrix, 4) == 2 * n + 8 * n / 256);
  CHECK(states(Optimizer::adamw_8bit, {4095, 1, 1, false, true}, 4) == Bytes{8} * 4095);
  CHECK(states(Optimizer::adamw_8bit, {4096, 1, 1, false, true}, 4) == 2 * 4096 + 8 * 16);
  CHECK(states(Optimizer::adamw_8bit, {4097, 1, 1, false, true}, 4) == 2 * 4097 + 8 * 17);
  CHECK(states(Optimizer::adafactor, matrix, 4) == 4 * (4096 + 14336));
  CHECK(states(Optimizer::adafactor, {4096, 1, 1, false, true}, 4) == 4 * 4096);
  CHECK(states(Optimizer::lion, matrix, 2) == 2 * n);
  CHECK(states(Optimizer::lion_8bit, matrix, 4) == n + 4 * n / 256);
  CHECK(states(Optimizer::sgd, matrix, 4) == 0);
  CHECK(states(Optimizer::sgd_momentum, matrix, 4) == 4 * n);  // half of AdamW
  CHECK(states(Optimizer::adam_mini, matrix, 4) == 4 * n + 4 * 4096);
  CHECK(states(Optimizer::muon, matrix, 4) == 4 * n);
  CHECK(states(Optimizer::muon, {128256, 4096, 1, true, false}, 4) ==
        Bytes{8} * 128256 * 4096);  // AdamW for the token table
  CHECK(states(Optimizer::galore, matrix, 2) == 2 * (2 * 14336 * 128 + 4096 * 128));
  CHECK(states(Optimizer::lomo, matrix, 4) == 0);
}

TEST_CASE("An optimizer in backward holds one gradient, paged states none that must stay",
          "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  s.optimizer = Optimizer::lomo;
  const TrainingEstimate lomo = estimate(model, s);
  for (const TrainingStage& stage : lomo.stages) {
    CHECK(stage.kind != StageKind::update);
    CHECK(stage.parts[kGradients] <= Bytes{2} * 128'256 * 4096);  // head or token table
  }
  s.optimizer = Optimizer::adamw_8bit;
  s.paged = true;
  const TrainingEstimate paged = estimate(model, s);
  CHECK(part_at_peak(paged, kStates) == 0);
  bool seen = false;
  for (const Term& term : training_terms(paged, s, paged.peak, MemoryCounter::allocated)) {
    if (term.id != "optimizer_states") continue;
    seen = true;
    CHECK(term.low == 0);
    CHECK(term.high == paged.rank.states);
  }
  CHECK(seen);
}

TEST_CASE("Tensor and sequence parallel divide activations as Korthikanti et al. print",
          "[training]") {
  const BlockShape shape = gpt3();
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  s.flash_attention = false;
  s.dropout = 0.1;
  s.checkpointing = Checkpointing::none;
  const std::int64_t tokens = 2048;
  const auto bytes = [&] {
    // The paper leaves out mean and rstd of the norms and the scale of attention.
    const std::int64_t norms = 16 * tokens / (s.sequence_parallel ? s.tp : 1);
    return kept_activations(shape, s, tokens, 2048) - norms - 8;
  };
  const std::int64_t sbh = tokens * 12288;
  const std::int64_t scores = 5 * 96 * 2048 / 12288;  // 5as/h
  CHECK(bytes() == sbh * (34 + scores));
  s.tp = 8;
  CHECK(bytes() == sbh * 10 + sbh * (24 + scores) / 8);
  s.sequence_parallel = true;
  CHECK(bytes() == sbh * (34 + scores) / 8);
  s.checkpointing = Checkpointing::selective;
  CHECK(bytes() == sbh * 34 / 8);
  s.checkpointing = Checkpointing::full;
  CHECK(kept_activations(shape, s, tokens, 2048) == 2 * sbh / 8);
  s.sequence_parallel = false;
  CHECK(kept_activations(shape, s, tokens, 2048) == 2 * sbh);
}

TEST_CASE("Pipelines: the first stage holds all layers' worth of micro-batches", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  s.accumulation = 16;
  const auto activations = [&] {
    return stage_of(estimate(model, s), StageKind::forward).parts[kActivations];
  };
  s.loss = LossPath::cce;  // leaves the first stage the worst
  s.checkpointing = Checkpointing::none;
  const Bytes one = activations();
  s.pp = 4;
  const Bytes four = activations();
  s.pp = 8;
  // 1F1B: p micro-batches of L / p layers (final norm and head input are on another stage).
  CHECK(std::fabs(static_cast<double>(four) / static_cast<double>(one) - 1) < 0.01);
  CHECK(std::fabs(static_cast<double>(activations()) / static_cast<double>(one) - 1) < 0.01);
  s.pp = 4;
  s.schedule = PipelineSchedule::gpipe;  // all 16 instead of 4
  CHECK(std::fabs(static_cast<double>(activations()) / static_cast<double>(four) - 4) < 0.01);
  s.schedule = PipelineSchedule::interleaved;
  s.virtual_stages = 2;  // 1 + 3 / 8
  CHECK(std::fabs(static_cast<double>(activations()) / static_cast<double>(four) - 1.375) < 0.01);
  s.accumulation = 4;  // torchtitan's 405B: no more micro-batches than there are
  CHECK(std::fabs(static_cast<double>(activations()) / static_cast<double>(four) - 1) < 0.01);

  const TrainingEstimate e = estimate(model, s);
  REQUIRE(e.stage_peaks.size() == 4);
  for (const Bytes peak : e.stage_peaks) CHECK(peak <= e.peak_bytes());
  CHECK(e.stage_peaks[static_cast<std::size_t>(e.rank_stage)] == e.peak_bytes());
}

TEST_CASE("Ranks of every kind share what they hold", "[training]") {
  const Model dense = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::master_fp32;
  s.data_parallel = DataParallel::zero3;
  s.dp = 16;
  const Bytes all = estimate(dense, s).rank.states;
  s.shard_group = 4;  // HSDP: four copies
  CHECK(estimate(dense, s).rank.states == 4 * all);
  s.shard_group = 0;
  s.dp = 4;
  s.cp = 4;  // the same sixteen ranks
  CHECK(estimate(dense, s).rank.states == all);
  const Bytes logits = stage_of(estimate(dense, s), StageKind::loss).parts[kLogits];
  s.dp = 16;
  s.cp = 1;
  CHECK(stage_of(estimate(dense, s), StageKind::loss).parts[kLogits] == 4 * logits);

  // Experts over all ranks are sharded already: states are those of plain ZeRO-1.
  const Model experts = catalog_model_of("mistralai/Mixtral-8x7B-Instruct-v0.1");
  s = {};
  s.precision = TrainingPrecision::master_fp32;
  s.data_parallel = DataParallel::zero1;
  s.dp = 8;
  const RankParameters plain = estimate(experts, s).rank;
  s.ep = 8;
  const RankParameters spread = estimate(experts, s).rank;
  CHECK(std::abs(spread.states - plain.states) <= 8);
  CHECK(spread.weights < plain.weights / 4);

  s = {};
  s.precision = TrainingPrecision::master_fp32;
  s.dp = 2;
  const RankParameters ddp = estimate(dense, s).rank;
  CHECK(ddp.buckets == ddp.gradients);
  s.bucket_view = true;
  CHECK(estimate(dense, s).rank.buckets == 0);
}

TEST_CASE("Offloading takes 16 bytes a parameter of main memory", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::master_fp32;
  s.data_parallel = DataParallel::zero2;
  s.offload = StateOffload::optimizer;
  s.dp = 4;
  const TrainingEstimate e = estimate(model, s);
  CHECK(e.rank.states == 0);
  CHECK(std::abs(4 * e.rank.host - Bytes{16} * 8'030'261'248) < 64);
  CHECK(e.rank.weights == Bytes{2} * 8'030'261'248);
  s.data_parallel = DataParallel::zero3;
  s.offload = StateOffload::nvme;
  const TrainingEstimate infinity = estimate(model, s);
  CHECK(infinity.rank.weights == 0);
  CHECK(std::abs(4 * infinity.rank.nvme - Bytes{14} * 8'030'261'248) < 64);
}

TEST_CASE("Preference and reinforcement learning add the models they compare with", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  const Bytes frozen = Bytes{2} * 8'030'261'248;
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  const auto others = [&] { return part_at_peak(estimate(model, s), kOthers); };
  const auto logits = [&] { return stage_of(estimate(model, s), StageKind::loss).parts[kLogits]; };
  CHECK(others() == 0);
  const Bytes one = logits();
  s.objective = Objective::dpo;
  CHECK(others() == frozen);
  CHECK(logits() == 2 * one);  // chosen and rejected
  s.objective = Objective::orpo;
  CHECK(others() == 0);
  CHECK(logits() == 2 * one);
  s.objective = Objective::kto;
  CHECK(others() == frozen);
  s.objective = Objective::grpo;
  s.completions = 4;
  CHECK(others() == frozen);
  CHECK(logits() == 4 * one);
  s.reference_model = false;
  CHECK(others() == 0);
  s.reference_model = true;
  s.objective = Objective::ppo;
  CHECK(others() == 2 * frozen + Bytes{8} * 8'030'261'248);  // reference, reward, critic
  s.objective = Objective::dpo;
  s.lora = LoraSettings{};
  CHECK(others() == 0);  // its own reference with adapters off
}

TEST_CASE("Loss paths take the bytes per logit that were traced", "[training]") {
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  const std::int64_t tokens = 8192;
  const std::int64_t n_vocab = 128256;
  const auto backward = [&](LossPath path) {
    s.loss = path;
    return loss_bytes(s, tokens, n_vocab, 4096, true).backward;
  };
  CHECK(backward(LossPath::hf) == 14 * tokens * n_vocab);  // 14.7 GB
  CHECK(backward(LossPath::hf_old) == 16 * tokens * n_vocab);
  CHECK(backward(LossPath::native) == 6 * tokens * n_vocab);
  // Liger's own benchmark, 8192 tokens: 4466.97 MiB fused against 9162.3 MiB.
  CHECK(backward(LossPath::linear) < backward(LossPath::native) / 2);
  CHECK(backward(LossPath::cce) < backward(LossPath::linear));
  s.precision = TrainingPrecision::fp32;
  CHECK(backward(LossPath::hf) == 16 * tokens * n_vocab);
}

TEST_CASE("An evaluation has whole logits even where training fuses its loss", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  s.lora = LoraSettings{};
  s.loss = LossPath::linear;
  s.sequence = 8192;
  const Bytes trains = estimate(model, s).peak_bytes();
  s.eval_batch = 1;
  const TrainingEstimate e = estimate(model, s);
  CHECK(e.stages[e.peak].kind == StageKind::evaluation);
  CHECK(e.peak_bytes() > trains);
  CHECK(part_at_peak(e, kLogits) == Bytes{10} * 8192 * 128'256);
  CHECK(part_at_peak(e, kGradients) == 0);
}

TEST_CASE("Fused QKV, padded updates, capped scores and DoRA keep what they multiply",
          "[training]") {
  BlockShape shape;
  shape.n_embd = 4096;
  shape.n_head = shape.n_head_kv = 32;
  shape.q = shape.k = shape.v = shape.out = 4096;
  shape.n_ff = 11008;
  TrainingSettings s;
  s.precision = TrainingPrecision::bf16;
  LoraSettings lora;
  lora.targets = kTargetQ | kTargetV;
  lora.fp32_adapters = false;
  s.lora = lora;
  const auto saved = [&] { return saved_activations(shape, s, 1, 1).total(); };
  const Bytes plain = saved();
  s.fused_qkv = true;  // the whole product stays for V, beside rotated Q and K
  CHECK(saved() == plain + 2 * (4096 + 4096));
  s.fused_qkv = false;
  s.lora->merged_qkv = true;  // one adapter product less; Q's and V's updates are kept
  CHECK(saved() == plain - 2 * 16 + 2 * (4096 + 4096));
  s.lora->merged_qkv = false;
  s.lora->dora = true;
  CHECK(saved() == plain + 2 * (2 + 2) * 4096);
  s.lora->dora = false;
  s.flash_attention = false;
  const Bytes eager = saved();
  shape.capped_scores = true;
  CHECK(saved() == eager + 2 * 32);
}

TEST_CASE("Padding that is left out is not computed; a whole mask is held once", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.batch = 4;
  const Bytes padded = stage_of(estimate(model, s), StageKind::loss).parts[kLogits];
  s.real_share = 0.5;
  CHECK(stage_of(estimate(model, s), StageKind::loss).parts[kLogits] == padded / 2);
  s.real_share = 1;
  const Bytes without = stage_of(estimate(model, s), StageKind::loss).parts[kActivations];
  s.whole_mask = true;
  CHECK(stage_of(estimate(model, s), StageKind::loss).parts[kActivations] - without ==
        Bytes{2} * 4 * 2048 * 2048);
}

TEST_CASE("Counters see more from allocated to reserved to the driver", "[training]") {
  const Model model = catalog_model_of("meta-llama/Llama-3.1-8B");
  TrainingSettings s;
  s.lora = LoraSettings{};
  s.n_sm = 108;  // A100
  s.threads_per_sm = 2048;
  const TrainingEstimate e = estimate(model, s);
  const Bytes allocated = counted_bytes(e, MemoryCounter::allocated);
  const Bytes reserved = counted_bytes(e, MemoryCounter::reserved);
  CHECK(allocated == e.peak_bytes());
  CHECK(reserved > allocated);
  CHECK(counted_bytes(e, MemoryCounter::nvidia_smi) == reserved + e.context);
  // 458 MiB of CUDA's context on an A100, 250 of PyTorch (overhead.csv).
  CHECK(std::abs(e.context - 708 * kMiB) < 2 * kMiB);
  CHECK(e.context_low < e.context);
  CHECK(e.context < e.context_high);
  s.dp = 2;
  CHECK(estimate(model, s).context > e.context);
}
