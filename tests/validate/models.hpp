// The models that tables speak of: read from header-only GGUF files with the product's reader,
// quantized by rule, kept for the next row.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/catalog/catalog.hpp"
#include "core/model/model.hpp"
#include "core/quantization/mix.hpp"
#include "core/units/result.hpp"

namespace validate {

class ModelStore {
 public:
  /// `headers`: folder with one NAME.gguf per model; may be empty.
  explicit ModelStore(std::string headers) : headers_(std::move(headers)) {}

  /// The model as its header stores it (F16, F32). Error: code "no_header" with the path looked
  /// for, or what the reader says.
  const meyasu::Result<meyasu::Model>& header(std::string_view name);

  /// The same in a mix by its name ("Q4_K_M"), tensors in the order in which llama-quantize writes
  /// them. Errors as above, or "no_mix".
  const meyasu::Result<meyasu::Model>& quantized(std::string_view name, std::string_view mix);

  /// The model that people call by a name like this ("Meta Llama 3.1 8B Instruct", a fine-tune's
  /// name): a header file or a catalog entry whose name is the same but for spelling and words
  /// that do not change the shape. nullptr if there is none.
  const meyasu::Model* by_loose_name(std::string_view name);

 private:
  void index_names();
  std::optional<meyasu::Model> model_by_key(const std::string& key);

  std::string headers_;
  std::map<std::string, std::string, std::less<>> header_names_;  // by loose key
  std::map<std::string, std::size_t, std::less<>> catalog_names_;
  std::optional<meyasu::Catalog> catalog_;
  std::map<std::string, std::optional<meyasu::Model>, std::less<>> loose_;
  std::map<std::string, meyasu::Result<meyasu::Model>, std::less<>> stored_;
  std::map<std::string, meyasu::Result<meyasu::Model>, std::less<>> mixes_;
};

/// `model` in that mix, tensors in the order of a quantized file.
[[nodiscard]] meyasu::Result<meyasu::Model> apply_mix(const meyasu::Model& model,
                                                      const meyasu::MixName& mix);

/// A name reduced to what fixes the shape: lower case letters and digits, without words such as
/// "instruct" ("Llama 3 - 8B Instruct" -> "llama38b").
[[nodiscard]] std::string loose_key(std::string_view name);

/// The whole file, or nothing.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path);

}  // namespace validate
