// Hugging Face config.json to an architecture. Keys and defaults are those of the configuration
// classes in transformers (src/transformers/models/*/configuration_*.py).
#pragma once

#include <string_view>

#include "core/model/architecture.hpp"
#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// What the file says about the language model; nested text configurations are followed.
///
/// An unknown `model_type` gives what is certain (blocks, heads, widths, vocabulary) with `known`
/// false. `unknowns` then holds "arch_unknown:TYPE"; others: "missing:KEY" (needed and not there),
/// "towers" (vision or audio parts whose size the file does not tell), "layer_kind:NAME" (a kind
/// of block that is not known; counted as full attention), "adapter" (this is a LoRA's file).
/// Errors: "json_bad" (detail: line); "arch_unknown", field "config", when nothing in the file
/// describes a model.
[[nodiscard]] Result<Architecture> architecture_from_config(std::string_view json);

/// The same as a Model with derived tensors. Errors as above, or "damaged" with the size that is
/// out of range.
[[nodiscard]] Result<Model> model_from_config(std::string_view json);

}  // namespace meyasu
