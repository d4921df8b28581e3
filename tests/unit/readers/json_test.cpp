#include "core/readers/json.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>
#include <string>

using namespace meyasu;

namespace {

std::string line_of_error(const std::string& text, const JsonLimits& limits = {}) {
  const Result<JsonValue> result = parse_json(text, "config", limits);
  if (result.ok()) return "no error";
  CHECK(result.error().code == "json_bad");
  CHECK(result.error().field == "config");
  return result.error().detail;
}

}  // namespace

TEST_CASE("a JSON object keeps its members, kinds and order", "[json]") {
  const auto parsed = parse_json(
      R"({"b": 1, "a": [true, null, "x\u3042"], "f": 1e-06, "big": 9223372036854775807})");
  REQUIRE(parsed.ok());
  const JsonValue& root = parsed.value();
  REQUIRE(root.is_object());
  CHECK(root.keys() == std::vector<std::string>{"b", "a", "f", "big"});
  CHECK(root.find("b")->as_integer() == 1);
  CHECK(root.find("a")->items()[0].as_bool() == true);
  CHECK(root.find("a")->items()[1].is_null());
  CHECK(root.find("a")->items()[2].text() == "xあ");
  CHECK(root.find("f")->as_double() == 1e-06);
  CHECK(root.find("f")->as_integer() == std::nullopt);
  CHECK(root.find("big")->as_integer() == INT64_MAX);
  CHECK(root.find("missing") == nullptr);
}

TEST_CASE("whole numbers are exact only when written as integers within 64 bits", "[json]") {
  const auto parsed = parse_json("[4096.0, 1e6, 9223372036854775808, -9223372036854775808, 0.5]");
  REQUIRE(parsed.ok());
  const auto& items = parsed.value().items();
  CHECK_FALSE(items[0].is_exact_integer());
  CHECK(items[0].as_integer() == 4096);
  CHECK(items[1].as_integer() == 1000000);
  CHECK(items[2].as_integer() == std::nullopt);
  CHECK(items[2].as_double() == 9223372036854775808.0);
  CHECK(items[3].as_integer() == INT64_MIN);
  CHECK(items[4].as_integer() == std::nullopt);
}

TEST_CASE("Python's NaN and Infinity are numbers", "[json]") {
  const auto parsed = parse_json("[NaN, Infinity, -Infinity]");
  REQUIRE(parsed.ok());
  CHECK(std::isnan(*parsed.value().items()[0].as_double()));
  CHECK(std::isinf(*parsed.value().items()[2].as_double()));
  CHECK(parsed.value().items()[1].as_integer() == std::nullopt);
}

TEST_CASE("a JSON error names its line", "[json]") {
  CHECK(line_of_error("{\"a\": 1,\n \"b\": }") == "2");
  CHECK(line_of_error("") == "1");
  CHECK(line_of_error("{} x") == "1");
  CHECK(line_of_error(std::string("{}\n\0{}", 6)) == "2");
  CHECK(line_of_error("{\"a\": \"\xff\"}") == "1");
  CHECK(line_of_error("[1e999]") == "1");
}

TEST_CASE("duplicate keys are refused", "[json]") {
  CHECK(line_of_error("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}") == "3");
  CHECK(parse_json(R"({"a": {"a": 1}, "b": {"a": 1}})").ok());
}

TEST_CASE("JSON beyond its limits is refused", "[json]") {
  CHECK(line_of_error(std::string(10'000'000, '[')) == "1");
  CHECK(line_of_error(std::string(65, '[') + std::string(65, ']')) == "1");
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']')).ok());
  CHECK(line_of_error("[1,2,\n3]", {.depth = 4, .values = 2, .string_bytes = 10}) == "2");
  CHECK(line_of_error("[\"12345\", \"123456\"]", {.depth = 4, .values = 9, .string_bytes = 10}) ==
        "1");
}
