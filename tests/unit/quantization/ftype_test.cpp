#include "core/quantization/ftype.hpp"

#include <catch_amalgamated.hpp>

using namespace meyasu;

TEST_CASE("every mix round-trips through its file type and its name") {
  std::size_t known = 0;
  for (std::uint32_t id = 0; id < 256; ++id) {
    const auto ftype = ftype_from_id(id);
    if (!ftype) continue;
    ++known;
    const FtypeInfo& info = ftype_info(*ftype);
    CHECK(static_cast<std::uint32_t>(info.ftype) == id);
    CHECK(ftype_from_name(info.name) == ftype);
  }
  CHECK(known == all_ftypes().size());
}

TEST_CASE("file types that llama.cpp removed, and unknown ones, are refused") {
  for (const std::uint32_t id : {4U, 5U, 6U, 33U, 34U, 35U, 255U}) {
    CHECK_FALSE(ftype_from_id(id).has_value());
  }
}

TEST_CASE("mixes are known by the short names and by those of load logs") {
  CHECK(ftype_from_name("q4_k") == Ftype::Q4_K_M);
  CHECK(ftype_from_name("Q3_K") == Ftype::Q3_K_M);
  CHECK(ftype_from_name("Q5_K - Small") == Ftype::Q5_K_S);
  CHECK(ftype_from_name("Q4_0_8_8") == Ftype::Q4_0);
  CHECK(ftype_from_name("f16") == Ftype::F16);
  CHECK_FALSE(ftype_from_name("Q4_K_XXL").has_value());
}
