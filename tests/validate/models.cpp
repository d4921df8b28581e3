#include "tests/validate/models.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "core/readers/gguf_header.hpp"
#include "core/readers/gguf_model.hpp"

namespace validate {
namespace {

using meyasu::Error;
using meyasu::Model;
using meyasu::Result;

Result<Model> read_header(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return Error{"no_header", "headers", "no header file"};
  meyasu::GgufReader reader(static_cast<std::int64_t>(bytes->size()));
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes->data());
  while (!reader.finished()) {
    const meyasu::ByteRange range = reader.need();
    const std::int64_t left = static_cast<std::int64_t>(bytes->size()) - range.offset;
    const std::int64_t length = std::clamp<std::int64_t>(left, 0, range.length);
    reader.feed({data + range.offset, static_cast<std::size_t>(length)});
  }
  const auto header = reader.take();
  if (!header) return header.error();
  return meyasu::model_from_gguf(header.value());
}

}  // namespace

std::string loose_key(std::string_view name) {
  // Words of publishers and fine-tunes that leave the shape as it is.
  constexpr std::string_view kNoise[] = {
      "meta",  "instruct", "it",  "chat", "hf",   "gguf", "class", "qat",     "128k",    "1m",
      "coder", "hermes",   "pro", "nous", "beta", "gptq", "awq",   "preview", "model",   "ai",
      "the",   "text",     "fp8", "0414", "0528", "1210", "2407",  "v0.1bf",  "distill", "base"};
  std::string key;
  std::string word;
  const auto end_word = [&] {
    if (std::find(std::begin(kNoise), std::end(kNoise), word) == std::end(kNoise)) key += word;
    word.clear();
  };
  for (const char at : name) {
    if (at == '(' || at == '[') break;  // remarks
    const bool digit = at >= '0' && at <= '9';
    const bool upper = at >= 'A' && at <= 'Z';
    if (digit || upper || (at >= 'a' && at <= 'z')) {
      word += upper ? static_cast<char>(at - 'A' + 'a') : at;
    } else if (at == '.') {
      word += at;  // "1.3b" is not "13b"
    } else {
      end_word();
    }
  }
  end_word();
  return key;
}

/// The key of a name whose writer left the dots out ("Qwen25 7B").
std::string without_dots(std::string key) {
  std::erase(key, '.');
  return key;
}

void ModelStore::index_names() {
  if (catalog_) return;
  auto catalog = meyasu::Catalog::built_in();
  if (catalog) catalog_ = std::move(catalog.value());
  std::error_code error;
  if (!headers_.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(headers_, error)) {
      if (entry.path().extension() != ".gguf") continue;
      const std::string name = entry.path().stem().string();
      header_names_.emplace(loose_key(name), name);
    }
    const auto exact = header_names_;
    for (const auto& [key, name] : exact) header_names_.emplace(without_dots(key), name);
  }
  if (!catalog_) return;
  const auto& entries = catalog_->entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].has_shape) catalog_names_.emplace(loose_key(entries[i].name), i);
  }
  // After all exact names: "opt-13b" is not "opt-1.3b".
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].has_shape) catalog_names_.emplace(without_dots(loose_key(entries[i].name)), i);
  }
}

std::optional<Model> ModelStore::model_by_key(const std::string& key) {
  if (const auto file = header_names_.find(key); file != header_names_.end()) {
    if (const auto& stored = header(file->second)) return stored.value();
  }
  if (const auto entry = catalog_names_.find(key); entry != catalog_names_.end()) {
    auto derived = meyasu::model_of(catalog_->entries()[entry->second]);
    if (derived && !derived.value().tensors.empty()) return std::move(derived.value());
  }
  return std::nullopt;
}

const Model* ModelStore::by_loose_name(std::string_view name) {
  const std::string key = loose_key(name);
  const auto known = loose_.find(key);
  if (known != loose_.end()) return known->second ? &*known->second : nullptr;
  index_names();
  auto model = model_by_key(key);
  if (!model) model = model_by_key(without_dots(key));
  if (!model) model = model_by_key(key + "v0.1");      // a name without a version is the first
  if (!model) model = model_by_key(key + "1.1bv1.0");  // "tiny-llama" has one size
  const auto& kept = loose_.emplace(key, std::move(model)).first->second;
  return kept ? &*kept : nullptr;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<Model> apply_mix(const Model& model, const meyasu::MixName& mix) {
  const auto quantized = meyasu::quantize_mix(model, mix.ftype, mix.options);
  if (!quantized) return quantized.error();
  Model result = model;
  for (std::size_t i = 0; i < result.tensors.size(); ++i) {
    result.tensors[i].type = quantized.value().types[i];
  }
  std::stable_sort(result.tensors.begin(), result.tensors.end(),
                   [](const meyasu::Tensor& a, const meyasu::Tensor& b) {
                     return a.layer != b.layer ? a.layer < b.layer : a.name < b.name;
                   });
  return result;
}

const Result<Model>& ModelStore::header(std::string_view name) {
  const auto found = stored_.find(name);
  if (found != stored_.end()) return found->second;
  Result<Model> model = headers_.empty() || name.find('/') != std::string_view::npos
                            ? Result<Model>(Error{"no_header", "headers", "no header file"})
                            : read_header(headers_ + "/" + std::string(name) + ".gguf");
  return stored_.emplace(std::string(name), std::move(model)).first->second;
}

const Result<Model>& ModelStore::quantized(std::string_view name, std::string_view mix) {
  if (mix == "stored") return header(name);  // types as in the file
  const std::string key = std::string(name) + '\n' + std::string(mix);
  const auto found = mixes_.find(key);
  if (found != mixes_.end()) return found->second;
  const Result<Model>& stored = header(name);
  const auto mix_name = meyasu::mix_from_name(mix);
  Result<Model> model = !stored     ? Result<Model>(stored.error())
                        : !mix_name ? Result<Model>(Error{"no_mix", "quant", std::string(mix)})
                                    : apply_mix(stored.value(), *mix_name);
  return mixes_.emplace(key, std::move(model)).first->second;
}

}  // namespace validate
