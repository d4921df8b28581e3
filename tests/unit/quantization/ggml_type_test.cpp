#include "core/quantization/ggml_type.hpp"

#include <catch_amalgamated.hpp>

using namespace meyasu;

TEST_CASE("every ggml type round-trips through its id and its name") {
  CHECK(ggml_type_from_id(12) == GgmlType::Q4_K);
  for (std::uint32_t id = 0; id < 256; ++id) {
    const auto type = ggml_type_from_id(id);
    if (!type) continue;
    CHECK(static_cast<std::uint32_t>(*type) == id);
    CHECK(ggml_type_from_name(ggml_type_name(*type)) == type);
  }
}

TEST_CASE("retired and unknown type ids are refused") {
  for (const std::uint32_t id : {4U, 5U, 31U, 32U, 33U, 36U, 37U, 38U, 255U}) {
    CHECK_FALSE(ggml_type_from_id(id).has_value());
  }
}

TEST_CASE("a row of blocks has the bytes of its blocks") {
  CHECK(row_bytes(GgmlType::Q4_K, 4096) == Bytes{16} * 144);
  CHECK(row_bytes(GgmlType::F16, 3) == 6);
  CHECK(row_bytes(GgmlType::MXFP4, 2880) == Bytes{90} * 17);
}
