// The regular expressions of `-ot` (--override-tensor), without std::regex: matching takes time
// linear in the name whatever the pattern, and a bad pattern is a value, not an exception.
//
// Understood (ECMAScript syntax, as the runtime's std::regex_search reads it): literals, `.`,
// classes `[a-z0-9_]` and `[^...]`, escapes `\d \D \w \W \s \S` and escaped punctuation, groups
// `( )` and `(?: )`, alternation `|`, `* + ?` and `{m} {m,} {m,n}` (a lazy `?` after them changes
// nothing here), anchors `^ $`. Refused: back-references, look-ahead, `\b`, POSIX classes.
#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "core/units/result.hpp"

namespace meyasu {

class WeightPattern {
 public:
  /// Error code `override_pattern`; its detail is the position of the first character not
  /// understood.
  static Result<WeightPattern> compile(std::string_view pattern);

  /// Whether some part of `name` matches.
  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  friend class PatternParser;
  enum class Op : unsigned char { chars, split, jump, begin, end, match };
  struct Step {
    Op op = Op::match;
    int first = 0;   // index of the next step; for chars: of the class
    int second = 0;  // second choice of a split
  };
  void follow(int step, std::size_t position, std::size_t length, std::vector<int>& list,
              std::vector<std::size_t>& seen) const;

  std::vector<Step> steps_;
  std::vector<std::bitset<256>> classes_;
};

}  // namespace meyasu
