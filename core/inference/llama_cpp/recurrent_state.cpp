#include "core/inference/llama_cpp/recurrent_state.hpp"

namespace meyasu {

std::vector<StateLayer> recurrent_state_layers(const Model& model, const LlamaCppContext& context,
                                               const LlamaCppPlacement& placement) {
  constexpr Bytes kStateElementBytes = 4;  // F32
  std::vector<StateLayer> states;
  for (std::size_t il = 0; il < model.layers.size(); ++il) {
    if (model.layers[il].is_mtp) continue;
    const Recurrent& kept = model.layers[il].recurrent;
    if (kept.conv_state_elements + kept.ssm_state_elements == 0) continue;
    StateLayer state;
    state.layer = static_cast<int>(il);
    state.device = placement.kv_device[il];
    state.bytes_conv = kept.conv_state_elements * kStateElementBytes * context.n_seq;
    state.bytes_ssm = kept.ssm_state_elements * kStateElementBytes * context.n_seq;
    states.push_back(state);
  }
  return states;
}

}  // namespace meyasu
