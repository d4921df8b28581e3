// The catalog: published models with their sizes, the source of each figure and how far to trust
// it. The data is core/catalog/models.json (README.md there explains the fields), built into the
// library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/architecture.hpp"
#include "core/readers/json.hpp"
#include "core/units/confidence.hpp"
#include "core/units/result.hpp"

namespace meyasu {

struct CatalogEntry {
  std::string id;      // Hugging Face id, "org/name"
  std::string name;    // the part after the slash
  std::string family;  // "Llama", "Japanese", ...
  std::string model_type;
  std::int64_t params_total = 0;   // as published
  bool params_exact = false;       // to the unit; otherwise rounded by the publisher
  std::int64_t params_active = 0;  // as published; 0 = not stated
  /// Total printed on the model page where it also counts copies, buffers or scales; 0 = the same.
  std::int64_t checkpoint_total = 0;
  bool has_shape = false;  // false: only the count is known, no tensors can be derived
  Confidence confidence = Confidence::high;
  std::vector<std::string> sources;

  JsonValue fields;       // as in models.json
  JsonValue base_fields;  // of the entry named by "like"; null otherwise
};

class Catalog {
 public:
  /// Reads catalog text. Errors: "json_bad" (detail: line), or "damaged" with the id at fault.
  [[nodiscard]] static Result<Catalog> parse(std::string_view json);
  /// The catalog that was built in; one or two milliseconds.
  [[nodiscard]] static Result<Catalog> built_in();

  [[nodiscard]] const std::string& version() const { return version_; }
  [[nodiscard]] const std::vector<CatalogEntry>& entries() const { return entries_; }
  /// The entry with that id or, failing that, that name; letter case does not matter.
  [[nodiscard]] const CatalogEntry* find(std::string_view id) const;

 private:
  std::string version_;
  std::vector<CatalogEntry> entries_;
};

/// The text of models.json without insignificant white space.
[[nodiscard]] std::string_view built_in_catalog_json();

/// The architecture of an entry; `known` is false when it has no shape.
[[nodiscard]] Architecture architecture_of(const CatalogEntry& entry);

/// The model of an entry with derived tensors. Without a shape: provenance `count`, no layers and
/// no tensors, `unknowns` says "shape_unknown".
[[nodiscard]] Result<Model> model_of(const CatalogEntry& entry);

}  // namespace meyasu
