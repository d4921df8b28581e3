#include "core/study/projector.hpp"

#include <algorithm>

namespace meyasu {

Result<double> projector_mib(const Model& file) {
  const auto& unknowns = file.unknowns;
  const bool is_projector =
      std::find(unknowns.begin(), unknowns.end(), "projector") != unknowns.end();
  if (!is_projector || file.weight_bytes() == 0) return Error{"not_projector", "mmproj_mib", {}};
  return static_cast<double>(file.weight_bytes()) / static_cast<double>(kMiB);
}

}  // namespace meyasu
