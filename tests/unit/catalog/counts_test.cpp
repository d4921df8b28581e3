// Recomputes the parameter count of every catalog entry from its derived tensors.
#include <algorithm>
#include <array>
#include <catch_amalgamated.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/model/derive_tensors.hpp"

using namespace meyasu;

namespace {

struct Exception {
  const char* id;
  std::int64_t published_minus_computed;
  const char* reason;
};

// Published exact totals that the tensors do not give, and why.
constexpr std::array kExceptions = {
    Exception{"llm-jp/llm-jp-3-1.8b", -2 * 97 * 2048,
              "card counts 99,487 of 99,584 vocabulary rows"},
    Exception{"llm-jp/llm-jp-3-3.7b", -2 * 97 * 3072,
              "card counts 99,487 of 99,584 vocabulary rows"},
    Exception{"llm-jp/llm-jp-3-13b", -2 * 97 * 5120,
              "card counts 99,487 of 99,584 vocabulary rows"},
    Exception{"llm-jp/llm-jp-3-172b", -2 * 97 * 12288,
              "card counts 99,487 of 99,584 vocabulary rows"},
    Exception{"zai-org/glm-4-9b", 32, "total includes a rotary table of 32 values"},
    Exception{"moonshotai/Moonlight-16B-A3B", 27 * 64, "64 values per block beyond the weights"},
    Exception{"stabilityai/stablelm-base-alpha-3b", 2 * 147 * 4096,
              "card's total exceeds the tensors by 147 rows of token table and head"},
    Exception{"stabilityai/stablelm-base-alpha-7b", 2 * 49 * 6144,
              "card's total exceeds the tensors by 49 rows of token table and head"},
    Exception{"moonshotai/Kimi-K2-Instruct", 61 * 56, "56 values per block beyond the weights"},
    Exception{"swiss-ai/Apertus-8B-Instruct-2509", 32 * 2,
              "two scalars per block of the activation, which files hold as metadata"},
};

// Totals that the publisher rounds generously (or a name only), beyond 2 %.
constexpr std::array kCoarse = {
    "cyberagent/open-calm-3b", "moonshotai/Kimi-K2.5",
    "moonshotai/Kimi-K2.6",    "line-corporation/japanese-large-lm-3.6b",
    "matsuo-lab/weblab-10b",   "sbintuitions/sarashina2.2-3b-instruct-v0.1"};

const Catalog& catalog() {
  static const Result<Catalog> built_in = Catalog::built_in();
  REQUIRE(built_in.ok());
  return built_in.value();
}

std::vector<std::vector<std::string>> published_rows() {
  std::ifstream file(std::string(MEYASU_TESTS_DIR) + "/truth/model_counts.csv");
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> fields(5);
    std::istringstream stream(line);
    for (std::string& field : fields) std::getline(stream, field, ',');
    rows.push_back(fields);
  }
  rows.erase(rows.begin());
  return rows;
}

}  // namespace

TEST_CASE("every exact published total is reproduced to the unit, or the reason is listed",
          "[catalog][counts]") {
  std::size_t exact = 0;
  std::size_t excepted = 0;
  for (const CatalogEntry& entry : catalog().entries()) {
    if (!entry.params_exact) continue;
    INFO(entry.id);
    REQUIRE(entry.has_shape);
    const auto count = count_parameters(architecture_of(entry));
    REQUIRE(count.ok());
    const auto* exception = std::find_if(kExceptions.begin(), kExceptions.end(),
                                         [&](const Exception& e) { return e.id == entry.id; });
    const bool listed = exception != kExceptions.end();
    CHECK(entry.params_total - count.value().total ==
          (listed ? exception->published_minus_computed : 0));
    ++exact;
    excepted += listed ? 1 : 0;
  }
  CHECK(exact >= 280);
  CHECK(excepted == kExceptions.size());
}

TEST_CASE("rounded published totals agree with the tensors within their rounding",
          "[catalog][counts]") {
  for (const CatalogEntry& entry : catalog().entries()) {
    if (entry.params_exact || !entry.has_shape) continue;
    INFO(entry.id);
    const auto count = count_parameters(architecture_of(entry));
    REQUIRE(count.ok());
    const auto published = static_cast<double>(entry.params_total);
    const double off = std::abs(static_cast<double>(count.value().total) / published - 1);
    const bool coarse = std::find(kCoarse.begin(), kCoarse.end(), entry.id) != kCoarse.end();
    CHECK(off < (coarse ? 0.08 : 0.02));
  }
}

TEST_CASE("the catalog holds every published row with its total", "[catalog][counts]") {
  const auto rows = published_rows();
  REQUIRE(rows.size() == 276);
  // Rounded in the table, exact in the catalog: both totals fit the tensors with equal towers.
  const std::map<std::string, std::int64_t> corrected = {{"google/gemma-3n-E2B-it", 5439438272},
                                                         {"google/gemma-3n-E4B-it", 7849978192}};
  for (const auto& row : rows) {
    INFO(row[0]);
    const CatalogEntry* entry = catalog().find(row[0]);
    REQUIRE(entry != nullptr);
    CHECK(entry->id == row[0]);
    const auto found = corrected.find(row[0]);
    CHECK(entry->params_total == (found == corrected.end() ? std::stoll(row[1]) : found->second));
    if (row[2] == "exact") CHECK(entry->params_exact);
  }
}

TEST_CASE("language-model and active parameters equal independently computed ones",
          "[catalog][counts]") {
  int language = 0;
  int active = 0;
  for (const auto& row : published_rows()) {
    if (row[3].empty() && row[4].empty()) continue;
    INFO(row[0]);
    const auto count = count_parameters(architecture_of(*catalog().find(row[0])));
    REQUIRE(count.ok());
    if (!row[3].empty()) {
      CHECK(count.value().language == std::stoll(row[3]));
      ++language;
    }
    if (!row[4].empty()) {
      CHECK(count.value().active == std::stoll(row[4]));
      ++active;
    }
  }
  CHECK(language == 27);
  CHECK(active == 46);
}

TEST_CASE("a model of unknown shape shows its published count and no tensors", "[catalog]") {
  const CatalogEntry* entry = catalog().find("stockmark/stockmark-100b");
  REQUIRE(entry != nullptr);
  CHECK_FALSE(entry->has_shape);
  CHECK(entry->params_total == 100'000'000'000);
  CHECK(entry->confidence == Confidence::low);
  const auto model = model_of(*entry);
  REQUIRE(model.ok());
  CHECK(model.value().provenance == Provenance::count);
  CHECK(model.value().tensors.empty());
  CHECK(model.value().unknowns == std::vector<std::string>{"shape_unknown"});
}

TEST_CASE("every entry names its sources", "[catalog]") {
  for (const CatalogEntry& entry : catalog().entries()) {
    INFO(entry.id);
    CHECK_FALSE(entry.sources.empty());
    CHECK(entry.id.find('/') != std::string::npos);
  }
}

TEST_CASE("ids are found whatever their letter case, and names without their owner", "[catalog]") {
  REQUIRE(catalog().find("QWEN/qwen3-8b") != nullptr);
  CHECK(catalog().find("QWEN/qwen3-8b")->id == "Qwen/Qwen3-8B");
  REQUIRE(catalog().find("Qwen3-8B") != nullptr);
  CHECK(catalog().find("Qwen3-8B")->id == "Qwen/Qwen3-8B");
  CHECK(catalog().find("Qwen3-8") == nullptr);
}

TEST_CASE("the built-in catalog stays small enough for the single-file page", "[catalog]") {
  CHECK(built_in_catalog_json().size() < 76'800);
}

TEST_CASE("a damaged catalog is an error that names the entry", "[catalog]") {
  const auto error_of = [](std::string_view text) {
    const auto parsed = Catalog::parse(text);
    return parsed.ok() ? Error{} : parsed.error();
  };
  CHECK(error_of("{").code == "json_bad");
  CHECK(error_of("{}").detail == "families");
  CHECK(error_of(R"({"sources":{},"families":[{"family":"A","models":[
      {"id":"a/b","like":"a/c","params":1,"src":""}]}]})")
            .detail == "a/b");
  CHECK(error_of(R"({"sources":{},"families":[{"family":"A","models":[
      {"id":"a/b","type":"llama","params":1,"src":"nowhere"}]}]})")
            .detail == "a/b");
}
