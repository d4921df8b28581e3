#include "tests/validate/csv.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace validate {
namespace {

std::vector<std::vector<std::string>> parse_records(std::string_view text) {
  std::vector<std::vector<std::string>> records;
  std::vector<std::string> record;
  std::string field;
  bool quoted = false;
  bool any = false;  // the record has at least one character or separator
  const auto end_field = [&] {
    record.push_back(std::move(field));
    field.clear();
  };
  const auto end_record = [&] {
    if (any) {
      end_field();
      records.push_back(std::move(record));
    }
    record.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char at = text[i];
    if (quoted) {
      if (at != '"') {
        field += at;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
      continue;
    }
    if (at == '\n') {
      end_record();
    } else if (at == '\r') {
      continue;
    } else {
      any = true;
      if (at == '"') {
        quoted = true;
      } else if (at == ',') {
        end_field();
      } else {
        field += at;
      }
    }
  }
  end_record();
  return records;
}

}  // namespace

CsvTable CsvTable::parse(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  CsvTable table;
  auto records = parse_records(text);
  if (records.empty()) return table;
  table.columns_ = std::move(records.front());
  records.erase(records.begin());
  table.rows_ = std::move(records);
  return table;
}

bool CsvTable::has_column(std::string_view name) const {
  return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
}

std::string_view CsvTable::field(std::size_t row, std::string_view column) const {
  const auto at = std::find(columns_.begin(), columns_.end(), column);
  const auto index = static_cast<std::size_t>(at - columns_.begin());
  return index < rows_[row].size() ? std::string_view(rows_[row][index]) : std::string_view();
}

double CsvRow::number(std::string_view column, double fallback) const {
  const std::string text((*this)[column]);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() ? fallback : value;
}

std::int64_t CsvRow::integer(std::string_view column, std::int64_t fallback) const {
  const std::string text((*this)[column]);
  char* end = nullptr;
  const std::int64_t value = std::strtoll(text.c_str(), &end, 10);
  return end == text.c_str() ? fallback : value;
}

}  // namespace validate
