// A projector's own file as the size that PartsQuestion asks for.
#pragma once

#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// For PartsQuestion::mmproj_mib: the sum of the file's tensors, to the byte (a division by 2^20
/// loses none). Errors: not_projector (field mmproj_mib) for a file with anything else in it.
[[nodiscard]] Result<double> projector_mib(const Model& file);

}  // namespace meyasu
