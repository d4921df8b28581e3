#include "core/fit/fit.hpp"

#include <algorithm>
#include <utility>

namespace meyasu {

Bytes MachineFit::shortage() const {
  if (tightest < 0) return 0;
  return std::max<Bytes>(0, -places[static_cast<std::size_t>(tightest)].fit.margin());
}

MachineFit judge(std::span<const Term> terms, std::span<const Room> rooms) {
  MachineFit result;
  for (const Room& room : rooms) {
    PlaceFit place;
    place.device = room.device;
    place.fit.usable = room.usable;
    for (const Term& term : terms) {
      if (term.device != room.device) continue;
      place.fit.low += term.low;
      place.fit.likely += term.bytes;
      place.fit.high += term.high;
      if (term.bytes > place.binding_bytes) {
        place.binding_bytes = term.bytes;
        place.binding_term = term.id;
      }
    }
    result.verdict = worse(result.verdict, place.fit.verdict());
    const bool tightest =
        result.tightest < 0 ||
        place.fit.margin() < result.places[static_cast<std::size_t>(result.tightest)].fit.margin();
    if (tightest) result.tightest = static_cast<int>(result.places.size());
    result.places.push_back(std::move(place));
  }
  return result;
}

bool accepts(Comfort comfort, Verdict verdict) {
  return comfort == Comfort::roomy ? verdict == Verdict::fits : verdict != Verdict::over;
}

}  // namespace meyasu
