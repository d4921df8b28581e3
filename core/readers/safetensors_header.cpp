#include "core/readers/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include "core/readers/duplicates.hpp"
#include "core/readers/json.hpp"
#include "core/readers/shard_name.hpp"
#include "core/units/sort.hpp"

namespace meyasu {
namespace {

constexpr std::string_view kField = "safetensors";
constexpr std::string_view kSafetensorsSuffix = ".safetensors";
constexpr std::int64_t kLengthBytes = 8;

struct DtypeRow {
  SafetensorsDtype dtype;
  std::string_view name;
  int bits;
};

constexpr std::array kDtypes = {
    DtypeRow{SafetensorsDtype::BOOL, "BOOL", 8},
    DtypeRow{SafetensorsDtype::F4, "F4", 4},
    DtypeRow{SafetensorsDtype::F6_E2M3, "F6_E2M3", 6},
    DtypeRow{SafetensorsDtype::F6_E3M2, "F6_E3M2", 6},
    DtypeRow{SafetensorsDtype::U8, "U8", 8},
    DtypeRow{SafetensorsDtype::I8, "I8", 8},
    DtypeRow{SafetensorsDtype::F8_E5M2, "F8_E5M2", 8},
    DtypeRow{SafetensorsDtype::F8_E4M3, "F8_E4M3", 8},
    DtypeRow{SafetensorsDtype::F8_E8M0, "F8_E8M0", 8},
    DtypeRow{SafetensorsDtype::F8_E4M3FNUZ, "F8_E4M3FNUZ", 8},
    DtypeRow{SafetensorsDtype::F8_E5M2FNUZ, "F8_E5M2FNUZ", 8},
    DtypeRow{SafetensorsDtype::I16, "I16", 16},
    DtypeRow{SafetensorsDtype::U16, "U16", 16},
    DtypeRow{SafetensorsDtype::F16, "F16", 16},
    DtypeRow{SafetensorsDtype::BF16, "BF16", 16},
    DtypeRow{SafetensorsDtype::I32, "I32", 32},
    DtypeRow{SafetensorsDtype::U32, "U32", 32},
    DtypeRow{SafetensorsDtype::F32, "F32", 32},
    DtypeRow{SafetensorsDtype::C64, "C64", 64},
    DtypeRow{SafetensorsDtype::F64, "F64", 64},
    DtypeRow{SafetensorsDtype::I64, "I64", 64},
    DtypeRow{SafetensorsDtype::U64, "U64", 64},
};

const DtypeRow& row_of(SafetensorsDtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [&](const DtypeRow& row) { return row.dtype == dtype; });
}

Error error_of(std::string code, std::string detail) {
  return {std::move(code), std::string(kField), std::move(detail)};
}

/// A whole number >= 0 written as one, or nothing.
std::optional<std::int64_t> count_of(const JsonValue& value) {
  if (!value.is_exact_integer()) return std::nullopt;
  const auto number = value.as_integer();
  return number && *number >= 0 ? number : std::nullopt;
}

/// Bytes of `tensor`, whose dtype and shape are set; nothing if they overflow or do not fill whole
/// bytes. Sets `elements`.
std::optional<Bytes> fill_size(SafetensorsTensor& tensor) {
  // Empty dimensions count as 1 here, so that no product of some of the dimensions overflows.
  std::int64_t elements = 1;
  bool is_empty = false;
  for (const std::int64_t n : tensor.shape) {
    is_empty = is_empty || n == 0;
    if (__builtin_mul_overflow(elements, std::max<std::int64_t>(n, 1), &elements)) {
      return std::nullopt;
    }
  }
  if (elements > 2 * SafetensorsLimits::kData) return std::nullopt;  // F4 has two a byte
  tensor.elements = is_empty ? 0 : elements;
  const std::int64_t bits = tensor.elements * safetensors_dtype_bits(tensor.dtype);
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

/// One member of the header. `header_size` turns offsets into positions for messages.
Result<SafetensorsTensor> tensor_of(const std::string& name, const JsonValue& value,
                                    Bytes header_size) {
  SafetensorsTensor tensor;
  tensor.name = name;
  const JsonValue* dtype = value.find("dtype");
  const JsonValue* shape = value.find("shape");
  const JsonValue* offsets = value.find("data_offsets");
  if (name.size() > static_cast<std::size_t>(SafetensorsLimits::kName) || dtype == nullptr ||
      !dtype->is_string() || shape == nullptr || !shape->is_array() || offsets == nullptr ||
      offsets->items().size() != 2 ||
      shape->items().size() > static_cast<std::size_t>(SafetensorsLimits::kDimensions)) {
    return error_of("st_header", name.substr(0, SafetensorsLimits::kName));
  }
  const auto known = safetensors_dtype(dtype->text());
  if (!known) return error_of("st_dtype", dtype->text().substr(0, 32));
  tensor.dtype = *known;
  for (const JsonValue& item : shape->items()) {
    const auto n = count_of(item);
    if (!n) return error_of("st_header", name);
    tensor.shape.push_back(*n);
  }
  const auto begin = count_of(offsets->items()[0]);
  const auto end = count_of(offsets->items()[1]);
  if (!begin || !end || *end > SafetensorsLimits::kData) return error_of("st_header", name);
  const auto bytes = fill_size(tensor);
  if (!bytes || *begin > *end || *end - *begin != *bytes) {
    return error_of("damaged",
                    std::to_string(std::min(*begin, SafetensorsLimits::kData) + header_size));
  }
  tensor.begin = *begin;
  tensor.bytes = *bytes;
  return tensor;
}

/// Fills `header`, whose sizes are set, from the parsed object.
std::optional<Error> fill_header(const JsonValue& root, SafetensorsHeader& header) {
  if (!root.is_object()) return error_of("st_header", "");
  if (root.items().size() > static_cast<std::size_t>(SafetensorsLimits::kTensors)) {
    return error_of("st_header", "");
  }
  for (std::size_t i = 0; i < root.items().size(); ++i) {
    const std::string& name = root.keys()[i];
    const JsonValue& value = root.items()[i];
    if (name == "__metadata__") {
      for (std::size_t k = 0; k < value.items().size() && value.is_object(); ++k) {
        header.metadata.emplace_back(value.keys()[k], value.items()[k].text());
      }
      continue;
    }
    auto tensor = tensor_of(name, value, header.header_size);
    if (!tensor.ok()) return tensor.error();
    header.tensors.push_back(std::move(tensor.value()));
  }
  sort_items(header.tensors, [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.bytes < b.bytes;
  });
  Bytes end = 0;
  for (const SafetensorsTensor& tensor : header.tensors) {
    if (tensor.begin != end) {
      return error_of("damaged", std::to_string(header.header_size + std::min(tensor.begin, end)));
    }
    end += tensor.bytes;
  }
  const Bytes data = header.file_size - header.header_size;
  if (data > end) return error_of("damaged", std::to_string(header.header_size + end));
  header.data_needed = end;
  header.data_present = data;
  return std::nullopt;
}

/// A plain relative name: index files are also used to build addresses.
bool is_safe_file_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  return !name.empty() && name.size() <= kLongest && name.front() != '/' &&
         name.find("..") == std::string_view::npos && name.find('\\') == std::string_view::npos &&
         name.find(':') == std::string_view::npos;
}

/// Names of a numbered series that are not among `shards`; nothing when the names are no series.
std::vector<std::string> missing_of_series(const std::vector<SafetensorsShard>& shards) {
  const auto first = parse_shard_name(shards.front().file_name, kSafetensorsSuffix);
  if (!first) return {};
  std::vector<bool> present(static_cast<std::size_t>(first->count));
  for (const SafetensorsShard& shard : shards) {
    const auto name = parse_shard_name(shard.file_name, kSafetensorsSuffix);
    if (name && name->number <= first->count) {
      present[static_cast<std::size_t>(name->number - 1)] = true;
    }
  }
  std::vector<std::string> missing;
  for (int number = 1; number <= first->count; ++number) {
    if (present[static_cast<std::size_t>(number - 1)]) continue;
    missing.push_back(shard_name(first->prefix, number, first->count, kSafetensorsSuffix));
  }
  return missing;
}

/// Whether all names are of the same series as the first, or none is.
const SafetensorsShard* find_foreign(const std::vector<SafetensorsShard>& shards) {
  const auto first = parse_shard_name(shards.front().file_name, kSafetensorsSuffix);
  for (const SafetensorsShard& shard : shards) {
    const auto name = parse_shard_name(shard.file_name, kSafetensorsSuffix);
    const bool same = first.has_value() == name.has_value() &&
                      (!first || (name->prefix == first->prefix && name->count == first->count));
    if (!same) return &shard;
  }
  return nullptr;
}

/// Whether the tensors of the index are where it says. `shards` are sorted by name, as its files.
const std::string* find_contradiction(const std::vector<SafetensorsShard>& shards,
                                      const SafetensorsIndex& index) {
  std::vector<std::vector<std::string_view>> names(shards.size());
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const auto& tensor : shards[i].header.tensors) names[i].push_back(tensor.name);
    sort_items(names[i], std::less<>{});
  }
  for (const auto& [tensor, file] : index.tensors) {
    if (!std::binary_search(names[file].begin(), names[file].end(), tensor)) {
      return &shards[file].file_name;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<SafetensorsDtype> safetensors_dtype(std::string_view name) {
  for (const DtypeRow& row : kDtypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::string_view safetensors_dtype_name(SafetensorsDtype dtype) {
  return row_of(dtype).name;
}

int safetensors_dtype_bits(SafetensorsDtype dtype) {
  return row_of(dtype).bits;
}

std::optional<Error> SafetensorsHeader::finding() const {
  if (header_only() || data_present == data_needed) return std::nullopt;
  return error_of("truncated", std::to_string(data_needed - data_present));
}

SafetensorsReader::SafetensorsReader(std::int64_t file_size)
    : file_size_(std::max<std::int64_t>(file_size, 0)) {
  header_.file_size = file_size_;
  if (file_size_ < kLengthBytes) fail("st_header", "");
}

ByteRange SafetensorsReader::need() const {
  if (finished()) return {};
  // The first request already takes a small header along.
  const std::int64_t end = header_end_ == kLengthBytes ? file_size_ : header_end_;
  return {position_, std::min(chunk_, end - position_)};
}

void SafetensorsReader::feed(std::span<const std::uint8_t> bytes) {
  if (finished()) return;
  if (bytes.empty()) return fail("truncated", std::to_string(position_));
  chunk_ = std::min(chunk_ * 2, SafetensorsLimits::kLargestChunk);
  std::size_t used = 0;
  while (!finished() && used < bytes.size()) {
    const auto wanted = static_cast<std::size_t>(header_end_ - position_);
    const std::size_t taken = std::min(wanted, bytes.size() - used);
    text_.append(reinterpret_cast<const char*>(bytes.data()) + used, taken);
    used += taken;
    position_ += static_cast<std::int64_t>(taken);
    if (position_ < header_end_) return;
    if (header_end_ == kLengthBytes) {
      on_length();
      continue;
    }
    if (text_[kLengthBytes] != '{') return fail("st_header", "");
    const auto root = parse_json(std::string_view(text_).substr(kLengthBytes), kField);
    text_ = {};
    if (!root.ok()) return fail(root.error().code, root.error().detail);
    header_.header_size = header_end_;
    error_ = fill_header(root.value(), header_);
    done_ = true;
  }
}

void SafetensorsReader::on_length() {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::uint64_t{static_cast<std::uint8_t>(text_[i])} << (8 * i);
  }
  if (length < 2 || length > static_cast<std::uint64_t>(SafetensorsLimits::kHeader)) {
    return fail("st_header", "");
  }
  header_end_ = kLengthBytes + static_cast<std::int64_t>(length);
  if (header_end_ > file_size_) fail("truncated", std::to_string(file_size_));
}

double SafetensorsReader::progress() const {
  if (finished()) return 1;
  if (header_end_ == kLengthBytes) return 0;
  return static_cast<double>(position_) / static_cast<double>(header_end_);
}

Result<SafetensorsHeader> SafetensorsReader::take() {
  if (error_) return *error_;
  if (!done_) return error_of("truncated", std::to_string(position_));
  return std::move(header_);
}

void SafetensorsReader::fail(std::string code, std::string detail) {
  error_ = error_of(std::move(code), std::move(detail));
}

Result<SafetensorsIndex> parse_safetensors_index(std::string_view text) {
  const auto root = parse_json(text, kField);
  if (!root.ok()) return root.error();
  const JsonValue* map = root.value().find("weight_map");
  if (map == nullptr || !map->is_object()) return error_of("st_header", "weight_map");
  SafetensorsIndex index;
  for (const JsonValue& file : map->items()) {
    if (!file.is_string() || !is_safe_file_name(file.text())) {
      return error_of("st_header", file.text().substr(0, SafetensorsLimits::kName));
    }
    index.files.push_back(file.text());
  }
  sort_items(index.files, std::less<>{});
  index.files.erase(std::unique(index.files.begin(), index.files.end()), index.files.end());
  for (std::size_t i = 0; i < map->items().size(); ++i) {
    const auto file =
        std::lower_bound(index.files.begin(), index.files.end(), map->items()[i].text());
    index.tensors.emplace_back(map->keys()[i],
                               static_cast<std::size_t>(file - index.files.begin()));
  }
  return index;
}

Result<SafetensorsHeader> merge_safetensors(std::vector<SafetensorsShard> shards,
                                            const SafetensorsIndex* index) {
  sort_items(shards, [](const auto& a, const auto& b) { return a.file_name < b.file_name; });
  std::vector<std::string> missing;
  if (index != nullptr) {
    for (const SafetensorsShard& shard : shards) {
      if (!std::binary_search(index->files.begin(), index->files.end(), shard.file_name)) {
        return error_of("shard_mixed", shard.file_name);
      }
    }
    for (const std::string& file : index->files) {
      const auto has_name = [&](const auto& shard) { return shard.file_name == file; };
      if (std::none_of(shards.begin(), shards.end(), has_name)) missing.push_back(file);
    }
  } else if (!shards.empty()) {
    if (const auto* foreign = find_foreign(shards)) {
      return error_of("shard_mixed", foreign->file_name);
    }
    missing = missing_of_series(shards);
  }
  if (shards.empty() || !missing.empty()) {
    return error_of("shard_missing", list_of_names(missing));
  }
  const auto twin =
      std::adjacent_find(shards.begin(), shards.end(),
                         [](const auto& a, const auto& b) { return a.file_name == b.file_name; });
  if (twin != shards.end()) return error_of("shard_mixed", twin->file_name);
  if (index != nullptr) {
    if (const auto* name = find_contradiction(shards, *index)) {
      return error_of("shard_mixed", *name);
    }
  }

  SafetensorsHeader merged;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    SafetensorsHeader& shard = shards[i].header;
    if (shard.data_needed > SafetensorsLimits::kData - merged.data_needed ||
        merged.tensors.size() + shard.tensors.size() >
            static_cast<std::size_t>(SafetensorsLimits::kTensors)) {
      return error_of("shard_mixed", shards[i].file_name);
    }
    for (SafetensorsTensor& tensor : shard.tensors) {
      tensor.shard = static_cast<int>(i);
      merged.tensors.push_back(std::move(tensor));
    }
    if (i == 0) merged.metadata = std::move(shard.metadata);
    merged.file_size += shard.file_size;
    merged.header_size += shard.header_size;
    merged.data_needed += shard.data_needed;
    merged.data_present += shard.data_present;
  }
  const auto repeated =
      find_duplicate(merged.tensors.size(),
                     [&](std::size_t i) -> const std::string& { return merged.tensors[i].name; });
  if (repeated) {
    const auto shard = static_cast<std::size_t>(merged.tensors[*repeated].shard);
    return error_of("shard_mixed", shards[shard].file_name);
  }
  return merged;
}

}  // namespace meyasu
