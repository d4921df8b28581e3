// From a file name to the catalog entry it is a file of.
#pragma once

#include <string_view>

#include "core/catalog/catalog.hpp"

namespace meyasu {

/// The entry whose name stands in `file_name` word for word ("Meta-Llama-3.1-8B-Instruct-Q4_K_M
/// .gguf" holds "Llama-3.1-8B-Instruct" and "Llama-3.1-8B": the longer counts). Case does not
/// matter; '-', '_', '.' and blanks part words. Nothing for names without a digit, such as
/// "mamba", which stand in too many other names.
[[nodiscard]] const CatalogEntry* entry_of_file(const Catalog& catalog, std::string_view file_name);

}  // namespace meyasu
