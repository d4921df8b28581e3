// safetensors headers: one file, or the shards of a checkpoint with their index.
//
// Facts: the format description of huggingface/safetensors. Layout: u64 length of the header
// (little-endian, at most 100 MB) | header, a JSON object | data. Each member of the object but
// "__metadata__" is a tensor: {"dtype": "BF16", "shape": [4096, 4096], "data_offsets": [begin,
// end]}, offsets counted from the start of the data, which has neither holes nor overlaps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/readers/byte_range.hpp"
#include "core/units/bytes.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Limits of the reader. The format's own are marked; the others bound what hostile files cost.
struct SafetensorsLimits {
  static constexpr std::int64_t kHeader = 100'000'000;          // format
  static constexpr std::int64_t kDimensions = 16;               // real files: at most 5
  static constexpr std::int64_t kName = 1024;                   // real files: < 150 bytes
  static constexpr std::int64_t kTensors = 500'000;             // real checkpoints: < 250,000
  static constexpr std::int64_t kData = std::int64_t{1} << 50;  // bytes
  static constexpr std::int64_t kFirstChunk = std::int64_t{64} << 10;  // bytes asked for at once
  static constexpr std::int64_t kLargestChunk = std::int64_t{2} << 20;
};

enum class SafetensorsDtype : std::uint8_t {
  BOOL,
  F4,       // 4 bits: two elements a byte
  F6_E2M3,  // 6 bits
  F6_E3M2,  // 6 bits
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// The dtype with this name as the format spells it ("BF16"); nothing for unknown names.
[[nodiscard]] std::optional<SafetensorsDtype> safetensors_dtype(std::string_view name);
[[nodiscard]] std::string_view safetensors_dtype_name(SafetensorsDtype dtype);
[[nodiscard]] int safetensors_dtype_bits(SafetensorsDtype dtype);

/// `shape` outermost dimension first, as stored (row length last). `begin` counts from the start
/// of the data of its shard.
struct SafetensorsTensor {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::F32;
  std::vector<std::int64_t> shape;
  std::int64_t elements = 0;
  std::int64_t begin = 0;
  Bytes bytes = 0;
  int shard = 0;
};

/// Sizes in bytes; of a merged checkpoint, sums over its shards.
struct SafetensorsHeader {
  std::vector<SafetensorsTensor> tensors;  // in the order of the data
  std::vector<std::pair<std::string, std::string>> metadata;
  Bytes file_size = 0;
  Bytes header_size = 0;  // with the length field
  Bytes data_needed = 0;
  Bytes data_present = 0;  // of data_needed

  /// True for a header on its own, cut off where the data begins.
  [[nodiscard]] bool header_only() const { return data_needed > 0 && data_present == 0; }
  /// Not fatal: "truncated" with the number of missing bytes when part of the data is missing.
  [[nodiscard]] std::optional<Error> finding() const;
};

/// Pull reader of one file, used as GgufReader is.
///
/// Errors (field "safetensors"): st_header (no header, a length out of bounds, or members that are
/// not tensors; detail: the tensor's name), st_dtype (detail: an unknown dtype), json_bad (detail:
/// line), truncated (detail: byte where the file ends inside the header), damaged (detail: byte of
/// the data where a tensor overlaps, leaves a gap or has another size than its shape, or where
/// data without a tensor begins).
class SafetensorsReader {
 public:
  explicit SafetensorsReader(std::int64_t file_size);

  [[nodiscard]] bool finished() const { return done_ || error_.has_value(); }
  [[nodiscard]] ByteRange need() const;
  void feed(std::span<const std::uint8_t> bytes);
  [[nodiscard]] double progress() const;
  [[nodiscard]] Result<SafetensorsHeader> take();

 private:
  void on_length();
  void fail(std::string code, std::string detail);

  std::int64_t file_size_ = 0;
  std::int64_t position_ = 0;
  std::int64_t header_end_ = 8;  // until the length is known, the end of its field
  std::int64_t chunk_ = SafetensorsLimits::kFirstChunk;
  std::string text_;  // length field, then the JSON
  bool done_ = false;
  std::optional<Error> error_;
  SafetensorsHeader header_;
};

/// model.safetensors.index.json: which shard holds which tensor.
struct SafetensorsIndex {
  std::vector<std::string> files;                            // sorted, each once
  std::vector<std::pair<std::string, std::size_t>> tensors;  // name -> number in `files`
};

/// Errors (field "safetensors"): json_bad, st_header (no weight_map, or a file name that leaves
/// the folder of the index).
[[nodiscard]] Result<SafetensorsIndex> parse_safetensors_index(std::string_view text);

struct SafetensorsShard {
  std::string file_name;
  SafetensorsHeader header;
};

/// One header for all shards, in the order of their names. With an index, its files must be there
/// and hold what it says. Without, names such as model-00001-of-00004.safetensors say how many
/// there must be. Errors (field "safetensors"): shard_missing (detail: names), shard_mixed (detail:
/// a file that does not belong, lacks a tensor of the index, or repeats one of another file).
[[nodiscard]] Result<SafetensorsHeader> merge_safetensors(std::vector<SafetensorsShard> shards,
                                                          const SafetensorsIndex* index = nullptr);

}  // namespace meyasu
