#include "tests/validate/output.hpp"

#include <algorithm>
#include <map>

#include "tests/validate/text.hpp"

namespace validate {
namespace {

std::string component_of(const Comparison& comparison) {
  return comparison.component;
}
std::string model_of(const Comparison& comparison) {
  return comparison.model;
}
std::string set_and_component_of(const Comparison& comparison) {
  return comparison.set + " | " + comparison.component;
}

std::string json_group(const std::string& component, const Statistics& statistics) {
  return format(
      "{\"component\":%s,\"n\":%zu,\"median_abs_pct\":%.6g,\"p95_abs_pct\":%.6g,"
      "\"max_abs_pct\":%.6g,\"within_1pct\":%.6g}",
      json_string(component).c_str(), statistics.n, statistics.median_abs_pct,
      statistics.p95_abs_pct, statistics.max_abs_pct, statistics.within_1pct);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char at : text) {
    if (at == '"') quoted += '"';
    quoted += at;
  }
  return quoted + "\"";
}

std::string text_line(const std::string& name, const Statistics& statistics) {
  return format("  %-34s %6zu %10.4f %10.4f %10.4f %8.1f %%\n", name.c_str(), statistics.n,
                statistics.median_abs_pct, statistics.p95_abs_pct, statistics.max_abs_pct,
                100 * statistics.within_1pct);
}

std::string markdown_line(const std::string& name, const Statistics& statistics) {
  return format("| %s | %zu | %.3f | %.3f | %.3f | %.1f |\n", name.c_str(), statistics.n,
                statistics.median_abs_pct, statistics.p95_abs_pct, statistics.max_abs_pct,
                100 * statistics.within_1pct);
}

std::string markdown_table(const char* heading, const std::map<std::string, Statistics>& groups) {
  std::string text = format(
      "\n| %s | n | median %% | p95 %% | max %% | within 1 %% |\n|---|---|---|---|---|---|\n",
      heading);
  for (const auto& [name, statistics] : groups) text += markdown_line(name, statistics);
  return text;
}

std::map<std::string, std::size_t> reasons(const Evaluation& evaluation) {
  std::map<std::string, std::size_t> counts;
  for (const Unsupported& row : evaluation.unsupported) ++counts[row.reason];
  return counts;
}

bool has_sets(const Evaluation& evaluation) {
  return std::any_of(evaluation.comparisons.begin(), evaluation.comparisons.end(),
                     [](const Comparison& it) { return !it.set.empty(); });
}

std::string worst_rows(const Evaluation& evaluation) {
  constexpr std::size_t kShown = 15;
  std::vector<const Comparison*> rows;
  for (const Comparison& comparison : evaluation.comparisons) {
    if (comparison.error > 0) rows.push_back(&comparison);
  }
  if (rows.empty()) return {};
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Comparison* a, const Comparison* b) { return a->error > b->error; });
  if (rows.size() > kShown) rows.resize(kShown);
  std::string text =
      "\nLargest errors:\n\n| row | model | component | estimate | measured | error % |\n"
      "|---|---|---|---|---|---|\n";
  for (const Comparison* row : rows) {
    text += "| " + row->row_id + " | " + row->model + " | " + row->component +
            format(" | %.10g | %.10g | %.3f |\n", row->estimate, row->measured, 100 * row->error);
  }
  return text;
}

}  // namespace

std::string as_text(const std::vector<TableResult>& results) {
  std::string text;
  for (const TableResult& result : results) {
    const Evaluation& it = result.evaluation;
    text += format("\n%s: %zu rows, %zu estimated, %zu unsupported\n", result.file.c_str(), it.rows,
                   it.estimated, it.rows - it.estimated);
    text += format("  %-34s %6s %10s %10s %10s %10s\n", "component", "n", "median %", "p95 %",
                   "max %", "within 1%");
    for (const auto& [name, statistics] : statistics_by(it.comparisons, component_of)) {
      text += text_line(name, statistics);
    }
    text += text_line("all", statistics_of_all(it.comparisons));
    if (has_sets(it)) {
      for (const auto& [name, statistics] : statistics_by(it.comparisons, set_and_component_of)) {
        text += text_line(name, statistics);
      }
    }
    for (const std::string& note : it.notes) text += "  " + note + "\n";
    for (const auto& [reason, count] : reasons(it)) {
      text += format("  unsupported %6zu  ", count) + reason + "\n";
    }
  }
  return text;
}

std::string as_json(const std::vector<TableResult>& results) {
  std::string text = "{\"tables\":[";
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Evaluation& it = results[i].evaluation;
    if (i > 0) text += ",";
    text += "\n{\"file\":" + json_string(results[i].file) +
            format(",\"rows\":%zu,\"estimated\":%zu,\"unsupported\":%zu,\n \"groups\":[", it.rows,
                   it.estimated, it.rows - it.estimated);
    for (const auto& [name, statistics] : statistics_by(it.comparisons, component_of)) {
      text += "\n  " + json_group(name, statistics) + ",";
    }
    text += "\n  " + json_group("all", statistics_of_all(it.comparisons)) + "]}";
  }
  return text + "]}\n";
}

std::string as_csv_rows(const std::vector<TableResult>& results) {
  std::string text = "file,row,component,model,set,estimate,measured,error,terms,unsupported\n";
  for (const TableResult& result : results) {
    for (const Comparison& row : result.evaluation.comparisons) {
      for (const std::string& field :
           {result.file, row.row_id, row.component, row.model, row.set}) {
        text += csv_field(field) + ",";
      }
      text += format("%.17g,%.17g,%.9g,", row.estimate, row.measured, row.error) +
              csv_field(row.terms) + ",\n";
    }
    for (const Unsupported& row : result.evaluation.unsupported) {
      text += csv_field(result.file) + "," + csv_field(row.row_id) + "," +
              csv_field(row.component) + ",," + csv_field(row.set) + ",,,,," +
              csv_field(row.reason) + "\n";
    }
  }
  return text;
}

std::string as_markdown(const std::vector<TableResult>& results) {
  std::string text =
      "# Accuracy\n\n"
      "Estimates of the library beside measured figures, written by `scripts/validate`. The error "
      "of a row is |estimate - measured| / measured; where a table gives a rounded figure, a "
      "difference within half of its last printed digit is 0.\n";
  for (const TableResult& result : results) {
    const Evaluation& it = result.evaluation;
    text += "\n## " + result.file + "\n\n";
    text += format("%zu rows, %zu estimated, %zu unsupported.\n", it.rows, it.estimated,
                   it.rows - it.estimated);
    for (const std::string& note : it.notes) text += "\n" + note + ".\n";
    if (!it.comparisons.empty()) {
      text += markdown_table("component", statistics_by(it.comparisons, component_of));
      text += markdown_line("**all**", statistics_of_all(it.comparisons));
      if (has_sets(it)) {
        text += "\nBy part of the table:\n";
        // The key holds the column separator between part and component.
        std::string parts =
            markdown_table("part", statistics_by(it.comparisons, set_and_component_of));
        const std::string heading = "| part | n |";
        parts.replace(parts.find(heading), heading.size(), "| part | component | n |");
        parts.replace(parts.find("|---|"), 5, "|---|---|");
        text += parts;
      }
      text += "\nBy model:\n" + markdown_table("model", statistics_by(it.comparisons, model_of));
      text += worst_rows(it);
    }
    if (!it.unsupported.empty()) {
      text += "\nRows without an estimate:\n\n| rows | reason |\n|---|---|\n";
      for (const auto& [reason, count] : reasons(it)) {
        text += format("| %zu | ", count) + reason + " |\n";
      }
    }
  }
  return text;
}

}  // namespace validate
