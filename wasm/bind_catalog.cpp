// The catalog of published models, its search, and config.json.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/catalog/catalog.hpp"
#include "core/catalog/name_match.hpp"
#include "core/catalog/search.hpp"
#include "core/model/derive_tensors.hpp"
#include "core/readers/config_json.hpp"
#include "wasm/convert.hpp"
#include "wasm/convert_model.hpp"
#include "wasm/inference_options.hpp"

namespace meyasu {

using emscripten::val;

/// Read on first use; the page asks for it when the visitor opens the list.
const Catalog& model_catalog() {
  static const Result<Catalog> built_in = Catalog::built_in();
  static const Catalog empty;
  return built_in.ok() ? built_in.value() : empty;
}

static val to_js(const CatalogEntry& entry) {
  return object({{"id", to_js(entry.id)},
                 {"name", to_js(entry.name)},
                 {"family", to_js(entry.family)},
                 {"model_type", to_js(entry.model_type)},
                 {"params_total", to_js(entry.params_total)},
                 {"params_exact", to_js(entry.params_exact)},
                 {"params_active", to_js(entry.params_active)},
                 {"checkpoint_total", to_js(entry.checkpoint_total)},
                 {"has_shape", to_js(entry.has_shape)},
                 {"confidence", to_js(confidence_name(entry.confidence))},
                 {"sources", array(entry.sources)}});
}

static val to_js(const Model& model) {
  return val(model);
}

static Error not_in_catalog(const std::string& id) {
  return {"hf_404", "catalog", id};
}

static val catalog_search(const std::string& query, double limit) {
  static const CatalogSearch search(model_catalog());
  constexpr double kMost = 1e6;
  const auto count = static_cast<std::size_t>(limit > 0 ? std::min(limit, kMost) : 0);
  val found = val::array();
  int index = 0;
  for (const std::size_t at : search.find(query, count)) {
    found.set(index++, to_js(model_catalog().entries()[at]));
  }
  return found;
}

static val catalog_entry(const std::string& id) {
  const CatalogEntry* entry = model_catalog().find(id);
  return entry == nullptr ? val::null() : to_js(*entry);
}

static val catalog_entry_of_file(const std::string& file_name) {
  const CatalogEntry* entry = entry_of_file(model_catalog(), file_name);
  return entry == nullptr ? val::null() : to_js(*entry);
}

static val catalog_parameters(const std::string& id) {
  const CatalogEntry* entry = model_catalog().find(id);
  if (entry == nullptr) return failed(not_in_catalog(id));
  return to_js(count_parameters(architecture_of(*entry)));
}

static val catalog_model(const std::string& id) {
  const CatalogEntry* entry = model_catalog().find(id);
  if (entry == nullptr) return failed(not_in_catalog(id));
  return to_js(model_of(*entry));
}

static std::string catalog_version() {
  return model_catalog().version();
}

static val model_from_config_js(const std::string& json) {
  return to_js(model_from_config(json));
}

EMSCRIPTEN_BINDINGS(catalog) {
  emscripten::function("catalog_version", &catalog_version);
  emscripten::function("catalog_search", &catalog_search);
  emscripten::function("catalog_entry", &catalog_entry);
  emscripten::function("catalog_entry_of_file", &catalog_entry_of_file);
  emscripten::function("catalog_parameters", &catalog_parameters);
  emscripten::function("catalog_model", &catalog_model);
  emscripten::function("model_from_config", &model_from_config_js);
}

}  // namespace meyasu
