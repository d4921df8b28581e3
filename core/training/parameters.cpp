#include "core/training/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

struct Elements {
  std::int64_t weight = 2;  // of what trains, or of a base that is not quantized
  std::int64_t gradient = 2;
  std::int64_t master = 0;
  std::int64_t state = 2;
};

Elements elements_of(const TrainingSettings& s) {
  const std::int64_t gradient = s.fp32_gradients ? 4 : 2;
  switch (s.precision) {
    case TrainingPrecision::fp32:
    case TrainingPrecision::autocast:
    case TrainingPrecision::fsdp_mixed:
      return {4, 4, 0, 4};
    case TrainingPrecision::master_fp32:
      return {2, gradient, 4, 4};
    case TrainingPrecision::bf16:
    case TrainingPrecision::master_bf16:
      return {2, 2, 0, 2};
  }
  return {};
}

/// Of adapters and modules_to_save.
Elements adapter_elements(const TrainingSettings& s) {
  if (s.precision == TrainingPrecision::master_fp32) return {2, s.fp32_gradients ? 4 : 2, 4, 4};
  const std::int64_t e = s.lora->fp32_adapters || s.precision == TrainingPrecision::fp32 ? 4 : 2;
  return {e, e, 0, e};
}

/// What bits a frozen linear takes, per 16 of its elements' worth of bookkeeping.
Bytes frozen_linear_bytes(BaseFormat format, std::int64_t rows, std::int64_t cols,
                          std::int64_t count, Bytes plain) {
  const std::int64_t n = rows * cols * count;
  switch (format) {
    case BaseFormat::bits16:
      return plain * n;
    case BaseFormat::nf4:  // fp32 maximum per 64 (QLoRA, section 3)
      return n / 2 + 4 * divide_up<Bytes>(n, 64);
    case BaseFormat::nf4_double:  // 8-bit maximum per 64, fp32 per 256 of those
      return n / 2 + divide_up<Bytes>(n, 64) + 4 * divide_up(n, std::int64_t{64} * 256);
    case BaseFormat::int8:  // LLM.int8(): fp32 scale per row
      return n + 4 * rows * count;
    case BaseFormat::gptq4:  // groups of 128: 16-bit scale, 4-bit zero point, order of the group
      return n / 2 + divide_up<Bytes>(n, 128) * 5 / 2 + 4 * cols * count;
  }
  return 0;
}

/// Bytes an element while one quantized matrix is expanded for its product.
std::int64_t expansion_bytes(const LoraSettings& lora) {
  // AutoGPTQ's product in torch shifts int32 words and casts them to int8.
  if (lora.base == BaseFormat::gptq4) return 5;
  return lora.base_keeps_inputs ? 4 : 2;  // fp16, then its cast to bf16
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Modules whose adapters a tensor carries; a fused matrix carries one for any of its parts.
unsigned targets_of(const Tensor& tensor) {
  const std::string_view name = tensor.name;
  if (contains(name, "attn_qkv.")) return kTargetQ | kTargetK | kTargetV;
  if (contains(name, "attn_q.") || contains(name, "attn_q_b.")) return kTargetQ;
  if (contains(name, "attn_k.") || contains(name, "attn_k_b.")) return kTargetK;
  if (contains(name, "attn_v.") || contains(name, "attn_v_b.") || contains(name, "attn_kv_b.")) {
    return kTargetV;
  }
  if (contains(name, "attn_output.")) return kTargetO;
  if (contains(name, "ffn_gate_inp")) return 0;
  if (contains(name, "ffn_gate")) return kTargetGate;
  if (contains(name, "ffn_up")) return kTargetUp;
  if (contains(name, "ffn_down")) return kTargetDown;
  if (tensor.role == TensorRole::output_head) return kTargetHead;
  return 0;
}

bool is_weight_matrix(const Tensor& tensor) {
  return tensor.n_dims >= 2 && tensor.ne[1] > 1 && tensor.name.ends_with(".weight") &&
         tensor.role != TensorRole::norm;
}

/// Not parameters: rotary factors, and the copy of a tied head that some files hold.
bool counts(const Model& model, const Tensor& tensor) {
  if (contains(tensor.name, "rope_f")) return false;
  if (tensor.role == TensorRole::vision) return false;
  return !(model.tied_embeddings && tensor.role == TensorRole::output_head);
}

bool on_stage(const Model& model, const Tensor& tensor, const StageBlocks& stage) {
  if (tensor.layer >= 0) {
    const auto il = static_cast<std::size_t>(tensor.layer);
    return il >= stage.begin && il < stage.end;
  }
  if (tensor.role == TensorRole::embedding || tensor.role == TensorRole::position) {
    return stage.first || (stage.last && model.tied_embeddings);
  }
  return stage.last;
}

/// The part of a tensor on one tensor and expert parallel rank, as a trained tensor.
TrainedTensor share_of(const Model& model, const Tensor& tensor, const TrainingSettings& s) {
  TrainedTensor part{tensor.ne[1], tensor.ne[0], tensor.ne[2] * tensor.ne[3],
                     is_weight_matrix(tensor), tensor.layer >= 0};
  if (tensor.n_dims < 2) {
    part.rows = tensor.ne[0];
    part.cols = 1;
  }
  std::int64_t parts = s.tp;
  switch (tensor.role) {
    case TensorRole::norm:
    case TensorRole::router:
    case TensorRole::position:
    case TensorRole::other:
      parts = 1;
      break;
    case TensorRole::routed_expert:
      if (part.count % s.ep == 0) part.count /= s.ep;
      break;
    case TensorRole::attention:
      if (contains(tensor.name, "attn_k.") || contains(tensor.name, "attn_v.")) {
        const std::int64_t kv =
            tensor.layer < 0
                ? 1
                : model.layers[static_cast<std::size_t>(tensor.layer)].attention.n_head_kv;
        parts = std::clamp<std::int64_t>(kv, 1, s.tp);
      }
      break;
    default:
      break;
  }
  // Row-parallel matrices split their input, the others their output.
  const unsigned target = targets_of(tensor);
  const bool by_input = (target & (kTargetO | kTargetDown)) != 0 && part.matrix;
  (by_input ? part.cols : part.rows) = divide_up(by_input ? part.cols : part.rows, parts);
  return part;
}

std::vector<TrainedTensor> adapters_of(const TrainedTensor& base, const LoraSettings& lora) {
  std::vector<TrainedTensor> result;
  result.push_back({lora.rank, base.cols, base.count, true, base.hidden});
  result.push_back({base.rows, lora.rank, base.count, true, base.hidden});
  if (lora.dora) result.push_back({base.rows, 1, base.count, false, base.hidden});
  return result;
}

bool saved_module(const TrainingSettings& s, const Tensor& tensor) {
  return s.lora && s.lora->save_embeddings &&
         (tensor.role == TensorRole::embedding || tensor.role == TensorRole::output_head);
}

bool adapted(const TrainingSettings& s, const Tensor& tensor) {
  return s.lora && (s.lora->targets & targets_of(tensor)) != 0 && is_weight_matrix(tensor);
}

/// Collects the sums over the tensors of a rank.
class Collector {
 public:
  Collector(const TrainingSettings& settings, const StageBlocks& stage)
      : s_(settings), stage_(stage), plain_(elements_of(settings)) {
    if (s_.lora) {
      adapter_ = adapter_elements(s_);
      plain_ = {s_.precision == TrainingPrecision::fp32 ? std::int64_t{4} : 2, 0, 0, 0};
    }
    r_.block_gradients.assign(stage.end - stage.begin, 0);
    r_.expanded.assign(stage.end - stage.begin, 0);
    unit_.assign(stage.end - stage.begin, 0);
  }

  void add(const Tensor& tensor, const TrainedTensor& part) {
    const std::int64_t n = part.elements();
    r_.parameters += n;
    r_.largest_tensor = std::max(r_.largest_tensor, n);
    const bool head = tensor.role == TensorRole::output_head;
    const bool linear =
        part.matrix && (tensor.layer >= 0 || (head && s_.lora && s_.lora->quantized_head));
    Bytes bytes = plain_.weight * n;
    Bytes gathered = 2 * n;
    if (s_.lora && linear) {
      bytes = frozen_linear_bytes(s_.lora->base, part.rows, part.cols, part.count, plain_.weight);
      gathered = bytes;
      if (s_.lora->base != BaseFormat::bits16) {
        r_.largest_dequantized =
            std::max(r_.largest_dequantized, expansion_bytes(*s_.lora) * part.rows * part.cols);
        if (s_.lora->base == BaseFormat::gptq4 && tensor.layer >= 0) {
          r_.expanded[static_cast<std::size_t>(tensor.layer) - stage_.begin] += 2 * n;
        }
      }
    } else if (s_.lora && s_.lora->fp32_embeddings) {
      bytes = 4 * n;
    }
    r_.weights += bytes;
    if (tensor.role == TensorRole::routed_expert) r_.expert_weights += bytes;
    if (s_.precision == TrainingPrecision::fp32) gathered = 4 * n;
    if (s_.precision == TrainingPrecision::autocast && !s_.lora && (linear || head)) {
      r_.casts += 2 * n;
    }
    if (tensor.layer >= 0) {
      unit_[static_cast<std::size_t>(tensor.layer) - stage_.begin] += gathered;
    } else if (s_.flat_units) {
      r_.root_unit += gathered;  // one unit, from the first block to the loss
    } else {
      r_.root_unit = std::max(r_.root_unit, gathered);  // token table or head, one at a time
    }
    if (!s_.lora) {
      train(tensor, part, plain_);
    } else if (saved_module(s_, tensor)) {
      // A copy in the base's type: PEFT casts adapters to fp32, not these.
      const std::int64_t e = plain_.weight;
      r_.weights += e * n;
      train(tensor, part, {e, e, adapter_.master, adapter_.master > 0 ? 4 : e});
    } else if (adapted(s_, tensor)) {
      for (const TrainedTensor& adapter : adapters_of(part, *s_.lora)) {
        r_.weights += adapter_.weight * adapter.elements();
        train(tensor, adapter, adapter_);
      }
    }
  }

  RankParameters take() {
    r_.largest_unit = unit_.empty() ? 0 : *std::max_element(unit_.begin(), unit_.end());
    for (const Bytes gradients : r_.block_gradients) {
      r_.unit_gradients = std::max(r_.unit_gradients, gradients);
    }
    r_.update =
        update_temporary(s_.optimizer, s_.update, trained_bytes_, largest_weight_, largest_hidden_);
    return r_;
  }

 private:
  void train(const Tensor& tensor, const TrainedTensor& part, const Elements& e) {
    const std::int64_t n = part.elements();
    r_.trained += n;
    const Bytes gradient = e.gradient * n;
    r_.gradients += gradient;
    r_.largest_gradient = std::max(r_.largest_gradient, gradient);
    if (tensor.layer >= 0) {
      r_.block_gradients[static_cast<std::size_t>(tensor.layer) - stage_.begin] += gradient;
    } else if (tensor.role != TensorRole::embedding) {
      r_.head_gradients += gradient;
    }
    const Bytes states =
        e.master * n + optimizer_state_bytes(s_.optimizer, part, e.state, s_.galore_rank);
    r_.states += states;
    if (tensor.role == TensorRole::routed_expert) {
      r_.expert_gradients += gradient;
      r_.expert_states += states;
    }
    trained_bytes_ += e.state * n;
    largest_weight_ = std::max(largest_weight_, e.state * n);
    if (part.matrix && part.hidden && n > largest_hidden_.elements()) largest_hidden_ = part;
  }

  const TrainingSettings& s_;
  const StageBlocks& stage_;
  Elements plain_;
  Elements adapter_;
  RankParameters r_;
  std::vector<Bytes> unit_;
  Bytes trained_bytes_ = 0;
  Bytes largest_weight_ = 0;
  TrainedTensor largest_hidden_{0, 0, 0, true, true};
};

/// What DeepSpeed allocates besides model states (runtime/zero/stage_1_and_2.py, stage3.py).
void add_deepspeed_buffers(RankParameters& r, const TrainingSettings& s) {
  constexpr std::int64_t kFp16 = 2;
  constexpr std::int64_t kFp32 = 4;
  r.buckets = kFp16 * s.deepspeed_bucket * (s.overlap_comm ? 2 : 1);
  std::int64_t stepped = divide_up(r.trained, s.shards());
  if (s.data_parallel == DataParallel::zero3) {
    // Parameters stay gathered until 1e9 of them are (stage3_max_live_parameters), beside the one
    // that is fetched next; the optimizer steps over as many at a time (sub_group_size).
    constexpr std::int64_t kMostAtOnce = 1'000'000'000;
    r.largest_unit = 0;
    r.root_unit = kFp16 * std::min(kMostAtOnce + r.largest_tensor, r.parameters);
    r.root_stays = true;
    r.buckets = kFp16 * s.deepspeed_bucket;
    r.keeps_gradients = true;
    stepped = std::min(stepped, kMostAtOnce);
  }
  // The gradients of a step as one flat 16-bit and one flat fp32 tensor, then 8 bytes more of the
  // optimizer: runs with 1.8 and 1.9e9 trained parameters a rank peak 12.6 and 14.4 GB above their
  // states, at any length of sequences (Qwen-1.8B; ms-swift's Qwen2.5-7B on four GPUs).
  constexpr std::int64_t kOptimizer = 8;
  r.update = stepped * (kFp16 + kFp32 + kOptimizer);
}

struct Sharded {
  bool weights = false;
  bool gradients = false;
  bool states = false;
};

Sharded sharded_by(DataParallel kind) {
  const bool weights = kind == DataParallel::zero3 || kind == DataParallel::fsdp;
  return {weights, weights || kind == DataParallel::zero2, kind != DataParallel::ddp};
}

/// What leaves the GPU for main memory or a disk.
void offload(RankParameters& r, const TrainingSettings& s, Bytes whole_gradients) {
  // Whole gradients go over in pieces: two reduce buckets stay on the GPU.
  constexpr Bytes kGradientWindow = 2'000'000'000;
  const Bytes moved = r.states;
  // Main memory has the gradients in fp32, as its Adam takes them (ZeRO-Offload, section 4: 16
  // bytes a parameter with states and master weights).
  r.host = 4 * divide_up<Bytes>(r.trained, sharded_by(s.data_parallel).states ? s.shards() : 1) +
           (s.offload == StateOffload::nvme ? 0 : moved);
  if (s.offload == StateOffload::nvme) r.nvme = moved;
  r.states = 0;
  r.update = 0;
  r.keeps_gradients = false;
  const Bytes window = std::min(whole_gradients, kGradientWindow);
  const double kept = whole_gradients > 0 && r.gradients > window
                          ? static_cast<double>(window) / static_cast<double>(r.gradients)
                          : 1;
  r.gradients = std::min(r.gradients, window);
  const auto scale = [&](Bytes bytes) {
    return static_cast<Bytes>(std::llround(static_cast<double>(bytes) * kept));
  };
  r.head_gradients = scale(r.head_gradients);
  for (Bytes& block : r.block_gradients) block = scale(block);
  if (s.offload != StateOffload::optimizer) {
    (s.offload == StateOffload::nvme ? r.nvme : r.host) += r.weights;
    r.weights = 0;
    // ZeRO-Infinity streams through pinned buffers: 5 of 1e8 elements.
    constexpr Bytes kPinned = Bytes{5} * 100'000'000 * 2;
    if (s.offload == StateOffload::nvme) r.host += kPinned;
  }
}

/// Divides what data parallel ranks share, and adds what sharding itself needs.
void shard(RankParameters& r, const TrainingSettings& s) {
  const std::int64_t n = s.shards();
  const Bytes whole_weights = 2 * r.parameters;
  const Bytes whole_gradients = r.gradients;
  // A flat parameter has the gradient of all that lies in it, frozen or not.
  const Bytes flat_gradients =
      s.flat_units && s.lora ? std::max(r.weights, whole_gradients) : whole_gradients;
  const Sharded by = sharded_by(s.data_parallel);
  // Experts are spread over `ep` of the ranks already: they are divided by n / ep.
  const std::int64_t again = std::min(s.ep, n) - 1;
  if (n > 1 && s.data_parallel == DataParallel::ddp && !s.bucket_view) r.buckets = r.gradients;
  if (by.weights) r.weights = divide_up(r.weights + again * r.expert_weights, n);
  if (by.gradients) {
    r.gradients = divide_up(r.gradients + again * r.expert_gradients, n);
    r.largest_gradient = divide_up(r.largest_gradient, n);
    r.head_gradients = divide_up(r.head_gradients, n);
    for (Bytes& block : r.block_gradients) block = divide_up(block, n);
    r.update = divide_up(r.update, n);
  }
  if (by.states) r.states = divide_up(r.states + again * r.expert_states, n);
  if (by.weights && n > 1 && s.pp > 1) {
    // A pipeline keeps its units gathered and sums gradients unsharded until the last micro-batch.
    r.largest_unit = 0;
    r.root_unit = whole_weights;
    r.root_stays = true;
    r.unit_gradients = whole_gradients;
  } else if (!by.weights || n == 1) {
    r.largest_unit = 0;
    r.root_unit = 0;
  } else {
    r.root_stays = s.flat_units;
    if (s.no_sync) {
      r.unsharded_gradients = flat_gradients;
      r.unit_gradients = 0;
    }
  }
  if (!by.gradients || n == 1) r.unit_gradients = 0;
  if (s.deepspeed && by.states) add_deepspeed_buffers(r, s);
  if (s.offload != StateOffload::none) offload(r, s, whole_gradients);
}

}  // namespace

StageBlocks stage_blocks(const Model& model, std::int64_t n_stage, std::int64_t stage) {
  const auto n_layer = static_cast<std::int64_t>(model.layers.size());
  const std::int64_t base = n_layer / n_stage;
  const std::int64_t rest = n_layer % n_stage;
  const std::int64_t begin = stage * base + std::min(stage, rest);
  const std::int64_t end = begin + base + (stage < rest ? 1 : 0);
  return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end), stage == 0,
          stage == n_stage - 1};
}

RankParameters rank_parameters(const Model& model, const TrainingSettings& settings,
                               const StageBlocks& stage) {
  Collector collector(settings, stage);
  for (const Tensor& tensor : model.tensors) {
    if (!counts(model, tensor) || !on_stage(model, tensor, stage)) continue;
    collector.add(tensor, share_of(model, tensor, settings));
  }
  RankParameters rank = collector.take();
  shard(rank, settings);
  return rank;
}

std::int64_t trained_parameters(const Model& model, const TrainingSettings& settings) {
  TrainingSettings one = settings;
  one.dp = one.tp = one.pp = one.cp = one.ep = 1;
  one.shard_group = 0;
  return rank_parameters(model, one, stage_blocks(model, 1, 0)).trained;
}

}  // namespace meyasu
