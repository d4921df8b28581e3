// How pieces of advice are ordered: by cost, singles before pairs, then by kind.
#pragma once

#include <vector>

#include "core/advice/advice.hpp"

namespace meyasu {

/// The quality of a change that touches neither weights nor cache.
inline constexpr Quality kSameQuality = {QualityLevel::none, QualityMeasure::none, 0, {}, {}};

[[nodiscard]] AdviceCost cost_of(QualityLevel level);
/// Of giving up so much of something (0 to 1): `some` to the half, then `much`.
[[nodiscard]] AdviceCost cost_of_part(double part);

/// The device to have instead of `now`: of the whole devices of its product line ("GeForce"), else
/// of all, on which it fits alone, those of the least capacity; among these the nearest in
/// bandwidth. nullptr: none.
[[nodiscard]] const DeviceChoice* other_device(const std::vector<DeviceChoice>& choices,
                                               const Device& now, Comfort comfort);
/// "device" and, where it is sold in several sizes, "device_gib".
[[nodiscard]] std::vector<OptionChange> device_changes(const DeviceChoice& choice);

void sort_advice(std::vector<Advice>& advice);

/// Whether anything costs less than `much`.
[[nodiscard]] bool has_cheap(const std::vector<Advice>& advice);

}  // namespace meyasu
