// Readers of model files: the page reads byte ranges and feeds them, headers stay here.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/readers/gguf_header.hpp"
#include "core/readers/gguf_model.hpp"
#include "core/readers/safetensors_header.hpp"
#include "core/study/projector.hpp"
#include "wasm/convert.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(const GgufHeader& header) {
  return val(header);
}

static val to_js(const SafetensorsHeader& header) {
  return val(header);
}

static val to_js(const Model& model) {
  return val(model);
}

static val to_js(const ByteRange& range) {
  return object({{"offset", to_js(range.offset)}, {"length", to_js(range.length)}});
}

static val to_js(const SafetensorsIndex& index) {
  return val(index);
}

/// File sizes come as JavaScript numbers; anything that is no size becomes an empty file.
static std::int64_t size_from_js(double size) {
  constexpr double kLargest = 9007199254740991;  // 2^53 - 1
  return size > 0 ? static_cast<std::int64_t>(std::min(size, kLargest)) : 0;
}

template <class Reader>
static Reader* make_reader(double file_size) {
  return new Reader(size_from_js(file_size));  // owned by the JavaScript object
}

template <class Reader>
static val need(const Reader& reader) {
  return to_js(reader.need());
}

template <class Reader>
static void feed(Reader& reader, const val& bytes) {
  const auto size = bytes["length"].as<std::size_t>();
  // Not a vector: it is filled with zeros first, which built for size is a call for each byte.
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);
  val(emscripten::typed_memory_view(size, copy.get())).call<void>("set", bytes);
  reader.feed({copy.get(), size});
}

template <class Reader>
static val take(Reader& reader) {
  return to_js(reader.take());
}

template <class Reader>
static void bind_reader(const char* name) {
  emscripten::class_<Reader>(name)
      .constructor(&make_reader<Reader>, emscripten::allow_raw_pointers())
      .function("finished", &Reader::finished)
      .function("need", &need<Reader>)
      .function("feed", &feed<Reader>)
      .function("progress", &Reader::progress)
      .function("take", &take<Reader>);
}

static val gguf_summary(const GgufHeader& header) {
  return object({{"version", to_js(static_cast<int>(header.version))},
                 {"architecture", to_js(header.text("general.architecture"))},
                 {"name", to_js(header.text("general.name"))},
                 {"n_tensors", to_js(static_cast<std::int64_t>(header.tensors.size()))},
                 {"file_size", to_js(header.file_size)},
                 {"header_size", to_js(header.header_size)},
                 {"data_needed", to_js(header.data_needed)},
                 {"data_present", to_js(header.data_present)},
                 {"header_only", to_js(header.header_only())},
                 {"split_count", to_js(header.integer("split.count"))},
                 {"finding", to_js(header.finding())}});
}

static val safetensors_summary(const SafetensorsHeader& header) {
  return object({{"n_tensors", to_js(static_cast<std::int64_t>(header.tensors.size()))},
                 {"file_size", to_js(header.file_size)},
                 {"header_size", to_js(header.header_size)},
                 {"data_needed", to_js(header.data_needed)},
                 {"data_present", to_js(header.data_present)},
                 {"header_only", to_js(header.header_only())},
                 {"finding", to_js(header.finding())}});
}

/// [{file_name, header}, ...] as a list of parts.
template <class Part, class Header>
static std::vector<Part> parts_from_js(const val& list) {
  std::vector<Part> parts;
  const auto count = list["length"].as<int>();
  for (int i = 0; i < count; ++i) {
    const val part = list[i];
    parts.push_back({part["file_name"].as<std::string>(), part["header"].as<Header>()});
  }
  return parts;
}

static val merge_gguf_splits_js(const val& parts) {
  return to_js(merge_gguf_splits(parts_from_js<GgufPart, GgufHeader>(parts)));
}

static val model_from_gguf_js(const GgufHeader& header) {
  return to_js(model_from_gguf(header));
}

static val projector_mib_js(const Model& file) {
  return to_js(projector_mib(file));
}

static val parse_safetensors_index_js(const std::string& text) {
  return to_js(parse_safetensors_index(text));
}

static val index_files(const SafetensorsIndex& index) {
  return array(index.files);
}

static val merge_safetensors_js(const val& shards, const val& index) {
  auto parts = parts_from_js<SafetensorsShard, SafetensorsHeader>(shards);
  if (index.isNull()) return to_js(merge_safetensors(std::move(parts)));
  const auto known = index.as<SafetensorsIndex>();
  return to_js(merge_safetensors(std::move(parts), &known));
}

EMSCRIPTEN_BINDINGS(readers) {
  bind_reader<GgufReader>("GgufReader");
  emscripten::class_<GgufHeader>("GgufHeader").function("summary", &gguf_summary);
  emscripten::function("merge_gguf_splits", &merge_gguf_splits_js);
  emscripten::function("model_from_gguf", &model_from_gguf_js);
  emscripten::function("projector_mib", &projector_mib_js);

  bind_reader<SafetensorsReader>("SafetensorsReader");
  emscripten::class_<SafetensorsHeader>("SafetensorsHeader")
      .function("summary", &safetensors_summary);
  emscripten::class_<SafetensorsIndex>("SafetensorsIndex").function("files", &index_files);
  emscripten::function("parse_safetensors_index", &parse_safetensors_index_js);
  emscripten::function("merge_safetensors", &merge_safetensors_js);
}

}  // namespace meyasu
