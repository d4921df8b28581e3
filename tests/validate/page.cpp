#include "tests/validate/page.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "core/units/bytes.hpp"
#include "tests/validate/text.hpp"

namespace validate {
namespace {

/// Between these, in percent, errors are counted; the first bin each side of 0 is "above 0".
constexpr std::array<double, 6> kEdgesPct = {0, 0.1, 1, 5, 10, 25};
constexpr std::size_t kBins = 2 * kEdgesPct.size() + 1;
constexpr std::size_t kMostPoints = 48;
constexpr std::size_t kWorstPoints = 16;
constexpr std::size_t kExactPoints = 12;  // on the diagonal: enough to show how far it goes
constexpr std::size_t kWorstRows = 8;

struct Unit {
  const char* name;  // "B", "tok/s", "bpw", "count"; empty: not one unit
  double scale;      // what one of the table's units is
};

Unit unit_of(std::string_view kind, std::string_view component) {
  if (kind == "throughput") return {"tok/s", 1};
  if (kind == "flexgen") return {"", 1};
  if (component == "tensor_bytes_bpw") return {"bpw", 1};
  if (kind == "llamacpp_wild") return {"B", static_cast<double>(meyasu::kMiB)};
  if (component.starts_with("graph_")) return {"count", 1};
  if (kind != "serving") return {"B", 1};
  const bool tokens =
      component == "kv_tokens" || component == "kv_blocks" || component == "max_concurrency";
  return tokens ? Unit{"count", 1} : Unit{"B", static_cast<double>(meyasu::kGiB)};
}

using Rows = std::vector<const Comparison*>;

std::size_t bin_of(const Comparison& row) {
  const auto last = std::lower_bound(kEdgesPct.begin(), kEdgesPct.end(), 100 * row.error);
  const auto distance = static_cast<std::size_t>(last - kEdgesPct.begin());
  return row.estimate < row.measured ? kEdgesPct.size() - distance : kEdgesPct.size() + distance;
}

bool all_exact(const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Comparison* it) { return it->error == 0; });
}

/// What page.hpp calls F.
std::string figures(const Rows& rows) {
  if (all_exact(rows)) return format("%zu", rows.size());
  std::vector<double> errors;
  std::array<std::size_t, kBins> bins{};
  for (const Comparison* row : rows) {
    errors.push_back(row->error);
    ++bins[bin_of(*row)];
  }
  const Statistics s = statistics_of(std::move(errors));
  if (s.n == 1) {
    return format("[1,%.3g,%g,%zu]", s.max_abs_pct, s.within_1pct, bin_of(*rows[0]));
  }
  std::string text = format("[%zu,%.3g,%.3g,%.3g,%.4g,[", s.n, s.median_abs_pct, s.p95_abs_pct,
                            s.max_abs_pct, s.within_1pct);
  const std::size_t start = text.size();
  for (std::size_t i = 0; i < kBins; ++i) {
    if (bins[i] > 0) text += format(text.size() == start ? "%zu,%zu" : ",%zu,%zu", i, bins[i]);
  }
  return text + "]]";
}

/// Three digits, as short as JSON allows: "5.03e7".
std::string three_digits(double value) {
  std::string text = format("%.3g", value);
  if (const std::size_t at = text.find("e+"); at != std::string::npos) {
    text.erase(at + 1, text[at + 2] == '0' ? 2 : 1);
  }
  return text;
}

/// Both figures in three digits, "[estimate,measured]" or one of them where there is no error.
std::string point(const Comparison& row, double scale) {
  std::string measured = three_digits(row.measured * scale);
  if (row.error == 0) return measured;
  return "[" + three_digits(row.estimate * scale) + "," + measured + "]";
}

std::string points_of(Rows rows, double scale) {
  // Axes are logarithmic: what is 0 has no place on them.
  std::erase_if(rows, [](const Comparison* it) { return it->measured <= 0 || it->estimate <= 0; });
  std::vector<std::string> shown;
  const auto add = [&](const Comparison& row) {
    std::string text = point(row, scale);
    if (std::find(shown.begin(), shown.end(), text) == shown.end())
      shown.push_back(std::move(text));
  };
  const bool exact = all_exact(rows);
  if (rows.size() > (exact ? kExactPoints : kMostPoints)) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Comparison* a, const Comparison* b) { return a->error > b->error; });
    for (std::size_t i = 0; i < kWorstPoints && rows[i]->error > 0; ++i) add(*rows[i]);
    std::stable_sort(rows.begin(), rows.end(), [](const Comparison* a, const Comparison* b) {
      return a->measured < b->measured;
    });
    const std::size_t even = exact ? kExactPoints : kMostPoints - kWorstPoints;
    for (std::size_t i = 0; i < even; ++i) add(*rows[i * (rows.size() - 1) / (even - 1)]);
  } else {
    for (const Comparison* row : rows) add(*row);
  }
  std::string text = "[";
  for (const std::string& it : shown) text += (text.size() > 1 ? "," : "") + it;
  return text + "]";
}

std::string worst_of(const Evaluation& evaluation, std::string_view kind) {
  Rows rows;
  for (const Comparison& row : evaluation.comparisons) {
    if (row.error > 0) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Comparison* a, const Comparison* b) { return a->error > b->error; });
  if (rows.size() > kWorstRows) rows.resize(kWorstRows);
  std::string text = "[";
  for (const Comparison* row : rows) {
    const Unit unit = unit_of(kind, row->component);
    text += text.size() > 1 ? ",\n  " : "\n  ";
    text += "[" + json_string(row->row_id) + "," + json_string(row->model) + "," +
            json_string(row->component) +
            format(",%.4g,%.4g,%.3g,", row->estimate * unit.scale, row->measured * unit.scale,
                   100 * row->error) +
            json_string(unit.name) + "]";
  }
  return text + "]";
}

std::string reasons_of(const Evaluation& evaluation) {
  std::map<std::string, std::size_t> counts;
  for (const Unsupported& row : evaluation.unsupported) ++counts[row.reason];
  std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text = "[";
  for (const auto& [reason, count] : sorted) {
    text += format(text.size() > 1 ? ",\n  [%zu," : "\n  [%zu,", count) + json_string(reason) + "]";
  }
  return text + "]";
}

std::string table_of(const TableResult& result) {
  const Evaluation& it = result.evaluation;
  std::map<std::pair<std::string, std::string>, Rows> groups;  // by set and component
  std::map<std::string, Rows> models;
  Rows all;
  for (const Comparison& row : it.comparisons) {
    groups[{row.set, row.component}].push_back(&row);
    models[row.model].push_back(&row);
    all.push_back(&row);
  }
  std::string text =
      "{\"file\":" + json_string(result.file) +
      format(",\"rows\":%zu,\"estimated\":%zu,\"unsupported\":%zu,\n \"all\":", it.rows,
             it.estimated, it.rows - it.estimated) +
      figures(all) + ",\n \"groups\":[";
  bool first = true;
  for (const auto& [key, rows] : groups) {
    const Unit unit = unit_of(result.kind, key.second);
    text += first ? "\n  " : ",\n  ";
    first = false;
    text += "{\"component\":" + json_string(key.second) + ",\"set\":" + json_string(key.first) +
            ",\"unit\":" + json_string(unit.name) + ",\"figures\":" + figures(rows) +
            ",\n   \"points\":" + points_of(rows, unit.scale) + ",\n   \"models\":[";
    for (const auto& entry : models) {
      Rows both;
      std::copy_if(rows.begin(), rows.end(), std::back_inserter(both),
                   [&](const Comparison* row) { return row->model == entry.first; });
      text += (text.back() == '[' ? "" : ",") + figures(both);
    }
    text += "]}";
  }
  text += "],\n \"models\":[";
  first = true;
  for (const auto& [name, rows] : models) {
    text += (first ? "\n  [" : ",\n  [") + json_string(name) + "," + figures(rows) + "]";
    first = false;
  }
  text += "],\n \"worst\":" + worst_of(it, result.kind) + ",\n \"reasons\":" + reasons_of(it) +
          ",\n \"notes\":[";
  first = true;
  for (const std::string& note : it.notes) {
    text += (first ? "" : ",") + json_string(note);
    first = false;
  }
  return text + "]}";
}

}  // namespace

std::string as_page(const std::vector<TableResult>& results) {
  std::string text = "{\"edges_pct\":[";
  for (std::size_t i = 0; i < kEdgesPct.size(); ++i) {
    text += format(i == 0 ? "%g" : ",%g", kEdgesPct[i]);
  }
  std::size_t rows = 0;
  std::size_t estimated = 0;
  Rows all;
  for (const TableResult& result : results) {
    rows += result.evaluation.rows;
    estimated += result.evaluation.estimated;
    for (const Comparison& row : result.evaluation.comparisons) all.push_back(&row);
  }
  text += format("],\n\"rows\":%zu,\"estimated\":%zu,\"unsupported\":%zu,\"all\":", rows, estimated,
                 rows - estimated);
  text += figures(all) + ",\n\"tables\":[";
  for (std::size_t i = 0; i < results.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + table_of(results[i]);
  }
  return text + "\n]}\n";
}

}  // namespace validate
