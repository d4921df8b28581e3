// The rows of tests/truth/llamacpp_truth.csv and llamacpp_more.csv that concern compute buffers, as
// settings.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/inference/llama_cpp/compute_buffer.hpp"
#include "core/inference/llama_cpp/placement.hpp"

namespace meyasu::testing {

struct ComputeRow {
  std::string id;
  std::string model;
  std::string component;  // "compute_buffer:GPU0", "graph_nodes"
  std::string context;    // equal for rows of one run
  LlamaCppSettings settings;
  Bytes bytes = 0;  // as the runtime reported them, or from MiB with two decimals
  Bytes tolerance = 0;
  std::int64_t n_nodes = -1;
  std::int64_t n_splits = -1;

  [[nodiscard]] bool is_node_count() const { return component == "graph_nodes"; }
  /// The device number that the component names.
  [[nodiscard]] int device() const {
    return component.back() == 'U' ? kHost : component.back() - '0';
  }
};

inline std::vector<std::string> csv_fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

/// Devices of the table: one GPU-class device class, aligned to 32 bytes, without op offload.
inline LlamaCppDevice emulated_device(int number) {
  LlamaCppDevice device;
  device.name = "gpu" + std::to_string(number);
  device.backend = LlamaCppBackend::rpc;
  device.alignment = 32;
  device.op_offload = false;
  return device;
}

inline std::int64_t noted(const std::string& note, const std::string& key) {
  const std::size_t at = note.find(key + "=");
  return at == std::string::npos ? -1 : std::stoll(note.substr(at + key.size() + 1));
}

inline LlamaCppSettings settings_of(std::map<std::string, std::string>& row, bool old) {
  LlamaCppSettings settings;
  settings.n_ctx = std::stoll(row["n_ctx"]);
  settings.n_batch = std::stoll(row["n_batch"]);
  settings.n_ubatch = std::stoll(row["n_ubatch"]);
  settings.n_seq = std::stoll(row["n_seq"]);
  settings.kv_unified = row["kv_unified"] == "1";
  settings.type_k = *ggml_type_from_name(row["type_k"]);
  settings.type_v = *ggml_type_from_name(row["type_v"]);
  settings.flash_attention = row["flash_attn"] == "on"    ? FlashAttention::on
                             : row["flash_attn"] == "off" ? FlashAttention::off
                                                          : FlashAttention::automatic;
  settings.swa_full = row["swa_full"] == "1";
  settings.n_outputs_max = std::stoll(row["n_outputs_max"]);
  const int n_gpu = std::stoi(row["n_gpu"]);
  for (int i = 0; i < n_gpu; ++i) settings.devices.push_back(emulated_device(i));
  settings.n_gpu_layers = std::stoll(row["ngl"]);
  const std::string& backend = row["backend"];
  const auto says = [&](const char* part) { return backend.find(part) != std::string::npos; };
  if (n_gpu == 2) settings.tensor_split = {says("3:1") ? 3.0 : 1.0, 1.0};
  settings.offload_kv = !says("-nkvo");
  settings.cpu_moe = says("--cpu-moe");
  settings.repack = says("repack");
  // Rows of the release come from its measuring mode, the older ones from real loads.
  settings.real_load = old;
  settings.release = old ? LlamaCppRelease::build_2025_11 : LlamaCppRelease::v0_5_0;
  return settings;
}

/// Rows of `table` in tests/truth whose column llama_cpp starts with `build`.
inline std::vector<ComputeRow> compute_rows(const std::string& build,
                                            const std::string& table = "llamacpp_truth.csv") {
  std::ifstream file(std::string(MEYASU_TESTS_DIR) + "/truth/" + table);
  std::string line;
  std::getline(file, line);
  const auto columns = csv_fields(line);
  const bool old = build.rfind("2025", 0) == 0;
  std::vector<ComputeRow> rows;
  while (std::getline(file, line)) {
    if (line.find("compute_buffer") == std::string::npos &&
        line.find("graph_nodes") == std::string::npos) {
      continue;
    }
    const auto fields = csv_fields(line);
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < columns.size(); ++i) row[columns[i]] = fields[i];
    if (row["llama_cpp"].rfind(build, 0) != 0) continue;
    ComputeRow entry;
    entry.id = row["id"];
    entry.model = row["model"];
    entry.component = row["component"];
    entry.settings = settings_of(row, old);
    for (std::size_t i = 1; columns[i] != "component"; ++i) entry.context += fields[i] + "|";
    if (entry.is_node_count()) {
      const std::int64_t prompt = noted(row["note"], "nodes_pp");
      entry.n_nodes = prompt >= 0 ? prompt : noted(row["note"], "nodes");
      entry.n_splits = noted(row["note"], "splits_pp");
    } else if (!row["bytes"].empty()) {
      entry.bytes = std::stoll(row["bytes"]);
    } else {
      constexpr double kHalfDigit = 0.005;
      entry.bytes = static_cast<Bytes>(std::stod(row["MiB"]) * static_cast<double>(kMiB));
      entry.tolerance = static_cast<Bytes>(kHalfDigit * static_cast<double>(kMiB)) + 1;
    }
    rows.push_back(std::move(entry));
  }
  return rows;
}

}  // namespace meyasu::testing
