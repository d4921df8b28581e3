// Finding a device by what a person types: "4090", "rtx4090 laptop", "m3 max", "24GB", "ラデオン".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/hardware/hardware.hpp"

namespace meyasu {

/// What a person may type before or after a device: "2x l40s", "3090 ×4", "l40s 2枚".
struct DeviceQuery {
  int count = 1;
  std::string text;  // the rest, folded
};
/// Numbers above 16 are no counts but names.
[[nodiscard]] DeviceQuery read_device_query(std::string_view query);

/// An index over a catalog, which must outlive it. Widths, case and kana do not matter.
class DeviceSearch {
 public:
  explicit DeviceSearch(const DeviceCatalog& catalog);

  /// Positions in catalog.devices(), best first, at most `limit`. Every word of the query must
  /// match, in any order: in vendor, name or id, or as a memory size ("24gb") that the device is
  /// sold with. A count is passed over. An empty query gives the catalog's own order.
  [[nodiscard]] std::vector<std::size_t> find(std::string_view query, std::size_t limit) const;
  /// The devices whose whole name stands in what a browser or a driver prints, "ANGLE (NVIDIA,
  /// NVIDIA GeForce RTX 4060 Ti Direct3D11)": the longest name, several where one name is sold with
  /// several sizes. Empty: none, or only a generation ("ampere").
  [[nodiscard]] std::vector<std::size_t> named_in(std::string_view text) const;

 private:
  struct Document {
    std::vector<std::string> words;
    std::string joined;          // vendor and name without gaps: "nvidiageforcertx4090"
    std::size_t length = 0;      // of the same without sizes: "RTX 3060 12GB" is no longer a name
    std::vector<int> sizes_gib;  // sold sizes
    bool has_vendor = false;
    std::vector<std::string> driver_words;  // as named_in() looks for them
  };

  [[nodiscard]] static int score(const Document& document, const std::string& word);

  std::vector<Document> documents_;
};

}  // namespace meyasu
