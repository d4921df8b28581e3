// The measured tables in tests/truth and the header-only GGUF files beside them, for these tests.
#pragma once

#include <catch_amalgamated.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/readers/gguf_header.hpp"
#include "core/readers/gguf_model.hpp"

namespace meyasu::truth {

/// One row of a table: column name -> text.
using Row = std::map<std::string, std::string>;

inline std::vector<std::string> split_csv_line(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

/// The rows of tests/truth/`file` whose `component` is `component`.
inline std::vector<Row> rows(const std::string& file, const std::string& component) {
  std::ifstream in(std::string(MEYASU_TESTS_DIR) + "/truth/" + file);
  REQUIRE(in.good());
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> columns = split_csv_line(line);
  std::vector<Row> found;
  while (std::getline(in, line)) {
    if (line.find(component) == std::string::npos) continue;
    const std::vector<std::string> cells = split_csv_line(line);
    Row row;
    for (std::size_t i = 0; i < columns.size() && i < cells.size(); ++i) row[columns[i]] = cells[i];
    if (row["component"] == component) found.push_back(std::move(row));
  }
  return found;
}

/// The number after "KEY=" in a note.
inline double number_in(const std::string& note, const std::string& key) {
  const std::size_t at = note.find(key + "=");
  return at == std::string::npos ? -1 : std::strtod(note.c_str() + at + key.size() + 1, nullptr);
}

inline Model read_model(const std::string& name) {
  std::ifstream in(std::string(MEYASU_TESTS_DIR) + "/truth/gguf/" + name + ".gguf",
                   std::ios::binary);
  INFO(name);
  REQUIRE(in.good());
  const std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  GgufReader reader(static_cast<std::int64_t>(file.size()));
  while (!reader.finished()) {
    const ByteRange range = reader.need();
    reader.feed({bytes + range.offset, static_cast<std::size_t>(range.length)});
  }
  const auto header = reader.take();
  REQUIRE(header.ok());
  auto model = model_from_gguf(header.value());
  REQUIRE(model.ok());
  return std::move(model.value());
}

/// Each header is read once.
class Models {
 public:
  const Model& operator[](const std::string& name) {
    const auto found = models_.find(name);
    return found != models_.end() ? found->second
                                  : models_.emplace(name, read_model(name)).first->second;
  }

 private:
  std::map<std::string, Model> models_;
};

}  // namespace meyasu::truth
