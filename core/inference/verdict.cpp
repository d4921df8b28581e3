#include "core/inference/verdict.hpp"

namespace meyasu {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::fits:
      return "fits";
    case Verdict::tight:
      return "tight";
    case Verdict::over:
      return "over";
  }
  return "";
}

Verdict Fit::verdict() const {
  constexpr Bytes kReserveParts = 20;  // 5 %: what drivers and other programs vary by
  if (likely > usable) return Verdict::over;
  const bool roomy = high <= usable && margin() >= usable / kReserveParts;
  return roomy ? Verdict::fits : Verdict::tight;
}

}  // namespace meyasu
