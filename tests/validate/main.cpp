// scripts/validate: runs tables of measurements through the estimation library and says how far
// the estimates are off. See usage() for the arguments.
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/validate/baseline.hpp"
#include "tests/validate/output.hpp"
#include "tests/validate/page.hpp"
#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace {

constexpr std::string_view kUsage =
    R"(usage: validate TABLE.csv... [--headers DIR] [--json OUT] [--rows OUT.csv] [--report OUT.md]
                [--check BASELINE.json] [--record BASELINE.json]
                [--check-page PAGE.json] [--page PAGE.json]

Compares measured figures with the estimates of the library, by the columns of the tables:
llamacpp_truth, llamacpp_more, llamacpp_wild, serving, training, activations, step_peaks, flexgen, throughput.

  --headers DIR   header-only GGUF files, one per model name (MODEL.gguf)
  --json OUT      statistics per table and component
  --rows OUT.csv  one line per comparison, and the reason for every row without one
  --report OUT.md the same as a page for readers
  --check FILE    fail if a group is worse than recorded in FILE
  --record FILE   write the figures of this run as the new record
  --page FILE     what the site's page about accuracy shows of this run
  --check-page FILE  fail if FILE is not what --page would write
)";

struct Arguments {
  std::vector<std::string> tables;
  std::string headers, json, rows, report, check, record, page, check_page;
};

/// Nothing but a message on stderr if the arguments make no sense.
bool parse_arguments(int count, char** values, Arguments& arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = values[i];
    std::string* target = nullptr;
    if (argument == "--headers") target = &arguments.headers;
    if (argument == "--json") target = &arguments.json;
    if (argument == "--rows") target = &arguments.rows;
    if (argument == "--report") target = &arguments.report;
    if (argument == "--check") target = &arguments.check;
    if (argument == "--record") target = &arguments.record;
    if (argument == "--page") target = &arguments.page;
    if (argument == "--check-page") target = &arguments.check_page;
    if (target != nullptr) {
      if (i + 1 == count) {
        std::fprintf(stderr, "error: %s needs a value\n", values[i]);
        return false;
      }
      *target = values[++i];
    } else if (argument.substr(0, 1) == "-") {
      std::fprintf(stderr, "error: unknown option %s\n", values[i]);
      return false;
    } else {
      arguments.tables.emplace_back(argument);
    }
  }
  if (arguments.tables.empty()) {
    std::fprintf(stderr, "error: no table given\n");
    return false;
  }
  return true;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  std::fprintf(stderr, "error: cannot write %s\n", path.c_str());
  return false;
}

int cannot_read(const std::string& path) {
  std::fprintf(stderr, "error: cannot read %s\n", path.c_str());
  return 2;
}

std::string file_name(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

int run(const Arguments& arguments) {
  ModelStore models(arguments.headers);
  std::vector<TableResult> results;
  for (const std::string& path : arguments.tables) {
    const auto text = read_file(path);
    if (!text) return cannot_read(path);
    const CsvTable table = CsvTable::parse(*text);
    const TableEvaluator* evaluator = recognise(table);
    if (evaluator == nullptr) {
      std::fprintf(stderr, "error: %s has none of the column sets that are known\n", path.c_str());
      return 2;
    }
    results.push_back({file_name(path), evaluator->name, evaluator->evaluate(table, models)});
  }

  std::fputs(as_text(results).c_str(), stdout);
  bool written = true;
  if (!arguments.json.empty()) written &= write_file(arguments.json, as_json(results));
  if (!arguments.rows.empty()) written &= write_file(arguments.rows, as_csv_rows(results));
  if (!arguments.report.empty()) written &= write_file(arguments.report, as_markdown(results));
  if (!arguments.record.empty()) written &= write_file(arguments.record, as_baseline(results));
  if (!arguments.page.empty()) written &= write_file(arguments.page, as_page(results));
  if (!written) return 2;

  std::size_t passed = 0;
  std::size_t failed = 0;
  if (!arguments.check.empty()) {
    const auto text = read_file(arguments.check);
    if (!text) return cannot_read(arguments.check);
    const CheckResult check = check_against(*text, results);
    for (const std::string& line : check.failures) std::printf("worse: %s\n", line.c_str());
    passed += static_cast<std::size_t>(check.passed);
    failed += check.failures.size();
  }
  if (!arguments.check_page.empty()) {
    const auto text = read_file(arguments.check_page);
    if (!text) return cannot_read(arguments.check_page);
    const bool same = *text == as_page(results);
    if (!same)
      std::printf("stale: %s is of another run; if that is right: scripts/validate --update\n",
                  arguments.check_page.c_str());
    (same ? passed : failed) += 1;
  }
  if (passed + failed > 0) std::printf("\n%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace validate

int main(int count, char** values) {
  validate::Arguments arguments;
  if (!validate::parse_arguments(count, values, arguments)) {
    std::fputs(validate::kUsage.data(), stderr);
    return 2;
  }
  return validate::run(arguments);
}
