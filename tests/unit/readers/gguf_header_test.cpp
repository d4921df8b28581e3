#include "core/readers/gguf_header.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>

#include "core/readers/shard_name.hpp"
#include "tests/unit/readers/gguf_bytes.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kQ4K = 12;

/// Two tensors, every value type, a token list: 64 x 2 F32 at 0, 256 x 3 Q4_K at 512.
GgufBytes small_header() {
  GgufBytes file;
  file.start(2, 16);
  file.kv_string("general.architecture", "llama");
  file.key("a.u8", GgufValueType::u8).put(std::uint8_t{200});
  file.key("a.i8", GgufValueType::i8).put(std::int8_t{-3});
  file.key("a.u16", GgufValueType::u16).put(std::uint16_t{65535});
  file.key("a.i16", GgufValueType::i16).put(std::int16_t{-300});
  file.kv_u32("a.u32", 4000000000U);
  file.key("a.i32", GgufValueType::i32).put(std::int32_t{-7});
  file.key("a.f32", GgufValueType::f32).u32(0x3FC00000U);  // 1.5
  file.key("a.bool", GgufValueType::boolean).put(std::uint8_t{1});
  file.key("a.u64", GgufValueType::u64).u64(~std::uint64_t{0});
  file.key("a.i64", GgufValueType::i64).put(std::int64_t{-1});
  file.key("a.f64", GgufValueType::f64).u64(0x4002000000000000ULL);  // 2.25
  file.kv_array("tokenizer.ggml.tokens", GgufValueType::string, 3);
  file.string("<s>").string("").string("a longer token");
  file.kv_array("tokenizer.ggml.scores", GgufValueType::f32, 5000).zeros(20000);
  file.kv_array("llama.attention.head_count_kv", GgufValueType::i32, 3).u32(8).u32(0).u32(~0U);
  file.kv_array("rope.factors", GgufValueType::f32, 2).u32(0x3F800000U).u32(0x40000000U);
  file.tensor("one", {64, 2}, kF32, 0);
  file.tensor("two", {256, 3}, kQ4K, 512);
  file.pad();
  return file;
}

/// A header with nothing but these tensors, checked as a file of `data` further bytes.
Result<GgufHeader> read_tensor(std::string_view name, const std::vector<std::uint64_t>& ne,
                               std::uint32_t type, std::uint64_t offset = 0) {
  GgufBytes file;
  file.start(1, 0).tensor(name, ne, type, offset).pad();
  return read_gguf(file.bytes);
}

/// A header of one key that `write` puts after the fixed part (byte 24).
template <class Write>
Result<GgufHeader> read_one_key(Write write, std::int64_t claimed_size = -1) {
  GgufBytes file;
  file.start(0, 1);
  write(file);
  file.pad();
  return read_gguf(file.bytes, 1 << 20, claimed_size);
}

Error damaged_at(std::int64_t position) {
  return {"damaged", "gguf", std::to_string(position)};
}

}  // namespace

TEST_CASE("a GGUF header gives its values, array lengths and tensors") {
  const auto result = read_gguf(small_header().bytes);
  REQUIRE(result.ok());
  const GgufHeader& header = result.value();
  CHECK(header.version == 3);
  CHECK(header.kvs.size() == 16);
  CHECK(header.text("general.architecture") == "llama");
  CHECK(header.integer("a.u8") == 200);
  CHECK(header.integer("a.i8") == -3);
  CHECK(header.integer("a.u16") == 65535);
  CHECK(header.integer("a.i16") == -300);
  CHECK(header.integer("a.u32") == 4000000000);
  CHECK(header.integer("a.i32") == -7);
  CHECK(header.number("a.f32") == 1.5);
  CHECK(std::get<bool>(header.find("a.bool")->value));
  CHECK(header.integer("a.u64") == INT64_MAX);  // saturated
  CHECK(header.integer("a.i64") == -1);
  CHECK(header.number("a.f64") == 2.25);
  CHECK(header.number("a.i32") == -7.0);
  CHECK_FALSE(header.integer("a.f32").has_value());
  CHECK_FALSE(header.integer("missing").has_value());
  CHECK(header.array("tokenizer.ggml.tokens")->count == 3);
  CHECK(header.array("tokenizer.ggml.scores")->count == 5000);
  CHECK(header.array("tokenizer.ggml.scores")->floats.empty());
  CHECK(header.array("llama.attention.head_count_kv")->integers ==
        std::vector<std::int64_t>{8, 0, -1});
  CHECK(header.array("rope.factors")->floats == std::vector<double>{1, 2});
  REQUIRE(header.tensors.size() == 2);
  CHECK(header.tensors[1].name == "two");
  CHECK(header.tensors[1].n_dims == 2);
  CHECK(header.tensors[1].ne == std::array<std::int64_t, 4>{256, 3, 1, 1});
  CHECK(header.tensors[1].type == GgmlType::Q4_K);
  CHECK(header.tensors[1].offset == 512);
  CHECK(header.data_needed == 512 + 3 * 144);
  CHECK(header.header_only());
  CHECK_FALSE(header.finding().has_value());
}

TEST_CASE("pieces of any size give the same header") {
  const ByteVector file = small_header().bytes;
  const auto whole = read_gguf(file);
  REQUIRE(whole.ok());
  for (const std::int64_t piece : {1, 2, 3, 7, 8, 9, 13, 31, 64, 1000, 4096}) {
    CAPTURE(piece);
    const auto result = read_gguf(file, piece);
    REQUIRE(result.ok());
    const GgufHeader& header = result.value();
    REQUIRE(header.kvs.size() == whole.value().kvs.size());
    for (std::size_t i = 0; i < header.kvs.size(); ++i) {
      CHECK(header.kvs[i].key == whole.value().kvs[i].key);
      CHECK(header.kvs[i].value.index() == whole.value().kvs[i].value.index());
    }
    CHECK(header.array("tokenizer.ggml.tokens")->count == 3);
    CHECK(header.array("llama.attention.head_count_kv")->integers ==
          std::vector<std::int64_t>{8, 0, -1});
    REQUIRE(header.tensors.size() == 2);
    CHECK(header.tensors[1].name == "two");
    CHECK(header.tensors[1].offset == 512);
    CHECK(header.header_size == whole.value().header_size);
  }
}

TEST_CASE("every shorter file is truncated, wherever the cut is, and never crashes") {
  const ByteVector file = small_header().bytes;
  const auto whole = read_gguf(file);
  // The last tensor info ends before the padding.
  const std::int64_t end_of_infos = whole.value().header_size - 31;
  for (std::int64_t size = 4; size < end_of_infos; ++size) {
    const ByteVector cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    for (const std::int64_t piece : {std::int64_t{5}, std::int64_t{1} << 20}) {
      const auto result = read_gguf(cut, piece);
      if (result.ok() || result.error().code != "truncated") FAIL("cut at " << size);
    }
  }
  SUCCEED();
}

TEST_CASE("numeric arrays are jumped over without asking for their bytes") {
  GgufBytes file;
  file.start(0, 2).kv_array("scores", GgufValueType::f64, 10'000'000).zeros(16);
  GgufBytes tail;
  tail.kv_u32("last", 7);
  const std::int64_t tail_at = static_cast<std::int64_t>(file.bytes.size()) - 16 + 80'000'000;

  GgufReader reader(tail_at + static_cast<std::int64_t>(tail.bytes.size()));
  reader.feed(file.bytes);
  CHECK(reader.need().offset == tail_at);
  CHECK(reader.need().length == static_cast<std::int64_t>(tail.bytes.size()));
  reader.feed(tail.bytes);
  REQUIRE(reader.finished());
  const auto result = reader.take();
  REQUIRE(result.ok());
  CHECK(result.value().integer("last") == 7);
}

TEST_CASE("long strings keep only their length") {
  const std::string text(5000, 'x');
  const auto result = read_one_key([&](GgufBytes& f) { f.kv_string("chat_template", text); });
  REQUIRE(result.ok());
  const auto& value = std::get<GgufString>(result.value().find("chat_template")->value);
  CHECK(value.text.empty());
  CHECK(value.length == 5000);
}

TEST_CASE("what is not a readable GGUF file is refused by name") {
  const auto refused = [](const GgufBytes& file, std::string_view code, std::string_view detail) {
    const auto result = read_gguf(file.bytes);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code);
    CHECK(result.error().detail == detail);
  };
  refused(GgufBytes{}, "gguf_magic", "");
  refused(GgufBytes{}.raw("GG"), "gguf_magic", "");
  refused(GgufBytes{}.raw("GGJT").zeros(60), "gguf_magic", "");
  refused(GgufBytes{}.raw("GGUF"), "truncated", "4");
  refused(GgufBytes{}.start(0, 0, 1), "gguf_ver", "1");
  refused(GgufBytes{}.start(0, 0, 0), "gguf_ver", "0");
  refused(GgufBytes{}.start(0, 0, 4), "gguf_ver_new", "4");
  refused(GgufBytes{}.start(0, 0, 0x03000000), "gguf_endian", "");
  CHECK(read_gguf(GgufBytes{}.start(0, 0, 2).bytes).ok());
}

TEST_CASE("unknown tensor types are refused with their id, nonsense ones as damage") {
  CHECK(read_tensor("t", {32}, 4).error() == Error{"gguf_type", "gguf", "4"});
  CHECK(read_tensor("t", {32}, 139).error() == Error{"gguf_type", "gguf", "139"});
  CHECK(read_tensor("t", {32}, 0xFFFFFFFFU).error().code == "damaged");
}

TEST_CASE("counts are bounded before they are used") {
  const auto error_of = [](std::uint64_t n_tensors, std::uint64_t n_kv, std::size_t more) {
    return read_gguf(GgufBytes{}.start(n_tensors, n_kv).zeros(more).bytes).error();
  };
  CHECK(error_of(std::uint64_t{1} << 63, 0, 0) == damaged_at(8));
  CHECK(error_of(~std::uint64_t{0}, ~std::uint64_t{0}, 0) == damaged_at(8));
  CHECK(error_of(GgufLimits::kTensors + 1, 0, 0) == damaged_at(8));
  CHECK(error_of(0, GgufLimits::kKeys + 1, 0) == damaged_at(8));
  // Within the limits, but more than the bytes that are left can hold.
  CHECK(error_of(100, 0, 100 * 24 - 1).code == "truncated");
  CHECK(error_of(0, 100, 100 * 14 - 1).code == "truncated");
}

TEST_CASE("keys must have a length and be unique") {
  CHECK(read_one_key([](GgufBytes& f) { f.string("").u32(0).zeros(8); }).error() == damaged_at(24));
  CHECK(read_one_key([](GgufBytes& f) { f.u64(65536).zeros(70000); }).error() == damaged_at(24));
  CHECK(read_one_key([](GgufBytes& f) { f.u64(std::uint64_t{1} << 63).zeros(64); }).error() ==
        damaged_at(24));
  CHECK(read_one_key([](GgufBytes& f) { f.u64(60000).zeros(100); }).error().code == "truncated");

  GgufBytes twice;
  twice.start(0, 3).kv_u32("same", 1).kv_u32("other", 2).kv_u32("same", 3);
  // The second "same" begins after 24 + 20 + 21 bytes and its own length field.
  CHECK(read_gguf(twice.bytes).error() == damaged_at(24 + 20 + 21 + 8));
}

TEST_CASE("value types, strings and arrays are checked") {
  CHECK(read_one_key([](GgufBytes& f) { f.string("k").u32(13).zeros(16); }).error() ==
        damaged_at(33));
  const auto string_of_length = [](std::uint64_t length, std::int64_t claimed = -1) {
    return read_one_key(
        [&](GgufBytes& f) { f.key("k", GgufValueType::string).u64(length).zeros(64); }, claimed);
  };
  CHECK(string_of_length((std::uint64_t{1} << 30) + 1).error() == damaged_at(37));
  CHECK(string_of_length(~std::uint64_t{0}).error() == damaged_at(37));
  CHECK(string_of_length(1000).error().code == "truncated");
  CHECK(string_of_length(std::uint64_t{1} << 30).error().code == "truncated");

  const auto array_of = [](std::uint32_t type, std::uint64_t count, std::int64_t claimed = -1) {
    return read_one_key(
        [&](GgufBytes& f) { f.key("k", GgufValueType::array).u32(type).u64(count).zeros(64); },
        claimed);
  };
  CHECK(array_of(9, 1).error() == damaged_at(37));   // arrays of arrays
  CHECK(array_of(13, 1).error() == damaged_at(37));  // no such type
  CHECK(array_of(4, (std::uint64_t{1} << 30) + 1).error() == damaged_at(37));
  CHECK(array_of(8, std::uint64_t{1} << 63).error() == damaged_at(37));
  CHECK(array_of(4, 1000).error().code == "truncated");
  CHECK(array_of(4, 1'000'000).error().code == "truncated");
  CHECK(array_of(8, 1'000'000).error().code == "truncated");
  CHECK(array_of(8, 0).ok());
  CHECK(array_of(4, 0).ok());
}

TEST_CASE("string lengths inside an array are checked in the fast and in the slow path") {
  const auto error_with = [](std::uint64_t length, std::int64_t piece) {
    GgufBytes file;
    file.start(0, 1).kv_array("k", GgufValueType::string, 2).string("ab").u64(length).zeros(64);
    return read_gguf(file.bytes, piece).error();
  };
  for (const std::int64_t piece : {std::int64_t{1}, std::int64_t{3}, std::int64_t{1} << 20}) {
    CAPTURE(piece);
    CHECK(error_with(std::uint64_t{1} << 63, piece) == damaged_at(24 + 13 + 12 + 10));
    CHECK(error_with(1000, piece).code == "truncated");
  }
}

TEST_CASE("a header that never ends is damage, not an endless read") {
  // Arrays of 2^30 doubles, 8 GiB each, in a file that claims to hold them.
  const std::int64_t claimed = std::int64_t{1} << 40;
  CHECK(read_one_key(
            [](GgufBytes& f) {
              f.kv_array("k", GgufValueType::f64, std::uint64_t{1} << 30).zeros(64);
            },
            claimed)
            .error()
            .code == "damaged");
}

TEST_CASE("stored values are bounded in sum") {
  const std::string text(4000, 'x');
  GgufBytes file;
  constexpr int kKeys = 5000;  // 20 MB of short strings
  file.start(0, kKeys);
  for (int i = 0; i < kKeys; ++i) file.kv_string("key" + std::to_string(i), text);
  CHECK(read_gguf(file.bytes).error().code == "damaged");
}

TEST_CASE("the alignment must be a power of two stored as u32") {
  const auto with = [](GgufValueType type, std::uint64_t value) {
    return read_one_key([&](GgufBytes& f) {
      f.key("general.alignment", type);
      if (type == GgufValueType::u64) {
        f.u64(value);
      } else {
        f.u32(static_cast<std::uint32_t>(value));
      }
    });
  };
  CHECK(with(GgufValueType::u32, 64).value().alignment == 64);
  CHECK(with(GgufValueType::u32, 0).error() == damaged_at(32));
  CHECK(with(GgufValueType::u32, 48).error() == damaged_at(32));
  CHECK(with(GgufValueType::u64, 64).error() == damaged_at(32));
}

TEST_CASE("tensor names, shapes and offsets are checked") {
  const std::string longest(63, 'n');
  CHECK(read_tensor(longest, {32}, kF16).ok());
  CHECK(read_tensor(longest + "n", {32}, kF16).error() == damaged_at(24));
  CHECK(read_tensor("t", {}, kF32).value().tensors[0].elements() == 1);
  CHECK(read_tensor("t", {1, 1, 1, 1, 1}, kF16).error() == damaged_at(33));
  CHECK(read_tensor("t", {std::uint64_t{1} << 63}, kF16).error() == damaged_at(37));
  CHECK(read_tensor("t", {~std::uint64_t{0}}, kF16).error() == damaged_at(37));
  CHECK(read_tensor("t", {1U << 31, 1U << 31, 1U << 31}, kF16).error() == damaged_at(37));
  CHECK(read_tensor("t", {std::uint64_t{1} << 62}, kF16).error() == damaged_at(37));  // bytes
  CHECK(read_tensor("t", {100}, kQ4K).error() == damaged_at(37));  // not whole blocks
  CHECK(read_tensor("t", {32}, kF16, 32).error() == damaged_at(37));
  CHECK(read_tensor("t", {0, 5}, kF16).value().data_needed == 0);
  CHECK(read_tensor("t", {std::uint64_t{1} << 62, 0}, kF16).error() == damaged_at(37));

  GgufBytes gap;
  gap.start(2, 0).tensor("a", {3}, kF32, 0).tensor("b", {3}, kF32, 64).pad();
  CHECK(read_gguf(gap.bytes).error().code == "damaged");
  GgufBytes overlap;
  overlap.start(2, 0).tensor("a", {3}, kF32, 0).tensor("b", {3}, kF32, 12).pad();
  CHECK(read_gguf(overlap.bytes).error().code == "damaged");
  GgufBytes twice;
  twice.start(2, 0).tensor("a", {3}, kF32, 0).tensor("a", {3}, kF32, 32).pad();
  CHECK(read_gguf(twice.bytes).error() == damaged_at(24 + 33 + 8));
}

TEST_CASE("a download cut off inside the data is a finding beside a usable header") {
  GgufBytes file = small_header();
  const auto header_size = static_cast<std::int64_t>(file.bytes.size());
  const std::int64_t data = 512 + 3 * 144;  // the last tensor needs no padding

  const auto complete = read_gguf(file.bytes, 1 << 20, header_size + data);
  REQUIRE(complete.ok());
  CHECK_FALSE(complete.value().finding().has_value());
  CHECK_FALSE(complete.value().header_only());
  CHECK(complete.value().header_size == header_size);

  const auto cut = read_gguf(file.bytes, 1 << 20, header_size + data - 100);
  REQUIRE(cut.ok());
  CHECK(cut.value().finding() == Error{"truncated", "gguf", "100"});
}

TEST_CASE("a source that ends before its announced size is truncated") {
  const ByteVector file = small_header().bytes;
  const ByteVector half(file.begin(), file.begin() + 200);
  CHECK(read_gguf(half, 64, static_cast<std::int64_t>(file.size())).error() ==
        Error{"truncated", "gguf", "200"});
}

TEST_CASE("progress never goes back and ends at 1") {
  const ByteVector file = small_header().bytes;
  GgufReader reader(static_cast<std::int64_t>(file.size()));
  double last = 0;
  while (!reader.finished()) {
    reader.feed({file.data() + reader.need().offset, 1});
    CHECK(reader.progress() >= last);
    last = reader.progress();
  }
  CHECK(last == 1);
}

TEST_CASE("split file names are taken apart and put together") {
  const auto name = parse_shard_name("my-model-Q4_K_M-00002-of-00017.gguf", ".gguf");
  REQUIRE(name.has_value());
  CHECK(name->prefix == "my-model-Q4_K_M");
  CHECK(name->number == 2);
  CHECK(name->count == 17);
  CHECK(shard_name(name->prefix, 2, 17, ".gguf") == "my-model-Q4_K_M-00002-of-00017.gguf");
  for (const char* other :
       {"model.gguf", "-00001-of-00002.gguf", "m-00003-of-00002.gguf", "m-00000-of-00002.gguf",
        "m-0001-of-00002.gguf", "m-0000a-of-00002.gguf", "m-00001-of-00002.bin", ""}) {
    CAPTURE(other);
    CHECK_FALSE(parse_shard_name(other, ".gguf").has_value());
  }
}

namespace {

GgufPart split_part(int no, int count, int n_tensors_in_all, const std::string& tensor) {
  GgufBytes file;
  file.start(1, no == 0 ? 4U : 3U);
  if (no == 0) file.kv_string("general.architecture", "llama");
  file.key("split.no", GgufValueType::u16).put(static_cast<std::uint16_t>(no));
  file.key("split.count", GgufValueType::u16).put(static_cast<std::uint16_t>(count));
  file.key("split.tensors.count", GgufValueType::i32).put(std::int32_t{n_tensors_in_all});
  file.tensor(tensor, {32}, kF16, 0).pad().zeros(64);
  return {shard_name("m", no + 1, count, ".gguf"), read_gguf(file.bytes).value()};
}

}  // namespace

TEST_CASE("parts of a split model become one header, in whatever order they come") {
  const auto merged = merge_gguf_splits(
      {split_part(2, 3, 3, "c"), split_part(0, 3, 3, "a"), split_part(1, 3, 3, "b")});
  REQUIRE(merged.ok());
  CHECK(merged.value().text("general.architecture") == "llama");
  REQUIRE(merged.value().tensors.size() == 3);
  CHECK(merged.value().tensors[2].name == "c");
  CHECK(merged.value().tensors[2].part == 2);
  CHECK(merged.value().data_needed == 192);
  CHECK(merged.value().data_present == 192);
}

TEST_CASE("missing, foreign and contradictory parts are named") {
  CHECK(merge_gguf_splits({split_part(1, 4, 4, "b")}).error() ==
        Error{"shard_missing", "gguf",
              "m-00001-of-00004.gguf, m-00003-of-00004.gguf, m-00004-of-00004.gguf"});
  CHECK(merge_gguf_splits({split_part(0, 100, 100, "a")}).error().detail.ends_with(", +91"));

  auto foreign = split_part(1, 2, 2, "b");
  foreign.file_name = "other-00002-of-00002.gguf";
  CHECK(merge_gguf_splits({split_part(0, 2, 2, "a"), foreign}).error() ==
        Error{"shard_mixed", "gguf", "other-00002-of-00002.gguf"});
  CHECK(merge_gguf_splits({split_part(0, 2, 2, "a"), split_part(0, 2, 2, "a")}).error().code ==
        "shard_mixed");
  CHECK(merge_gguf_splits({split_part(0, 2, 2, "a"), split_part(1, 3, 2, "b")}).error().code ==
        "shard_mixed");
  // The same tensor in both parts, and fewer tensors than announced.
  CHECK(merge_gguf_splits({split_part(0, 2, 2, "a"), split_part(1, 2, 2, "a")}).error().code ==
        "damaged");
  CHECK(merge_gguf_splits({split_part(0, 2, 9, "a"), split_part(1, 2, 9, "b")}).error().code ==
        "damaged");
}

TEST_CASE("real headers on their own are read whole") {
  const auto result = read_gguf(read_test_file("truth/gguf/Llama-3.1-8B.gguf"), 777);
  REQUIRE(result.ok());
  CHECK(result.value().header_only());
  CHECK_FALSE(result.value().finding().has_value());
  CHECK(result.value().text("general.architecture") == "llama");
  CHECK(result.value().tensors.size() >= 291);
}
