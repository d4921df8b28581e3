#include "core/training/activations.hpp"

#include <algorithm>
#include <string>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

/// Frozen base, adapted modules: what autograd keeps for the adapters.
struct Adapters {
  std::int64_t rank = 0;
  std::int64_t element = 0;  // of the product with A
  std::int64_t copy = 0;     // bytes of an own copy of the input; 0: shares the block's
  bool mask = false;
};

Adapters adapters_of(const LoraSettings& lora, std::int64_t e) {
  Adapters a;
  a.rank = lora.rank;
  const bool own_type = lora.fp32_adapters && e == 2;
  // Under autocast the fp32 copy is cast again, and the 16-bit one is what is kept.
  a.element = own_type && !lora.autocast ? 4 : e;
  a.mask = lora.dropout > 0;
  a.copy = own_type || a.mask ? a.element : 0;
  return a;
}

class Block {
 public:
  Block(const BlockShape& shape, const TrainingSettings& settings)
      : s_(shape),
        c_(settings),
        e_(activation_element(settings)),
        r_(residual_element(settings)),
        trains_(!settings.lora) {
    if (!c_.lora) return;
    keeps_ = c_.lora->base_keeps_inputs;
    a_ = adapters_of(*c_.lora, e_);
  }

  /// Per token. A norm over `width`, input of `element` bytes, `rows` statistics.
  [[nodiscard]] std::int64_t norm(std::int64_t width, std::int64_t element,
                                  std::int64_t rows) const {
    if (s_.gpt) return element * width + 8 * rows;         // input; mean and rstd
    if (c_.fused_norm) return element * width + 4 * rows;  // input; rstd
    // x.float(), rstd, and for the gain's gradient the normalised x.
    return 4 * width + 4 * rows + (trains_ ? element * width : 0);
  }

  [[nodiscard]] std::int64_t first_norm() const { return norm(s_.n_embd, r_, 1); }

  [[nodiscard]] std::int64_t block_norms() const {
    const int outer = std::min(s_.n_norm, 2);
    std::int64_t bytes = outer * norm(s_.n_embd, r_, 1);
    bytes += (s_.n_norm - outer) * norm(s_.n_embd, e_, 1);  // sandwich: input from a linear
    if (s_.parallel && outer == 2 && s_.gpt) bytes -= r_ * s_.n_embd;
    if (!trains_ && !keeps_) return bytes;
    // Inputs of the linears after the norms; autocast makes one 16-bit copy for each linear.
    const bool copies = c_.precision == TrainingPrecision::autocast && trains_;
    const int qkv = s_.gpt ? 1 : 3;
    const int up = s_.gated ? 2 : 1;
    return bytes + (copies ? e_ * s_.n_embd * (qkv + up) : outer * e_ * s_.n_embd);
  }

  [[nodiscard]] std::int64_t head_norms() const {
    if (!s_.qk_norm) return 0;
    return norm(s_.q, e_, s_.n_head) + norm(s_.k, e_, s_.n_head_kv);
  }

  [[nodiscard]] std::int64_t attention() const {
    if (s_.q == 0) return 0;
    const bool repeated = !s_.gpt && (c_.repeat_kv || !c_.flash_attention);
    const std::int64_t kv = repeated ? s_.q + s_.out : s_.k + s_.v;
    std::int64_t bytes = e_ * (s_.q + kv);
    // Rotated Q and K are new tensors, V is not: the product stays for its sake. Repeating the
    // heads of grouped queries copies V too.
    if (c_.fused_qkv && !(repeated && s_.n_head_kv < s_.n_head)) bytes += e_ * (s_.q + s_.k);
    if (c_.flash_attention) return bytes + e_ * s_.out + 4 * s_.n_head;  // out; log-sum-exp
    if (trains_ || (adapted(kTargetO) && a_.copy == 0)) bytes += e_ * s_.out;
    return bytes;
  }

  /// Per token and key.
  [[nodiscard]] std::int64_t scores() const {
    if (c_.flash_attention || s_.q == 0) return 0;
    // Softmax in fp32 beside 16-bit probabilities, or one of the two where there is no upcast.
    const std::int64_t softmax = s_.gpt || e_ == 4 ? e_ : 4 + e_;
    const std::int64_t dropped = c_.dropout > 0 ? 1 + e_ : 0;  // mask; dropped copy
    const std::int64_t capped = s_.capped_scores ? e_ : 0;     // tanh keeps its result
    return s_.n_head * (softmax + dropped + capped);
  }

  [[nodiscard]] std::int64_t mlp(std::int64_t n_ff) const {
    const std::int64_t before = s_.gated ? (c_.fused_mlp ? 2 : 3) : 1;
    const bool product = trains_ || keeps_ || (adapted(kTargetDown) && a_.copy == 0);
    return e_ * n_ff * (before + (product ? 1 : 0));
  }

  [[nodiscard]] std::int64_t feed_forward() const {
    if (s_.n_expert == 0) return mlp(s_.n_ff);
    const std::int64_t used = s_.n_expert_used;
    // Permuted copies: gathered inputs (a linear's input), outputs before they are weighted.
    const bool input = trains_ || (adapted(kTargetGate | kTargetUp) && a_.copy == 0);
    return used * mlp(s_.n_ff_exp) + mlp(s_.n_ff_shexp) + used * s_.n_embd * e_ * (input ? 2 : 1);
  }

  struct AdapterBytes {
    std::int64_t whole = 0;
    std::int64_t split = 0;
  };
  [[nodiscard]] AdapterBytes adapter_bytes() const {
    AdapterBytes bytes;
    if (trains_) return bytes;
    bytes.whole += shared_input(kTargetQ | kTargetK | kTargetV, s_.n_embd);
    const std::int64_t times = s_.n_expert > 0 ? s_.n_expert_used : 1;
    if (s_.n_expert == 0) bytes.whole += shared_input(kTargetGate | kTargetUp, s_.n_embd);
    if (c_.lora->merged_qkv) {
      bytes.whole += module(kTargetQ | kTargetK | kTargetV, s_.n_embd);
      bytes.split += padded_updates();
    } else {
      for (const unsigned target : {kTargetQ, kTargetK, kTargetV}) {
        bytes.whole += module(target, s_.n_embd);
      }
    }
    for (const unsigned target : {kTargetGate, kTargetUp}) {
      if (target == kTargetGate && !s_.gated) continue;
      bytes.whole += times * module(target, s_.n_embd);
    }
    const std::int64_t n_ff = s_.n_expert > 0 ? s_.n_ff_exp : s_.n_ff;
    bytes.split += module(kTargetO, s_.out);
    bytes.split += times * module(kTargetDown, n_ff);
    bytes.split += scaled(kTargetQ, s_.q) + scaled(kTargetK, s_.k) + scaled(kTargetV, s_.v);
    if (s_.gated) bytes.split += times * scaled(kTargetGate, n_ff);
    bytes.split += times * scaled(kTargetUp, n_ff);
    bytes.whole += scaled(kTargetO, s_.n_embd) + times * scaled(kTargetDown, s_.n_embd);
    return bytes;
  }

  /// Scalars that autograd keeps: eps of norms, scale of eager attention, scaling of adapters.
  [[nodiscard]] std::int64_t scalars() const {
    std::int64_t bytes = 0;
    if (!s_.gpt && !c_.fused_norm) bytes += std::int64_t{8} * (s_.n_norm + (s_.qk_norm ? 2 : 0));
    if (!c_.flash_attention) bytes += 8;
    if (trains_) return bytes;
    for (unsigned bit = 1; bit <= kTargetDown; bit <<= 1U) bytes += adapted(bit) ? 8 : 0;
    return bytes;
  }

 private:
  [[nodiscard]] bool adapted(unsigned targets) const {
    return c_.lora && (c_.lora->targets & targets) != 0;
  }
  [[nodiscard]] std::int64_t shared_input(unsigned targets, std::int64_t width) const {
    return adapted(targets) && a_.copy == 0 && !keeps_ ? e_ * width : 0;
  }
  /// index_copy keeps its source: what is copied into the padded update of Q, K and V.
  [[nodiscard]] std::int64_t padded_updates() const {
    constexpr unsigned kAll = kTargetQ | kTargetK | kTargetV;
    const unsigned targets = c_.lora->targets & kAll;
    if (targets == kAll) return 0;
    return a_.element * ((adapted(kTargetQ) ? s_.q : 0) + (adapted(kTargetK) ? s_.k : 0) +
                         (adapted(kTargetV) ? s_.v : 0));
  }
  [[nodiscard]] std::int64_t module(unsigned target, std::int64_t width) const {
    if (!adapted(target)) return 0;
    return a_.element * a_.rank + a_.copy * width + (a_.mask ? width : 0);
  }
  /// DoRA scales the products of base and adapter by a trained magnitude, so both are kept
  /// (PEFT, tuners/lora/dora.py).
  [[nodiscard]] std::int64_t scaled(unsigned target, std::int64_t out_width) const {
    return adapted(target) && c_.lora->dora ? (e_ + a_.element) * out_width : 0;
  }

  const BlockShape& s_;
  const TrainingSettings& c_;
  std::int64_t e_;
  std::int64_t r_;
  bool trains_;
  bool keeps_ = false;
  Adapters a_;
};

/// torchtitan's selective checkpointing per operation: block input, attention and of the matrix
/// products, in the order in which they run, the first and every second after it
/// (torchtitan, activation_checkpoint.py: _get_custom_policy).
Bytes every_second_product(const BlockShape& s, std::int64_t e, std::int64_t r) {
  const std::int64_t n_ff = s.n_ff + s.n_ff_shexp + s.n_expert_used * s.n_ff_exp;
  const std::int64_t products[] = {s.q, s.k, s.v, s.n_embd, n_ff, s.gated ? n_ff : 0, s.n_embd};
  std::int64_t kept = 0;
  std::int64_t count = 0;
  for (const std::int64_t width : products) {
    if (width > 0 && count++ % 2 == 0) kept += width;
  }
  return r * s.n_embd + e * s.out + 4 * s.n_head + e * kept;
}

}  // namespace

std::int64_t activation_element(const TrainingSettings& settings) {
  return settings.precision == TrainingPrecision::fp32 ? 4 : 2;
}

std::int64_t residual_element(const TrainingSettings& settings) {
  const bool fp32 = settings.precision == TrainingPrecision::fp32 ||
                    (settings.precision == TrainingPrecision::autocast && !settings.lora);
  return fp32 ? 4 : 2;
}

BlockShape block_shape(const Model& model, std::size_t il) {
  const Layer& layer = model.layers[il];
  BlockShape shape;
  shape.n_embd = model.n_embd;
  if (layer.kind == LayerKind::attention) {
    const Attention& a = layer.attention;
    shape.n_head = a.n_head;
    // MLA trains with K and V expanded to every head.
    shape.n_head_kv = a.mla ? a.n_head : a.n_head_kv;
    const std::int64_t dk =
        a.mla ? a.mla->qk_nope_head_dim + a.mla->qk_rope_head_dim : a.head_dim_k;
    const std::int64_t dv = a.mla ? a.mla->v_head_dim : a.head_dim_v;
    shape.q = a.n_head * dk;
    shape.k = shape.n_head_kv * dk;
    shape.v = shape.n_head_kv * dv;
    shape.out = a.n_head * dv;
  } else if (layer.kind != LayerKind::feed_forward_only) {
    shape.mixer = std::max(layer.recurrent.d_inner, model.n_embd);
  }
  const FeedForward& f = layer.feed_forward;
  shape.n_expert = f.n_expert;
  shape.n_expert_used = f.n_expert_used;
  shape.n_ff = f.n_expert > 0 ? 0 : f.n_ff;
  shape.n_ff_exp = f.n_ff_exp;
  shape.n_ff_shexp = f.n_ff_shexp;
  int norms = 0;
  bool bias = false;
  const std::string prefix = "blk." + std::to_string(il) + ".";
  shape.gated = false;
  for (const Tensor& tensor : model.tensors) {
    if (tensor.layer != static_cast<int>(il)) continue;
    const std::string_view name =
        std::string_view(tensor.name).substr(std::min(prefix.size(), tensor.name.size()));
    const bool weight = name.ends_with(".weight");
    if (name.starts_with("attn_q_norm") || name.starts_with("attn_k_norm")) {
      shape.qk_norm = shape.qk_norm || weight;
    } else if (tensor.role == TensorRole::norm && tensor.ne[0] == model.n_embd) {
      norms += weight ? 1 : 0;
      bias = bias || !weight;
    }
    if (name.starts_with("ffn_gate") && tensor.role != TensorRole::router) shape.gated = true;
    // Gate and up in one matrix (Phi-3).
    if (name.starts_with("ffn_up.weight") && f.n_ff > 0 && tensor.ne[1] == 2 * f.n_ff) {
      shape.gated = true;
    }
  }
  shape.gpt = bias;
  shape.n_norm = norms;
  shape.capped_scores = model.hparam("attn_logit_softcapping", 0) != 0;
  shape.parallel = model.hparam("use_parallel_residual", 0) != 0;
  return shape;
}

SavedActivations saved_activations(const BlockShape& shape, const TrainingSettings& settings,
                                   std::int64_t tokens, std::int64_t sequence) {
  const Block block(shape, settings);
  const std::int64_t t = settings.tp;
  // Terms of the model's width are split only along the sequence.
  const std::int64_t whole = settings.sequence_parallel ? t : 1;
  SavedActivations saved;
  saved.norms = divide_up(tokens * block.block_norms(), whole) + block.scalars();
  saved.attention = divide_up(tokens * (block.head_norms() + block.attention()), t);
  if (shape.mixer > 0) {
    // Projections in, convolution, gate and output of a recurrent mixer: about six times its width.
    saved.attention += divide_up(tokens * activation_element(settings) * 6 * shape.mixer, t);
  }
  saved.scores = divide_up(tokens * sequence * block.scores(), t);
  saved.feed_forward = divide_up(tokens * block.feed_forward(), t) + tokens * 4 * shape.n_expert;
  if (shape.gpt && settings.dropout > 0) {
    saved.feed_forward += divide_up(tokens * 2 * shape.n_embd, whole);  // two masks of one byte
  }
  const auto adapters = block.adapter_bytes();
  saved.adapters =
      divide_up(tokens * adapters.whole, whole) + divide_up(tokens * adapters.split, t);
  return saved;
}

Bytes first_block_saves_less(const BlockShape& shape, const TrainingSettings& settings,
                             std::int64_t tokens, std::int64_t sequence) {
  if (!settings.lora || settings.checkpointing != Checkpointing::none) return 0;
  const Block block(shape, settings);
  Bytes less = tokens * block.first_norm();
  if ((settings.lora->targets & kTargetAttention) == 0) {
    const SavedActivations saved = saved_activations(shape, settings, tokens, sequence);
    less += saved.attention + saved.scores;
  }
  return less;
}

Bytes outliving_inputs(const BlockShape& shape, const TrainingSettings& settings,
                       std::int64_t tokens) {
  if (!settings.lora || !settings.lora->base_inputs_outlive) return 0;
  if (settings.checkpointing != Checkpointing::none) return 0;
  const std::int64_t width = std::min(shape.n_norm, 2) * shape.n_embd + shape.out + shape.n_ff +
                             shape.n_ff_shexp + shape.n_expert_used * shape.n_ff_exp;
  return tokens * activation_element(settings) * width;
}

Bytes kept_activations(const BlockShape& shape, const TrainingSettings& settings,
                       std::int64_t tokens, std::int64_t sequence) {
  const std::int64_t whole = settings.sequence_parallel ? settings.tp : 1;
  const std::int64_t r = residual_element(settings);
  switch (settings.checkpointing) {
    case Checkpointing::none:
      return saved_activations(shape, settings, tokens, sequence).total();
    case Checkpointing::selective: {
      const SavedActivations saved = saved_activations(shape, settings, tokens, sequence);
      return saved.total() - saved.scores;
    }
    case Checkpointing::selective_op:
      return divide_up(tokens * every_second_product(shape, activation_element(settings), r),
                       settings.tp);
    case Checkpointing::full:
      return divide_up(tokens * r * shape.n_embd, whole);
    case Checkpointing::offloaded:
      return 0;
  }
  return 0;
}

}  // namespace meyasu
