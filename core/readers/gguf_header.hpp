// GGUF headers, versions 2 and 3: metadata and tensor infos, read by pulling byte ranges.
//
// Facts: ggml/include/gguf.h and ggml/src/gguf.cpp of llama.cpp v0.5.0. Layout, little-endian:
//   "GGUF" | u32 version | i64 n_tensors | i64 n_kv | KV pairs | tensor infos | padding | data
//
// The reader never needs the whole file: need() says which range comes next, feed() takes it, in
// pieces of any size. Token lists and other long arrays are walked or jumped over, never stored.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/quantization/ggml_type.hpp"
#include "core/readers/byte_range.hpp"
#include "core/units/bytes.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Limits of the reader. Those of the runtime (gguf.cpp) are marked; the others bound what a
/// hostile file can make us hold: all of a real header fits many times over.
struct GgufLimits {
  static constexpr std::int64_t kString = std::int64_t{1} << 30;  // runtime
  static constexpr std::int64_t kArray = std::int64_t{1} << 30;   // runtime
  static constexpr std::int64_t kTensorName = 63;                 // runtime: < 64 bytes
  static constexpr std::int64_t kKey = 65535;                     // GGUF specification
  static constexpr std::int64_t kKeys = 8192;                     // real files: < 100
  static constexpr std::int64_t kTensors = 131072;                // real files: < 3000
  static constexpr std::int64_t kHeader = std::int64_t{1} << 30;  // real files: < 32 MiB
  static constexpr std::int64_t kData = std::int64_t{1} << 50;    // bytes; sums stay far below 2^63
  static constexpr std::int64_t kStored = std::int64_t{16} << 20;      // keys, strings, arrays
  static constexpr std::int64_t kStoredString = 4096;                  // longer: only the length
  static constexpr std::int64_t kStoredArray = 4096;                   // 8 x the 512 layers
  static constexpr std::int64_t kFirstChunk = std::int64_t{64} << 10;  // bytes asked for at once
  static constexpr std::int64_t kLargestChunk = std::int64_t{2} << 20;
};

/// Ids of metadata value types as stored.
enum class GgufValueType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};

/// A string value. `text` is empty when `length` exceeds GgufLimits::kStoredString.
struct GgufString {
  std::string text;
  std::int64_t length = 0;
};

/// An array value. Numbers of up to kStoredArray elements are in `integers` (also booleans) or
/// `floats`; of longer arrays and of string arrays only `count` is known.
struct GgufArray {
  GgufValueType element_type = GgufValueType::u8;
  std::int64_t count = 0;
  std::vector<std::int64_t> integers;
  std::vector<double> floats;
};

/// Integers beyond int64 are saturated: no field of a model has such a value.
using GgufValue = std::variant<std::int64_t, double, bool, GgufString, GgufArray>;

struct GgufKv {
  std::string key;
  GgufValueType type = GgufValueType::u8;
  GgufValue value;
  std::int64_t position = 0;  // of the key in the file, for error messages
};

/// `ne` as stored, missing dimensions are 1. `offset` counts from the start of the data section
/// of the file (part) that holds the tensor.
struct GgufTensor {
  std::string name;
  int n_dims = 0;
  std::array<std::int64_t, 4> ne = {1, 1, 1, 1};
  GgmlType type = GgmlType::F32;
  std::int64_t offset = 0;
  int part = 0;  // number of the split file, from 0

  [[nodiscard]] std::int64_t elements() const { return ne[0] * ne[1] * ne[2] * ne[3]; }
  [[nodiscard]] Bytes bytes() const { return row_bytes(type, ne[0]) * ne[1] * ne[2] * ne[3]; }
};

/// Everything a header says. Sizes in bytes; of a merged split model, sums over its parts.
struct GgufHeader {
  std::uint32_t version = 0;
  std::vector<GgufKv> kvs;  // file order, keys unique
  std::vector<GgufTensor> tensors;
  std::int64_t alignment = 32;
  Bytes file_size = 0;
  Bytes header_size = 0;   // up to the data section, padding included
  Bytes data_needed = 0;   // end of the last tensor, from the start of the data section
  Bytes data_present = 0;  // of data_needed

  [[nodiscard]] const GgufKv* find(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;  // integers too
  [[nodiscard]] std::string_view text(std::string_view key) const;         // "" when missing
  [[nodiscard]] const GgufArray* array(std::string_view key) const;

  /// True for a header on its own, cut off where the data begins.
  [[nodiscard]] bool header_only() const { return data_needed > 0 && data_present == 0; }
  /// Not fatal: "truncated" with the number of missing bytes when part of the data is missing.
  /// A header on its own is no finding.
  [[nodiscard]] std::optional<Error> finding() const;
};

/// Pull reader of one file. While !finished(): read need(), feed() what was read.
///
/// Errors (field "gguf"): gguf_magic; gguf_ver (detail: version 0 or 1); gguf_ver_new (detail:
/// version after 3); gguf_endian; gguf_type (detail: id of an unknown tensor type); truncated
/// (detail: byte where the file ends inside the header); damaged (detail: byte position).
class GgufReader {
 public:
  explicit GgufReader(std::int64_t file_size);

  [[nodiscard]] bool finished() const { return step_ == Step::done || error_.has_value(); }
  /// The range wanted next: never empty while !finished(), {0, 0} afterwards.
  [[nodiscard]] ByteRange need() const;
  /// Bytes from need().offset on; any number. No bytes at all mean that the source has ended.
  void feed(std::span<const std::uint8_t> bytes);
  /// 0 to 1, never decreasing.
  [[nodiscard]] double progress() const;
  /// The header once finished() (moved out), or why there is none.
  [[nodiscard]] Result<GgufHeader> take();

 private:
  enum class Step {
    magic,
    version,
    counts,
    key_length,
    key,
    value_type,
    scalar,
    string_length,
    string_bytes,
    array_head,
    array_numbers,
    array_strings,
    tensor_name_length,
    tensor_name,
    tensor_dims,
    tensor_rest,
    done
  };

  void expect(Step step, std::int64_t bytes);
  void on_field(const std::uint8_t* bytes);
  const std::uint8_t* walk_strings(const std::uint8_t* bytes, const std::uint8_t* end);
  void on_version(std::uint32_t version);
  void on_counts(const std::uint8_t* bytes);
  void on_value_type(std::uint32_t type);
  void on_array_head(const std::uint8_t* bytes);
  void on_array_numbers(const std::uint8_t* bytes);
  void on_tensor_dims(std::uint32_t n_dims);
  void on_tensor_rest(const std::uint8_t* bytes);
  void skip(std::int64_t bytes);
  void store(GgufValue value);
  void next_key();
  void next_tensor();
  void finish_keys();
  void finish_tensors();
  void fail(std::string code, std::string detail);
  void fail_damaged();
  [[nodiscard]] std::int64_t remaining() const { return file_size_ - field_start_; }

  std::int64_t file_size_ = 0;
  std::int64_t position_ = 0;     // of the next byte to be fed
  std::int64_t field_start_ = 0;  // of the field being read: what an error names
  std::int64_t chunk_ = GgufLimits::kFirstChunk;
  Step step_ = Step::magic;
  std::int64_t wanted_ = 0;          // bytes of the field being read
  std::vector<std::uint8_t> carry_;  // its beginning, when a piece ended inside it
  std::int64_t skip_ = 0;            // bytes to jump over before the field
  std::int64_t strings_left_ = 0;    // of the string array being walked
  std::int64_t stored_ = 0;          // against GgufLimits::kStored
  std::int64_t n_kv_ = 0;
  std::int64_t n_tensors_ = 0;
  std::int64_t data_end_ = 0;  // where the next tensor must begin
  std::optional<Error> error_;
  GgufHeader header_;
  std::vector<std::int64_t> positions_;  // of tensor names: duplicates are named
};

struct GgufPart {
  std::string file_name;
  GgufHeader header;
};

/// One header for all parts of a split model, given in any order; a file that is not split is
/// returned as it is. Errors (field "gguf"): shard_missing (detail: names, comma separated),
/// shard_mixed (detail: name of a part that does not belong), damaged.
[[nodiscard]] Result<GgufHeader> merge_gguf_splits(std::vector<GgufPart> parts);

}  // namespace meyasu
