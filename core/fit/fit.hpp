// Estimates against capacities: per device and as a whole, with the margin and the term that binds.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/inference/verdict.hpp"
#include "core/units/term.hpp"

namespace meyasu {

/// What one place can hold: a device by the name that Terms use ("gpu0"), or "host".
struct Room {
  std::string device;
  Bytes usable = 0;
};

struct PlaceFit {
  std::string device;
  Fit fit;
  std::string binding_term;  // id of the largest term there
  Bytes binding_bytes = 0;
};

struct MachineFit {
  std::vector<PlaceFit> places;  // in the order of the rooms
  int tightest = -1;             // index of the place with the least margin
  Verdict verdict = Verdict::fits;

  /// Bytes short at the tightest place; 0 when everything fits.
  [[nodiscard]] Bytes shortage() const;
};

/// Terms on devices without a room are not judged (a host whose memory nobody stated).
[[nodiscard]] MachineFit judge(std::span<const Term> terms, std::span<const Room> rooms);

/// Which verdict a solver accepts.
enum class Comfort {
  tight,  // the likely amount fits
  roomy,  // the upper end of the range fits, and 5 % stay free
};
[[nodiscard]] bool accepts(Comfort comfort, Verdict verdict);

}  // namespace meyasu
