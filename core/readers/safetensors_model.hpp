// From the headers of a safetensors checkpoint to its weights: which stored tensors form one
// weight, how many parameters it has unpacked, and its exact bytes with scales, zero points and
// indices.
#pragma once

#include <string>
#include <vector>

#include "core/model/model.hpp"
#include "core/readers/json.hpp"
#include "core/readers/safetensors_header.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// `model` lists the weights as the network has them (Hugging Face names, unpacked shapes; packed
/// weights count as BF16), without layers: those are in config.json. Shapes of bitsandbytes 4-bit
/// weights are stored flat and stay so.
struct Checkpoint {
  Model model;
  std::vector<Bytes> tensor_bytes;  // stored bytes of model.tensors[i], all parts
  Bytes other_bytes = 0;  // buffers that are no parameters: masks, positions, cache scales
  std::string
      format;  // of most packed parameters: "gptq-4bit", "fp8-block"; else the dtype, "bf16"

  [[nodiscard]] Bytes bytes() const;  // the whole data section
};

/// `config` is the parsed config.json or nullptr; its quantization_config settles bits that tensor
/// shapes leave open. Packed tensors that fit no known layout are counted in bytes only and named
/// in model.unknowns ("packing_unknown:NAME", once). Never fails for a header that was read.
[[nodiscard]] Checkpoint checkpoint_from_safetensors(const SafetensorsHeader& header,
                                                     const JsonValue* config = nullptr);

/// Purpose of a tensor by its Hugging Face name.
[[nodiscard]] TensorRole role_of_hugging_face_name(std::string_view name);

}  // namespace meyasu
