// The published conformance vectors are what this library computes.
#include "tests/vectors/vectors.hpp"

#include <catch_amalgamated.hpp>

#include "tests/unit/readers/gguf_bytes.hpp"

TEST_CASE("conformance vectors", "[vectors]") {
  for (const std::string_view file : meyasu::vectors::kFiles) {
    INFO(file);
    const auto bytes = meyasu::testing::read_test_file("vectors/" + std::string(file) + ".json");
    const std::string published(bytes.begin(), bytes.end());
    const std::string computed = meyasu::vectors::text_of(file);
    CHECK(computed.size() > 1000);
    CHECK(published == computed);
  }
}
