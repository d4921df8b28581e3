// How a model is trained: everything that decides bytes besides the model itself. Invalid settings
// are refused by check_training before anything is computed.
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Types of weights, gradients and optimizer states (training.md, section 2).
enum class TrainingPrecision {
  fp32,
  bf16,         // everything 16 bit; torch's optimizers keep states in the parameter's type
  autocast,     // fp32 weights, 16-bit compute; autocast keeps a 16-bit copy of linear weights
  master_fp32,  // 16-bit weights and gradients beside fp32 master weights (Megatron, DeepSpeed)
  fsdp_mixed,   // fp32 shards, 16-bit gathered units
  master_bf16,  // DeepSpeed bf16_master_weights_and_grads
};

enum class Optimizer {
  adamw,
  adamw_8bit,
  adafactor,
  lion,
  lion_8bit,
  sgd,
  sgd_momentum,
  adam_mini,
  muon,
  galore,
  apollo,
  lomo,
};

/// How the frozen base of a LoRA is stored.
enum class BaseFormat { bits16, nf4, nf4_double, int8, gptq4 };

enum class Checkpointing {
  none,
  selective,     // Megatron: recomputes softmax and dropout of attention
  selective_op,  // torchtitan: keeps every second matrix product and attention
  full,          // keeps the input of each block
  offloaded,     // the same, in main memory
};

enum class LossPath {
  hf,              // 16-bit logits returned, loss in fp32 (transformers since 4.45)
  hf_old,          // upcast, shifted copy
  dropped,         // upcast, logits not returned
  native,          // loss in 16 bit
  native_shifted,  // the same on a shifted copy
  chunked,         // loss in pieces over whole logits
  chunked_fp32,    // the same on a list of fp32 logits, each piece's softmax kept (LitGPT)
  linear,  // fused linear cross entropy: logits exist one piece at a time (Liger, torchtune)
  cce,     // cut cross entropy: no logits in memory
};

enum class DataParallel { ddp, zero1, zero2, zero3, fsdp };
enum class PipelineSchedule { gpipe, one_f_one_b, interleaved };
enum class StateOffload { none, optimizer, optimizer_and_weights, nvme };
enum class Objective { supervised, dpo, orpo, kto, ppo, grpo };
/// Which counter the result is to be compared with.
enum class MemoryCounter { allocated, reserved, nvidia_smi };

/// How the optimizer walks over tensors: what it needs for a moment.
enum class UpdateKind {
  for_loop,           // two temporaries of the largest tensor
  foreach_all,        // one of all trained weights: torch's choice on CUDA
  foreach_torch_2_0,  // two, in torch up to 2.0
  fused,              // none
};

/// Modules a LoRA adapts; also the bits of LoraSettings::targets.
enum LoraTarget : unsigned {
  kTargetQ = 1,
  kTargetK = 2,
  kTargetV = 4,
  kTargetO = 8,
  kTargetGate = 16,
  kTargetUp = 32,
  kTargetDown = 64,
  kTargetAttention = 15,
  kTargetAll = 127,
  kTargetHead = 128,
};

struct LoraSettings {
  std::int64_t rank = 16;
  unsigned targets = kTargetAll;
  double dropout = 0;
  bool dora = false;
  bool fp32_adapters = true;     // PEFT's autocast_adapter_dtype
  bool autocast = false;         // the trainer runs under autocast (bf16=True of transformers)
  bool save_embeddings = false;  // modules_to_save: token table and head train as full copies
  bool fp32_embeddings = false;  // prepare_model_for_kbit_training casts what is not quantized
  BaseFormat base = BaseFormat::bits16;
  /// bitsandbytes before 0.43.2 kept the input of 4-bit products beside autograd's own tensors, and
  /// expanded matrices through fp16.
  bool base_keeps_inputs = false;
  /// Such inputs live until the loss that holds their graph is replaced: a loop that overwrites
  /// `loss` has those of the step before during the next forward pass.
  bool base_inputs_outlive = false;
  bool quantized_head = false;  // the head is a linear layer like others (LitGPT)
  /// One adapter on a fused QKV matrix: one copy of its input; the updates of Q, K, V are padded to
  /// the width of all three, which keeps them (LitGPT).
  bool merged_qkv = false;
};

struct TrainingSettings {
  TrainingPrecision precision = TrainingPrecision::autocast;
  bool fp32_gradients = false;  // with master_fp32: gradients are summed in fp32
  std::optional<LoraSettings> lora;
  Optimizer optimizer = Optimizer::adamw;
  UpdateKind update = UpdateKind::foreach_all;
  std::int64_t galore_rank = 128;
  bool paged = false;        // states may leave for main memory
  bool in_backward = false;  // the optimizer steps while gradients appear

  std::int64_t batch = 1;  // sequences of one micro-batch on one GPU
  std::int64_t sequence = 2048;
  std::int64_t accumulation = 1;

  bool flash_attention = true;
  /// Share of batch x sequence that is computed: less than 1 where padding is left out of a batch
  /// (padding-free). Packed rows are full: 1.
  double real_share = 1;
  bool whole_mask = false;  // the attention mask as a tensor of batch x sequence x sequence
  bool repeat_kv = false;   // K and V are copied to the width of Q (transformers' eager attention)
  bool fused_qkv = false;   // V is a view into the product of one QKV matrix, which stays whole
  bool fused_norm = false;
  bool fused_mlp = false;
  double dropout = 0;  // of GPT blocks
  Checkpointing checkpointing = Checkpointing::full;
  LossPath loss = LossPath::hf;
  std::int64_t loss_chunks = 8;
  /// Sequences of an evaluation between steps; 0: none. Its logits are whole, whatever the loss of
  /// training does (transformers uses Liger's fused loss only while training).
  std::int64_t eval_batch = 0;

  DataParallel data_parallel = DataParallel::ddp;
  std::int64_t dp = 1;             // replicas or shards
  bool bucket_view = false;        // DDP: gradients are views of its buckets, no copy
  std::int64_t shard_group = 0;    // HSDP: ranks that share one copy; 0: all of dp
  std::int64_t tp = 1;             // tensor parallel
  bool sequence_parallel = false;  // norms split along the sequence too
  std::int64_t pp = 1;             // pipeline stages
  PipelineSchedule schedule = PipelineSchedule::one_f_one_b;
  std::int64_t virtual_stages = 1;              // chunks of blocks per stage, interleaved only
  std::int64_t cp = 1;                          // context parallel
  std::int64_t ep = 1;                          // expert parallel, within dp
  bool deepspeed = false;                       // ZeRO by DeepSpeed: its buffers
  std::int64_t deepspeed_bucket = 500'000'000;  // elements of its reduce bucket
  bool overlap_comm = true;                     // two such buckets
  bool flat_units =
      false;             // FSDP 1: a unit is one parameter, so what is frozen in it gets gradients
  bool no_sync = false;  // gradients are summed unsharded until the last micro-batch
  StateOffload offload = StateOffload::none;

  Objective objective = Objective::supervised;
  std::int64_t completions = 8;  // GRPO: answers per prompt
  bool reference_model = true;   // DPO, KTO; GRPO with beta != 0
  double rollout_share = 0;      // GRPO: share of the card that a colocated vLLM takes

  bool expandable_segments = false;  // PYTORCH_CUDA_ALLOC_CONF
  int n_sm = 0;                      // of the card, for the size of CUDA's context; 0: unknown
  int threads_per_sm = 1536;

  [[nodiscard]] std::int64_t n_gpus() const { return dp * tp * pp * cp; }
  /// Ranks that share weights, gradients or states. Context parallel ranks compute on the same
  /// weights, so they are sharded over as well (torchtitan's dp_shard_cp mesh, Megatron's
  /// distributed optimizer).
  [[nodiscard]] std::int64_t shards() const { return (shard_group > 0 ? shard_group : dp) * cp; }
};

/// Errors (code, field): not_positive (any count), lora_rank rank (0 or above the width),
/// no_targets targets, tp_heads tp, pp_layers pp, ep_experts ep, ctx_over sequence (above
/// n_ctx_train), in_backward_zero3 in_backward, in_backward_accumulation in_backward,
/// grpo_completions completions (GRPOConfig of TRL refuses one), shard_group shard_group,
/// not_fraction dropout / rollout_share, no_tensors model, too_large.
[[nodiscard]] std::optional<Error> check_training(const Model& model,
                                                  const TrainingSettings& settings);

}  // namespace meyasu
