#include "core/readers/safetensors_header.hpp"

#include <catch_amalgamated.hpp>

#include "tests/unit/readers/safetensors_bytes.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

constexpr std::string_view kTwoTensors =
    R"({"__metadata__":{"format":"pt"},)"
    R"("b.weight":{"dtype":"BF16","shape":[3,4],"data_offsets":[8,32]},)"
    R"("a.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   )";

Result<SafetensorsHeader> read_one(std::string_view dtype, std::string_view shape,
                                   std::string_view offsets, std::int64_t data) {
  return read_json(std::string(R"({"t":{"dtype":")") + std::string(dtype) + R"(","shape":)" +
                       std::string(shape) + R"(,"data_offsets":)" + std::string(offsets) + "}}",
                   data);
}

SafetensorsShard shard(std::string file_name, const std::string& tensor) {
  const std::string json =
      R"({")" + tensor + R"(":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})";
  return {std::move(file_name), read_json(json, 8).value()};
}

}  // namespace

TEST_CASE("a safetensors header gives tensors in the order of the data") {
  for (const std::int64_t piece : {1, 3, 7, 8, 9, 64, 1 << 20}) {
    CAPTURE(piece);
    const auto result = read_json(kTwoTensors, 32, piece);
    REQUIRE(result.ok());
    const SafetensorsHeader& header = result.value();
    REQUIRE(header.tensors.size() == 2);
    CHECK(header.tensors[0].name == "a.bias");
    CHECK(header.tensors[0].dtype == SafetensorsDtype::F32);
    CHECK(header.tensors[1].shape == std::vector<std::int64_t>{3, 4});
    CHECK(header.tensors[1].elements == 12);
    CHECK(header.tensors[1].bytes == 24);
    CHECK(header.metadata == std::vector<std::pair<std::string, std::string>>{{"format", "pt"}});
    CHECK(header.data_needed == 32);
    CHECK(header.header_size == static_cast<std::int64_t>(kTwoTensors.size()) + 8);
    CHECK_FALSE(header.finding().has_value());
  }
}

TEST_CASE("every dtype has its size, also those below a byte") {
  const std::pair<std::string_view, int> bits[] = {
      {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
      {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
      {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
      {"I64", 64},        {"U64", 64}};
  for (const auto& [name, size] : bits) {
    CAPTURE(name);
    const auto dtype = safetensors_dtype(name);
    REQUIRE(dtype.has_value());
    CHECK(safetensors_dtype_name(*dtype) == name);
    CHECK(safetensors_dtype_bits(*dtype) == size);
    const int bytes = 16 * size / 8;
    CHECK(read_one(name, "[16]", "[0," + std::to_string(bytes) + "]", bytes).ok());
  }
  CHECK(read_one("F4", "[3]", "[0,2]", 2).error().code == "damaged");  // half a byte
  CHECK(read_one("F128", "[1]", "[0,16]", 16).error() == Error{"st_dtype", "safetensors", "F128"});
  CHECK(read_one("F32", "[]", "[0,4]", 4).value().tensors[0].elements == 1);
  CHECK(read_one("F32", "[0,5]", "[0,0]", 0).value().tensors[0].bytes == 0);
}

TEST_CASE("a shortened file is told from a damaged one") {
  const std::string file = safetensors_bytes(kTwoTensors);
  const auto size = static_cast<std::int64_t>(file.size());
  for (std::int64_t cut = 8; cut < size; ++cut) {
    const auto result = read_safetensors(file.substr(0, static_cast<std::size_t>(cut)), cut);
    if (result.ok() || result.error().code != "truncated") FAIL("cut at " << cut);
  }
  const auto in_data = read_json(kTwoTensors, 20);
  REQUIRE(in_data.ok());
  CHECK(in_data.value().finding() == Error{"truncated", "safetensors", "12"});
  const auto header_only = read_json(kTwoTensors, 0);
  REQUIRE(header_only.ok());
  CHECK(header_only.value().header_only());
  CHECK_FALSE(header_only.value().finding().has_value());
  // The source ends before its announced size.
  CHECK(read_safetensors(file.substr(0, 20), size).error() ==
        Error{"truncated", "safetensors", "20"});
  // Data that no tensor owns.
  CHECK(read_json(kTwoTensors, 40).error() ==
        Error{"damaged", "safetensors", std::to_string(size + 32)});
}

TEST_CASE("lengths beyond the format's bound and other files are no header") {
  const auto code = [](std::string_view file, std::int64_t size) {
    return read_safetensors(file, size).error().code;
  };
  CHECK(code("", 0) == "st_header");
  CHECK(code("1234567", 7) == "st_header");
  CHECK(code(std::string_view("GGUF\3\0\0\0{", 9), 1 << 20) == "st_header");
  CHECK(code(std::string_view("\0\0\0\0\0\0\0\0{}", 10), 10) == "st_header");
  CHECK(code(std::string_view("\1\xe1\xf5\5\0\0\0\0{", 9), 1 << 30) == "st_header");  // 100000001
  CHECK(code(std::string_view("\0\xe1\xf5\5\0\0\0\0{", 9), 1 << 20) == "truncated");
  CHECK(code(std::string_view("\xff\xff\xff\xff\xff\xff\xff\x7f{", 9), 1 << 20) == "st_header");
  CHECK(code(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff{", 9), 1 << 20) == "st_header");
  CHECK(code(safetensors_bytes("[1,2]"), 13) == "st_header");
  CHECK(read_json("{\n\n\"a\":}", 0).error() == Error{"json_bad", "safetensors", "3"});
}

TEST_CASE("members that are not tensors are named") {
  const auto error_of = [](std::string_view member) {
    return read_json(R"({"bad":)" + std::string(member) + "}", 0).error();
  };
  const Error bad{"st_header", "safetensors", "bad"};
  CHECK(error_of("1") == bad);
  CHECK(error_of("[]") == bad);
  CHECK(error_of(R"({"dtype":"F32"})") == bad);
  CHECK(error_of(R"({"dtype":5,"shape":[1],"data_offsets":[0,4]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[1],"data_offsets":[0]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]})") == bad);
  CHECK(error_of(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)"
                 R"("data_offsets":[0,4]})") == bad);
  CHECK(read_json(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                  R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                  8)
            .error()
            .code == "json_bad");
}

TEST_CASE("offsets that overlap, leave gaps or contradict the shape are damage") {
  const auto two = [](std::string_view first, std::string_view second) {
    const std::string json =
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + std::string(first) +
        R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)" + std::string(second) + "}}";
    const auto result = read_json(json, 16);
    return result.ok() ? "ok" : result.error().code;
  };
  CHECK(two("[0,8]", "[8,16]") == "ok");
  CHECK(two("[8,16]", "[0,8]") == "ok");
  CHECK(two("[0,8]", "[0,8]") == "damaged");
  CHECK(two("[0,8]", "[4,12]") == "damaged");
  CHECK(two("[0,8]", "[12,20]") == "damaged");
  CHECK(two("[0,8]", "[8,12]") == "damaged");
  CHECK(two("[0,8]", "[16,8]") == "damaged");
  CHECK(read_one("F32", "[4294967296,4294967296]", "[0,4]", 4).error().code == "damaged");
  CHECK(read_one("F64", "[2305843009213693952]", "[0,4]", 4).error().code == "damaged");
}

TEST_CASE("shards with an index become one header") {
  const auto index = parse_safetensors_index(
      R"({"metadata":{"total_size":16},"weight_map":{"x":"m-2.safetensors","y":"m-1.safetensors"}})");
  REQUIRE(index.ok());
  CHECK(index.value().files == std::vector<std::string>{"m-1.safetensors", "m-2.safetensors"});
  const auto merged = merge_safetensors(
      {shard("m-2.safetensors", "x"), shard("m-1.safetensors", "y")}, &index.value());
  REQUIRE(merged.ok());
  REQUIRE(merged.value().tensors.size() == 2);
  CHECK(merged.value().tensors[0].name == "y");
  CHECK(merged.value().tensors[1].shard == 1);
  CHECK(merged.value().data_needed == 16);

  CHECK(merge_safetensors({shard("m-1.safetensors", "y")}, &index.value()).error() ==
        Error{"shard_missing", "safetensors", "m-2.safetensors"});
  CHECK(merge_safetensors({shard("other.safetensors", "y")}, &index.value()).error() ==
        Error{"shard_mixed", "safetensors", "other.safetensors"});
  CHECK(merge_safetensors({shard("m-1.safetensors", "z"), shard("m-2.safetensors", "x")},
                          &index.value())
            .error() == Error{"shard_mixed", "safetensors", "m-1.safetensors"});
}

TEST_CASE("shards without an index are counted by their names") {
  const auto named = [](int n, const std::string& tensor) {
    return shard("model-0000" + std::to_string(n) + "-of-00003.safetensors", tensor);
  };
  CHECK(merge_safetensors({named(1, "a"), named(2, "b"), named(3, "c")}).ok());
  CHECK(merge_safetensors({named(3, "c")}).error() ==
        Error{"shard_missing", "safetensors",
              "model-00001-of-00003.safetensors, model-00002-of-00003.safetensors"});
  CHECK(merge_safetensors({named(1, "a"), shard("stray.safetensors", "b")}).error().code ==
        "shard_mixed");
  CHECK(merge_safetensors({named(1, "a"), named(2, "a"), named(3, "c")}).error() ==
        Error{"shard_mixed", "safetensors", "model-00002-of-00003.safetensors"});
  CHECK(merge_safetensors({named(1, "a"), named(1, "a"), named(2, "b"), named(3, "c")})
            .error()
            .code == "shard_mixed");
  CHECK(merge_safetensors({shard("model.safetensors", "a")}).ok());
  CHECK(merge_safetensors({}).error().code == "shard_missing");
}

TEST_CASE("an index may not point outside its folder") {
  for (const char* name :
       {"", "/etc/passwd", "../up.safetensors", "a/../../b", "c:\\x", "https://example.com/x"}) {
    CAPTURE(name);
    std::string json = R"({"weight_map":{"a":")";
    for (const char c : std::string_view(name)) {
      if (c == '\\') json += '\\';
      json += c;
    }
    CHECK(parse_safetensors_index(json + R"("}})").error().code == "st_header");
  }
  CHECK(parse_safetensors_index("{}").error().code == "st_header");
  CHECK(parse_safetensors_index(R"({"weight_map":{"a":1}})").error().code == "st_header");
  CHECK(parse_safetensors_index("{").error().code == "json_bad");
}
