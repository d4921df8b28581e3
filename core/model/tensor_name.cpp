#include "core/model/tensor_name.hpp"

#include <array>

namespace meyasu {
namespace {

struct NameAndRole {
  std::string_view name;
  TensorRole role;
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "blk.12." and what stands in front of it ("enc.blk.12.") split from the rest.
struct BlockName {
  std::optional<int> block;
  std::string_view rest;
};

BlockName split_block(std::string_view name) {
  for (const std::string_view prefix : {"enc.", "dec."}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  constexpr std::string_view kBlock = "blk.";
  if (!name.starts_with(kBlock)) return {std::nullopt, name};
  constexpr int kMaxBlock = 1'000'000;
  int number = 0;
  std::size_t at = kBlock.size();
  while (at < name.size() && is_digit(name[at]) && number < kMaxBlock) {
    number = number * 10 + (name[at++] - '0');
  }
  if (at == kBlock.size() || at >= name.size() || name[at] != '.') return {std::nullopt, name};
  return {number, name.substr(at + 1)};
}

// Names outside the blocks, up to the first dot.
constexpr std::array kOutsideBlocks = {
    NameAndRole{"token_embd", TensorRole::embedding},
    NameAndRole{"token_types", TensorRole::embedding},
    NameAndRole{"per_layer_token_embd", TensorRole::embedding},
    NameAndRole{"position_embd", TensorRole::position},
    NameAndRole{"output", TensorRole::output_head},
    NameAndRole{"cls", TensorRole::output_head},
    NameAndRole{"v", TensorRole::vision},
    NameAndRole{"a", TensorRole::vision},
    NameAndRole{"mm", TensorRole::vision},
    NameAndRole{"resampler", TensorRole::vision},
};

// Beginnings of names inside a block; the first that fits counts.
constexpr std::array kInsideBlocks = {
    NameAndRole{"nextn", TensorRole::mtp},
    NameAndRole{"ffn_gate_inp", TensorRole::router},
    NameAndRole{"ffn_gate_tid2eid", TensorRole::router},
    NameAndRole{"exp_probs_b", TensorRole::router},
    NameAndRole{"ffn", TensorRole::feed_forward},
    NameAndRole{"channel_mix", TensorRole::feed_forward},
    NameAndRole{"attn", TensorRole::attention},
    NameAndRole{"cross_attn", TensorRole::attention},
    NameAndRole{"indexer", TensorRole::attention},
    NameAndRole{"ssm", TensorRole::recurrent},
    NameAndRole{"shortconv", TensorRole::recurrent},
    NameAndRole{"time_mix", TensorRole::recurrent},
};

/// "ffn_gate.3.weight": one expert in a tensor of its own (files before the spring of 2024).
bool is_single_expert(std::string_view rest) {
  const std::size_t dot = rest.find('.');
  return rest.starts_with("ffn_") && dot + 1 < rest.size() && is_digit(rest[dot + 1]);
}

}  // namespace

std::optional<int> block_of_tensor(std::string_view name) {
  return split_block(name).block;
}

TensorRole role_of_tensor(std::string_view name) {
  const auto [block, rest] = split_block(name);
  const std::string_view component = rest.substr(0, rest.find('.'));
  if (!block) {
    for (const auto& [known, role] : kOutsideBlocks) {
      if (component == known) return role;
    }
    return component.find("norm") != std::string_view::npos ? TensorRole::norm : TensorRole::other;
  }
  if (component.starts_with("nextn")) return TensorRole::mtp;
  if (component.find("norm") != std::string_view::npos) return TensorRole::norm;
  for (const auto& [beginning, role] : kInsideBlocks) {
    if (!component.starts_with(beginning)) continue;
    if (role != TensorRole::feed_forward) return role;
    if (component.ends_with("exps") || is_single_expert(rest)) return TensorRole::routed_expert;
    if (component.ends_with("shexp")) return TensorRole::shared_expert;
    return role;
  }
  return TensorRole::other;
}

}  // namespace meyasu
