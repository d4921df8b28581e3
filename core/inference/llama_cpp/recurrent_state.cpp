#include "core/inference/llama_cpp/recurrent_state.hpp"

namespace meyasu {

StateElements state_elements(const Model& model, const Layer& layer) {
  const Recurrent& it = layer.recurrent;
  switch (layer.kind) {
    case LayerKind::mamba1:
      return {(it.d_conv - 1) * it.d_inner, it.d_state * it.d_inner};
    case LayerKind::mamba2:
    case LayerKind::gated_delta_net:
      // The convolution runs over x, B and C together.
      return {(it.d_conv - 1) * (it.d_inner + 2 * it.n_group * it.d_state),
              it.d_state * it.d_inner};
    case LayerKind::short_conv:
      return {(it.d_conv - 1) * model.n_embd, 0};
    case LayerKind::rwkv:
      return {it.token_shift * model.n_embd, model.n_embd * it.head_dim};
    case LayerKind::linear_attention:
      // Several designs: the reader that knows the design states the sizes.
      return {it.conv_state_elements, it.ssm_state_elements};
    case LayerKind::attention:  // Falcon-H1 has a state beside its attention
      return {it.conv_state_elements, it.ssm_state_elements};
    case LayerKind::feed_forward_only:
      break;
  }
  return {};
}

std::vector<StateLayer> recurrent_state_layers(const Model& model, const LlamaCppContext& context,
                                               const LlamaCppPlacement& placement) {
  constexpr Bytes kStateElementBytes = 4;  // F32
  std::vector<StateLayer> states;
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    if (model.layers[il].is_mtp) continue;
    const StateElements elements = state_elements(model, model.layers[il]);
    if (elements.conv + elements.ssm == 0) continue;
    StateLayer state;
    state.layer = static_cast<int>(il);
    state.device = placement.kv_device[il];
    state.bytes_conv = elements.conv * kStateElementBytes * context.n_seq;
    state.bytes_ssm = elements.ssm * kStateElementBytes * context.n_seq;
    states.push_back(state);
  }
  return states;
}

}  // namespace meyasu
