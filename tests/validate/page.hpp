// The accuracy report of the site as data: what the page 精度 shows of a run.
#pragma once

#include <string>
#include <vector>

#include "tests/validate/output.hpp"

namespace validate {

/// {"edges_pct":[...],"rows","estimated","unsupported","all":F,
///  "tables":[{"file","rows","estimated","unsupported","all":F,
///  "groups":[{"component","set","unit","figures":F,"points":[...],"models":[F,...]}],
///  "models":[[name,F],...],"worst":[...],"reasons":[[n,text]],"notes"}]}
/// where F is [n, median, p95 and max of |error| in percent, share within 1 %, and signed errors
/// between the edges as pairs of bin and count (2 * edges + 1 bins; the middle one is "no error")],
/// for one row [1, |error|, share, bin], and n alone where there is no error at all. A group has an
/// F for each model of the table, 0 for those without rows in it. Points are [estimate, measured],
/// or one number where both are alike, in three digits; where a group has more than kMostPoints,
/// the largest errors and a sample that is even over the measured sizes. The same rows give the
/// same bytes.
[[nodiscard]] std::string as_page(const std::vector<TableResult>& results);

}  // namespace validate
