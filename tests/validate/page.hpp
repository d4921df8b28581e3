// The accuracy report of the site as data: what the page 精度 shows of a run.
#pragma once

#include <string>
#include <vector>

#include "tests/validate/output.hpp"

namespace validate {

/// {"edges_pct":[...],"rows","estimated","unsupported","all":G,
///  "tables":[{"file","rows","estimated","unsupported","all":G,
///  "groups":[{"component","set","unit","figures":G,"points":[...]}],"models":[[name,...G]],
///  "cells":[[group,model,n] | [group,model,...G]],"worst":[...],"reasons":[[n,text]],"notes"}]}
/// where G is [n, median, p95 and max of |error| in percent, share within 1 %, and
/// signed errors between the edges as pairs of bin and count (2 * edges + 1 bins; the middle one is
/// "no error")].
/// A cell of three numbers has no error at all. Points are [estimate, measured], or one number
/// where both are alike, in three digits; where a group has more than kMostPoints, the largest
/// errors and a sample that is even over the measured sizes. The same rows give the same bytes.
[[nodiscard]] std::string as_page(const std::vector<TableResult>& results);

}  // namespace validate
