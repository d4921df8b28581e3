// Comma separated tables with a header line, quoted as in RFC 4180.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace validate {

class CsvTable {
 public:
  /// A row with fewer fields than the header reads as if the rest were empty.
  static CsvTable parse(std::string_view text);

  [[nodiscard]] bool has_column(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// The field, or "" if there is no such column.
  [[nodiscard]] std::string_view field(std::size_t row, std::string_view column) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// One row of a table, for evaluators.
class CsvRow {
 public:
  CsvRow(const CsvTable& table, std::size_t index) : table_(&table), index_(index) {}

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] std::string_view operator[](std::string_view column) const {
    return table_->field(index_, column);
  }
  /// The number in that column, or `fallback` if it is empty or no number.
  [[nodiscard]] double number(std::string_view column, double fallback = 0) const;
  [[nodiscard]] std::int64_t integer(std::string_view column, std::int64_t fallback = 0) const;

 private:
  const CsvTable* table_;
  std::size_t index_;
};

}  // namespace validate
