// The answers of a run as text, JSON, CSV and Markdown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/validate/evaluation.hpp"

namespace validate {

struct TableResult {
  std::string file;       // without its folder
  std::string_view kind;  // TableEvaluator::name
  Evaluation evaluation;
};

[[nodiscard]] std::string as_text(const std::vector<TableResult>& results);
/// {"tables":[{"file","rows","estimated","unsupported","groups":[{"component","n",
/// "median_abs_pct","p95_abs_pct","max_abs_pct","within_1pct"}]}]}; the last group is "all".
[[nodiscard]] std::string as_json(const std::vector<TableResult>& results);
/// Columns: file, row, component, model, set, estimate, measured, error, terms, unsupported.
[[nodiscard]] std::string as_csv_rows(const std::vector<TableResult>& results);
/// The accuracy report: per table the groups, the parts of the table, the models, the worst rows
/// and the reasons for rows without an estimate.
[[nodiscard]] std::string as_markdown(const std::vector<TableResult>& results);

}  // namespace validate
