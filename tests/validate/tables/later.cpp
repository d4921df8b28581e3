// Tables of readings that the library shows as a range. They are recognised, and every row is
// listed with the reason, so that nothing is dropped silently.
#include <string>

#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace overhead {
namespace {

bool is_overhead(const CsvTable& table) {
  return table.has_column("how_derived") && table.has_column("value_mib");
}

Evaluation none(const CsvTable& table) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    evaluation.unsupported.push_back({"line " + std::to_string(i + 2),
                                      {},
                                      {},
                                      "readings of what is shown as a range, not as one number"});
  }
  return evaluation;
}

}  // namespace
}  // namespace overhead

const TableEvaluator kOverhead = {
    "overhead", overhead::is_overhead,
    [](const CsvTable& table, ModelStore&) { return overhead::none(table); }};

}  // namespace validate
