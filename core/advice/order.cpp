#include "core/advice/order.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "core/units/sort.hpp"

namespace meyasu {

std::string_view advice_name(AdviceKind kind) {
  switch (kind) {
    case AdviceKind::flash_attention:
      return "flash_attention";
    case AdviceKind::ubatch:
      return "ubatch";
    case AdviceKind::kv_type:
      return "kv_type";
    case AdviceKind::mix:
      return "mix";
    case AdviceKind::context:
      return "context";
    case AdviceKind::users:
      return "users";
    case AdviceKind::offload:
      return "offload";
    case AdviceKind::runtime:
      return "runtime";
    case AdviceKind::memory_fraction:
      return "memory_fraction";
    case AdviceKind::eager:
      return "eager";
    case AdviceKind::more_gpus:
      return "more_gpus";
    case AdviceKind::other_gpu:
      return "other_gpu";
  }
  return "";
}

std::string_view advice_cost_name(AdviceCost cost) {
  switch (cost) {
    case AdviceCost::none:
      return "none";
    case AdviceCost::slight:
      return "slight";
    case AdviceCost::some:
      return "some";
    case AdviceCost::much:
      return "much";
    case AdviceCost::hardware:
      return "hardware";
  }
  return "";
}

AdviceCost cost_of(QualityLevel level) {
  switch (level) {
    case QualityLevel::none:
    case QualityLevel::native:
      return AdviceCost::none;
    case QualityLevel::tiny:
    case QualityLevel::small:
      return AdviceCost::slight;
    case QualityLevel::visible:
    case QualityLevel::unmeasured:
      return AdviceCost::some;
    case QualityLevel::large:
    case QualityLevel::trained_only:
      return AdviceCost::much;
  }
  return AdviceCost::much;
}

AdviceCost cost_of_part(double part) {
  constexpr double kHalf = 0.5;
  return part <= kHalf ? AdviceCost::some : AdviceCost::much;
}

const DeviceChoice* other_device(const std::vector<DeviceChoice>& choices, const Device& now,
                                 Comfort comfort) {
  const DeviceChoice* best = nullptr;
  const auto line_of = [](const Device& it) { return it.name.substr(0, it.name.find(' ')); };
  const auto is_laptop = [](const Device& it) {
    return it.name.find("Laptop") != std::string::npos;
  };
  const auto key = [&](const DeviceChoice& it) {
    const bool like =
        it.device->vendor == now.vendor && it.device->device_class == now.device_class &&
        line_of(*it.device) == line_of(now) && is_laptop(*it.device) == is_laptop(now);
    return std::tuple(!like, it.capacity(),
                      std::abs(std::log(it.device->bandwidth_gb_s / now.bandwidth_gb_s)));
  };
  for (const DeviceChoice& choice : choices) {
    if (choice.n != 1 || !choice.device->slice_of.empty() || !accepts(comfort, choice.verdict)) {
      continue;
    }
    if (best == nullptr || key(choice) < key(*best)) best = &choice;
  }
  return best;
}

std::vector<OptionChange> device_changes(const DeviceChoice& choice) {
  std::vector<OptionChange> changes = {{"device", choice.device->id}};
  if (!choice.device->memory_options_gib.empty()) {
    changes.push_back({"device_gib", std::to_string(choice.memory / kGiB)});
  }
  return changes;
}

void sort_advice(std::vector<Advice>& advice) {
  const auto key = [](const Advice& a) {
    return std::tuple(a.cost, a.kinds.size(), a.kinds, a.amount, -a.saving);
  };
  sort_items(advice, [&](const Advice& a, const Advice& b) { return key(a) < key(b); });
}

bool has_cheap(const std::vector<Advice>& advice) {
  return std::any_of(advice.begin(), advice.end(),
                     [](const Advice& it) { return it.cost < AdviceCost::much; });
}

}  // namespace meyasu
