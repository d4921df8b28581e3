#include "core/readers/gguf_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "core/readers/duplicates.hpp"
#include "core/readers/shard_name.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

// Smallest KV pair: key length, one byte of key, type, one byte of value. Smallest tensor info:
// name length, number of dimensions, type, offset.
constexpr std::int64_t kSmallestKv = 8 + 1 + 4 + 1;
constexpr std::int64_t kSmallestTensorInfo = 8 + 4 + 4 + 8;
constexpr std::uint32_t kMaxTypeId = 1024;  // known forks number their own types below this

template <class Unsigned>
Unsigned load(const std::uint8_t* bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value | static_cast<Unsigned>(Unsigned{bytes[i]} << (8 * i)));
  }
  return value;
}

std::int64_t saturated(std::uint64_t value) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  return value > static_cast<std::uint64_t>(kMax) ? kMax : static_cast<std::int64_t>(value);
}

/// Bytes of one number of this type; 0 for strings, arrays and ids that do not exist.
std::int64_t number_size(GgufValueType type) {
  switch (type) {
    case GgufValueType::u8:
    case GgufValueType::i8:
    case GgufValueType::boolean:
      return 1;
    case GgufValueType::u16:
    case GgufValueType::i16:
      return 2;
    case GgufValueType::u32:
    case GgufValueType::i32:
    case GgufValueType::f32:
      return 4;
    case GgufValueType::u64:
    case GgufValueType::i64:
    case GgufValueType::f64:
      return 8;
    case GgufValueType::string:
    case GgufValueType::array:
      break;
  }
  return 0;
}

bool is_floating(GgufValueType type) {
  return type == GgufValueType::f32 || type == GgufValueType::f64;
}

std::int64_t load_integer(GgufValueType type, const std::uint8_t* bytes) {
  switch (type) {
    case GgufValueType::u8:
      return bytes[0];
    case GgufValueType::i8:
      return static_cast<std::int8_t>(bytes[0]);
    case GgufValueType::u16:
      return load<std::uint16_t>(bytes);
    case GgufValueType::i16:
      return static_cast<std::int16_t>(load<std::uint16_t>(bytes));
    case GgufValueType::u32:
      return load<std::uint32_t>(bytes);
    case GgufValueType::i32:
      return static_cast<std::int32_t>(load<std::uint32_t>(bytes));
    case GgufValueType::u64:
      return saturated(load<std::uint64_t>(bytes));
    case GgufValueType::i64:
      return static_cast<std::int64_t>(load<std::uint64_t>(bytes));
    case GgufValueType::boolean:
      return bytes[0] != 0 ? 1 : 0;
    default:
      return 0;
  }
}

/// std::bit_cast, which Emscripten 3.1.6 does not have yet.
template <class To, class From>
To reinterpret_bits(From bits) {
  static_assert(sizeof(To) == sizeof(From));
  To value;
  std::memcpy(&value, &bits, sizeof(To));
  return value;
}

double load_floating(GgufValueType type, const std::uint8_t* bytes) {
  if (type == GgufValueType::f32) return reinterpret_bits<float>(load<std::uint32_t>(bytes));
  return reinterpret_bits<double>(load<std::uint64_t>(bytes));
}

std::string text_of(const std::uint8_t* bytes, std::int64_t length) {
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

/// Product that reports overflow instead of wrapping.
bool checked_multiply(std::int64_t a, std::int64_t b, std::int64_t& result) {
  return !__builtin_mul_overflow(a, b, &result);
}

}  // namespace

const GgufKv* GgufHeader::find(std::string_view key) const {
  for (const GgufKv& kv : kvs) {
    if (kv.key == key) return &kv;
  }
  return nullptr;
}

std::optional<std::int64_t> GgufHeader::integer(std::string_view key) const {
  const GgufKv* kv = find(key);
  const auto* value = kv == nullptr ? nullptr : std::get_if<std::int64_t>(&kv->value);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> GgufHeader::number(std::string_view key) const {
  const GgufKv* kv = find(key);
  if (kv == nullptr) return std::nullopt;
  if (const auto* value = std::get_if<double>(&kv->value)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&kv->value)) {
    return static_cast<double>(*value);
  }
  return std::nullopt;
}

std::string_view GgufHeader::text(std::string_view key) const {
  const GgufKv* kv = find(key);
  const auto* value = kv == nullptr ? nullptr : std::get_if<GgufString>(&kv->value);
  return value == nullptr ? std::string_view{} : std::string_view{value->text};
}

const GgufArray* GgufHeader::array(std::string_view key) const {
  const GgufKv* kv = find(key);
  return kv == nullptr ? nullptr : std::get_if<GgufArray>(&kv->value);
}

std::optional<Error> GgufHeader::finding() const {
  if (header_only() || data_present == data_needed) return std::nullopt;
  return Error{"truncated", "gguf", std::to_string(data_needed - data_present)};
}

GgufReader::GgufReader(std::int64_t file_size) : file_size_(std::max<std::int64_t>(file_size, 0)) {
  header_.file_size = file_size_;
  // Anything too short for the magic is not a GGUF file rather than a shortened one.
  if (file_size_ < 4) {
    fail("gguf_magic", "");
  } else {
    expect(Step::magic, 4);
  }
}

ByteRange GgufReader::need() const {
  if (finished()) return {};
  const std::int64_t offset = position_ + skip_;
  return {offset, std::min(chunk_, file_size_ - offset)};
}

void GgufReader::feed(std::span<const std::uint8_t> bytes) {
  if (finished()) return;
  position_ += skip_;
  skip_ = 0;
  if (bytes.empty()) {
    fail("truncated", std::to_string(position_));
    return;
  }
  chunk_ = std::min(chunk_ * 2, GgufLimits::kLargestChunk);

  const auto usable = std::min(static_cast<std::uint64_t>(bytes.size()),
                               static_cast<std::uint64_t>(file_size_ - position_));
  const std::uint8_t* next = bytes.data();
  const std::uint8_t* const end = next + usable;
  while (next != end && !finished()) {
    const std::int64_t left = end - next;
    if (skip_ > 0) {
      const std::int64_t jump = std::min(skip_, left);
      next += jump;
      position_ += jump;
      skip_ -= jump;
    } else if (carry_.empty() && left >= wanted_) {
      if (step_ == Step::array_strings) {
        next = walk_strings(next, end);
      } else {
        const std::uint8_t* field = next;
        next += wanted_;
        position_ += wanted_;
        on_field(field);
      }
    } else {
      const std::int64_t taken = std::min(wanted_ - static_cast<std::int64_t>(carry_.size()), left);
      carry_.insert(carry_.end(), next, next + taken);
      next += taken;
      position_ += taken;
      if (static_cast<std::int64_t>(carry_.size()) == wanted_) {
        on_field(carry_.data());
        carry_.clear();
      }
    }
  }
}

double GgufReader::progress() const {
  if (finished()) return 1;
  // Keys hold nearly all bytes of a header; tensor infos are a few hundred short records.
  constexpr double kShareOfKeys = 0.9;
  if (step_ == Step::magic || step_ == Step::version || step_ == Step::counts) return 0;
  const auto keys_done = static_cast<double>(header_.kvs.size());
  if (n_tensors_ > 0 && step_ >= Step::tensor_name_length) {
    const double share =
        static_cast<double>(header_.tensors.size()) / static_cast<double>(n_tensors_);
    return kShareOfKeys + (1 - kShareOfKeys) * std::min(share, 1.0);
  }
  double open = 0;  // the key being read is already in kvs
  if (step_ == Step::array_strings) {
    const auto& array = std::get<GgufArray>(header_.kvs.back().value);
    open = static_cast<double>(strings_left_) / static_cast<double>(array.count);
  } else if (step_ > Step::key_length) {
    open = step_ == Step::key ? 0 : 1;
  }
  return kShareOfKeys * std::max(0.0, keys_done - open) / static_cast<double>(n_kv_);
}

Result<GgufHeader> GgufReader::take() {
  if (error_) return *error_;
  if (step_ != Step::done) return Error{"truncated", "gguf", std::to_string(position_)};
  return std::move(header_);
}

void GgufReader::fail(std::string code, std::string detail) {
  error_ = Error{std::move(code), "gguf", std::move(detail)};
}

void GgufReader::fail_damaged() {
  fail("damaged", std::to_string(field_start_));
}

void GgufReader::skip(std::int64_t bytes) {
  const std::int64_t from = position_ + skip_;
  if (bytes > file_size_ - from) {
    fail("truncated", std::to_string(file_size_));
  } else if (bytes > GgufLimits::kHeader - from) {
    fail_damaged();
  } else {
    skip_ += bytes;
  }
}

void GgufReader::expect(Step step, std::int64_t bytes) {
  if (error_) return;
  step_ = step;
  wanted_ = bytes;
  field_start_ = position_ + skip_;
  if (bytes > remaining()) {
    fail("truncated", std::to_string(file_size_));
  } else if (bytes > GgufLimits::kHeader - field_start_) {
    fail_damaged();
  } else if (bytes == 0) {
    on_field(nullptr);
  }
}

void GgufReader::on_field(const std::uint8_t* bytes) {
  switch (step_) {
    case Step::magic: {
      constexpr std::array<std::uint8_t, 4> kMagic = {'G', 'G', 'U', 'F'};
      if (!std::equal(kMagic.begin(), kMagic.end(), bytes)) return fail("gguf_magic", "");
      return expect(Step::version, 4);
    }
    case Step::version:
      return on_version(load<std::uint32_t>(bytes));
    case Step::counts:
      return on_counts(bytes);
    case Step::key_length: {
      const std::int64_t length = saturated(load<std::uint64_t>(bytes));
      if (length == 0 || length > GgufLimits::kKey) return fail_damaged();
      return expect(Step::key, length);
    }
    case Step::key:
      header_.kvs.push_back({text_of(bytes, wanted_), GgufValueType::u8, {}, field_start_});
      return expect(Step::value_type, 4);
    case Step::value_type:
      return on_value_type(load<std::uint32_t>(bytes));
    case Step::scalar: {
      const GgufValueType type = header_.kvs.back().type;
      if (is_floating(type)) return store(load_floating(type, bytes));
      if (type == GgufValueType::boolean) return store(bytes[0] != 0);
      return store(load_integer(type, bytes));
    }
    case Step::string_length: {
      const std::int64_t length = saturated(load<std::uint64_t>(bytes));
      if (length > GgufLimits::kString) return fail_damaged();
      if (length <= GgufLimits::kStoredString) return expect(Step::string_bytes, length);
      skip(length);
      return store(GgufString{{}, length});
    }
    case Step::string_bytes:
      return store(GgufString{text_of(bytes, wanted_), wanted_});
    case Step::array_head:
      return on_array_head(bytes);
    case Step::array_numbers:
      return on_array_numbers(bytes);
    case Step::array_strings: {
      // Here only when a piece ended inside the length; walk_strings takes the others.
      const std::int64_t length = saturated(load<std::uint64_t>(bytes));
      if (length > GgufLimits::kString) return fail_damaged();
      skip(length);
      if (--strings_left_ == 0) return next_key();
      return expect(Step::array_strings, 8);
    }
    case Step::tensor_name_length: {
      const std::int64_t length = saturated(load<std::uint64_t>(bytes));
      if (length > GgufLimits::kTensorName) return fail_damaged();
      return expect(Step::tensor_name, length);
    }
    case Step::tensor_name:
      positions_.push_back(field_start_);
      header_.tensors.emplace_back();
      header_.tensors.back().name = text_of(bytes, wanted_);
      return expect(Step::tensor_dims, 4);
    case Step::tensor_dims:
      return on_tensor_dims(load<std::uint32_t>(bytes));
    case Step::tensor_rest:
      return on_tensor_rest(bytes);
    case Step::done:
      return;
  }
}

// The hot loop: a vocabulary with its merges is 400,000 strings and nearly all of the header.
const std::uint8_t* GgufReader::walk_strings(const std::uint8_t* bytes, const std::uint8_t* end) {
  const std::uint8_t* next = bytes;
  std::int64_t left = strings_left_;
  while (left > 0 && end - next >= 8) {
    const std::uint64_t length = load<std::uint64_t>(next);
    if (length > static_cast<std::uint64_t>(end - next - 8)) break;
    next += 8 + length;
    --left;
  }
  strings_left_ = left;
  position_ += next - bytes;
  if (left == 0) {
    next_key();
  } else if (end - next >= 8) {  // this string ends after the piece
    field_start_ = position_;
    position_ += 8;
    on_field(next);
    next += 8;
  } else {
    expect(Step::array_strings, 8);
  }
  return next;
}

void GgufReader::on_version(std::uint32_t version) {
  header_.version = version;
  if (version == 2 || version == 3) return expect(Step::counts, 16);
  // A small version number written with the bytes the other way round.
  if (version != 0 && (version & 0xFFFFU) == 0) return fail("gguf_endian", "");
  fail(version < 2 ? "gguf_ver" : "gguf_ver_new", std::to_string(version));
}

void GgufReader::on_counts(const std::uint8_t* bytes) {
  n_tensors_ = saturated(load<std::uint64_t>(bytes));
  n_kv_ = saturated(load<std::uint64_t>(bytes + 8));
  if (n_tensors_ > GgufLimits::kTensors || n_kv_ > GgufLimits::kKeys) return fail_damaged();
  if (n_kv_ * kSmallestKv + n_tensors_ * kSmallestTensorInfo > file_size_ - position_) {
    return fail("truncated", std::to_string(file_size_));
  }
  next_key();
}

void GgufReader::next_key() {
  if (error_) return;
  if (static_cast<std::int64_t>(header_.kvs.size()) == n_kv_) return finish_keys();
  expect(Step::key_length, 8);
}

void GgufReader::on_value_type(std::uint32_t type) {
  if (type > static_cast<std::uint32_t>(GgufValueType::f64)) return fail_damaged();
  const auto value_type = static_cast<GgufValueType>(type);
  header_.kvs.back().type = value_type;
  if (value_type == GgufValueType::string) return expect(Step::string_length, 8);
  if (value_type == GgufValueType::array) return expect(Step::array_head, 12);
  expect(Step::scalar, number_size(value_type));
}

void GgufReader::store(GgufValue value) {
  if (error_) return;
  GgufKv& kv = header_.kvs.back();
  stored_ += static_cast<std::int64_t>(kv.key.size() + sizeof(GgufKv));
  if (const auto* text = std::get_if<GgufString>(&value)) {
    stored_ += static_cast<std::int64_t>(text->text.size());
  } else if (const auto* array = std::get_if<GgufArray>(&value)) {
    stored_ += static_cast<std::int64_t>((array->integers.size() + array->floats.size()) * 8);
  }
  if (stored_ > GgufLimits::kStored) return fail_damaged();
  kv.value = std::move(value);
  if (step_ != Step::array_strings) next_key();
}

void GgufReader::on_array_head(const std::uint8_t* bytes) {
  const std::uint32_t type = load<std::uint32_t>(bytes);
  const std::int64_t count = saturated(load<std::uint64_t>(bytes + 4));
  if (type > static_cast<std::uint32_t>(GgufValueType::f64)) return fail_damaged();
  const auto element_type = static_cast<GgufValueType>(type);
  if (element_type == GgufValueType::array || count > GgufLimits::kArray) return fail_damaged();

  GgufArray array;
  array.element_type = element_type;
  array.count = count;
  if (element_type == GgufValueType::string) {
    strings_left_ = count;
    if (count * 8 > file_size_ - position_) return fail("truncated", std::to_string(file_size_));
    if (count > 0) expect(Step::array_strings, 8);
    return store(std::move(array));
  }
  const std::int64_t size = count * number_size(element_type);
  if (count > GgufLimits::kStoredArray) {
    skip(size);
    return store(std::move(array));
  }
  header_.kvs.back().value = std::move(array);
  expect(Step::array_numbers, size);
}

void GgufReader::on_array_numbers(const std::uint8_t* bytes) {
  GgufArray array = std::get<GgufArray>(std::move(header_.kvs.back().value));
  const std::int64_t size = number_size(array.element_type);
  for (std::int64_t i = 0; i < array.count; ++i) {
    if (is_floating(array.element_type)) {
      array.floats.push_back(load_floating(array.element_type, bytes + i * size));
    } else {
      array.integers.push_back(load_integer(array.element_type, bytes + i * size));
    }
  }
  store(std::move(array));
}

void GgufReader::finish_keys() {
  const auto twin = find_duplicate(header_.kvs.size(), [this](std::size_t i) -> const std::string& {
    return header_.kvs[i].key;
  });
  if (twin) {
    field_start_ = header_.kvs[*twin].position;
    return fail_damaged();
  }
  for (const GgufKv& kv : header_.kvs) {
    if (kv.key != "general.alignment") continue;
    const auto* value = std::get_if<std::int64_t>(&kv.value);
    if (kv.type != GgufValueType::u32 || value == nullptr || *value == 0 ||
        (*value & (*value - 1)) != 0) {
      field_start_ = kv.position;
      return fail_damaged();
    }
    header_.alignment = *value;
  }
  next_tensor();
}

void GgufReader::next_tensor() {
  if (error_) return;
  if (static_cast<std::int64_t>(header_.tensors.size()) == n_tensors_) return finish_tensors();
  expect(Step::tensor_name_length, 8);
}

void GgufReader::on_tensor_dims(std::uint32_t n_dims) {
  if (n_dims > 4) return fail_damaged();
  header_.tensors.back().n_dims = static_cast<int>(n_dims);
  expect(Step::tensor_rest, std::int64_t{n_dims} * 8 + 4 + 8);
}

void GgufReader::on_tensor_rest(const std::uint8_t* bytes) {
  GgufTensor& tensor = header_.tensors.back();
  // Empty dimensions count as 1 here, so that no product of some of the dimensions overflows.
  std::int64_t elements = 1;
  bool is_empty = false;
  for (int i = 0; i < tensor.n_dims; ++i) {
    const std::int64_t ne = saturated(load<std::uint64_t>(bytes + std::ptrdiff_t{i} * 8));
    is_empty = is_empty || ne == 0;
    if (!checked_multiply(elements, std::max<std::int64_t>(ne, 1), elements) ||
        elements == std::numeric_limits<std::int64_t>::max()) {
      return fail_damaged();
    }
    tensor.ne[static_cast<std::size_t>(i)] = ne;
  }
  bytes += std::ptrdiff_t{tensor.n_dims} * 8;

  const std::uint32_t type_id = load<std::uint32_t>(bytes);
  const std::optional<GgmlType> type = ggml_type_from_id(type_id);
  if (!type && type_id >= kMaxTypeId) return fail_damaged();
  if (!type) return fail("gguf_type", std::to_string(type_id));
  tensor.type = *type;
  const BlockLayout layout = block_layout(*type);
  std::int64_t size = 0;
  if (tensor.ne[0] % layout.block != 0 ||
      !checked_multiply(elements / layout.block, layout.bytes, size)) {
    return fail_damaged();
  }
  if (is_empty && size <= GgufLimits::kData) size = 0;

  // No gaps: each tensor begins where the one before it ends, rounded up.
  tensor.offset = saturated(load<std::uint64_t>(bytes + 4));
  if (tensor.offset != data_end_ || size > GgufLimits::kData - tensor.offset) return fail_damaged();
  header_.data_needed = tensor.offset + size;
  data_end_ = round_up(header_.data_needed, header_.alignment);
  next_tensor();
}

void GgufReader::finish_tensors() {
  const auto twin = find_duplicate(
      header_.tensors.size(),
      [this](std::size_t i) -> const std::string& { return header_.tensors[i].name; });
  if (twin) {
    field_start_ = positions_[*twin];
    return fail_damaged();
  }
  positions_ = {};
  header_.header_size = round_up(position_ + skip_, header_.alignment);
  header_.data_present =
      std::clamp(file_size_ - header_.header_size, std::int64_t{0}, header_.data_needed);
  step_ = Step::done;
}

namespace {

constexpr std::string_view kGgufSuffix = ".gguf";

/// Names of the parts that are not there.
std::string list_missing(std::string_view prefix, const std::vector<bool>& present) {
  std::vector<std::string> names;
  const int count = static_cast<int>(present.size());
  for (int no = 0; no < count; ++no) {
    if (present[static_cast<std::size_t>(no)]) continue;
    names.push_back(shard_name(prefix, no + 1, count, kGgufSuffix));
  }
  return list_of_names(names);
}

}  // namespace

Result<GgufHeader> merge_gguf_splits(std::vector<GgufPart> parts) {
  if (parts.empty()) return Error{"shard_missing", "gguf", ""};
  const std::int64_t count = parts.front().header.integer("split.count").value_or(1);
  if (count <= 1 && parts.size() == 1) return std::move(parts.front().header);

  constexpr std::int64_t kMaxParts = 65535;  // split.count is stored as u16
  const auto name = parse_shard_name(parts.front().file_name, kGgufSuffix);
  std::vector<bool> present(
      static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, kMaxParts)));
  for (const GgufPart& part : parts) {
    const auto part_count = part.header.integer("split.count");
    const std::int64_t no = part.header.integer("split.no").value_or(-1);
    const auto part_name = parse_shard_name(part.file_name, kGgufSuffix);
    const bool same_name = !name || !part_name || name->prefix == part_name->prefix;
    if (part_count != count || no < 0 || no >= static_cast<std::int64_t>(present.size()) ||
        present[static_cast<std::size_t>(no)] || !same_name) {
      return Error{"shard_mixed", "gguf", part.file_name};
    }
    present[static_cast<std::size_t>(no)] = true;
  }
  if (parts.size() < present.size()) {
    return Error{"shard_missing", "gguf", list_missing(name ? name->prefix : "*", present)};
  }

  sort_items(parts, [](const GgufPart& a, const GgufPart& b) {
    return a.header.integer("split.no") < b.header.integer("split.no");
  });
  GgufHeader merged = std::move(parts.front().header);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    GgufHeader& part = parts[i].header;
    if (part.data_needed > GgufLimits::kData - merged.data_needed) {
      return Error{"damaged", "gguf", "0"};
    }
    for (GgufTensor& tensor : part.tensors) {
      tensor.part = static_cast<int>(i);
      merged.tensors.push_back(std::move(tensor));
    }
    merged.file_size += part.file_size;
    merged.header_size += part.header_size;
    merged.data_needed += part.data_needed;
    merged.data_present += part.data_present;
  }
  const auto announced = merged.integer("split.tensors.count");
  const bool complete =
      !announced || *announced == static_cast<std::int64_t>(merged.tensors.size());
  const auto twin = find_duplicate(merged.tensors.size(), [&](std::size_t i) -> const std::string& {
    return merged.tensors[i].name;
  });
  if (!complete || twin) return Error{"damaged", "gguf", "0"};
  return merged;
}

}  // namespace meyasu
