#include "core/offload/known_cases.hpp"

#include <array>
#include <cmath>

namespace meyasu {
namespace {

constexpr std::string_view kTable2 = "arXiv 2303.06865, table 2";
// All weights in RAM, as the article starts FlexGen.
constexpr std::string_view kAllInRam = "0 100 100 0 100 0";

/// Google Cloud: T4, 208 GB RAM (26 vCPU), 1.5 TB of local disks.
constexpr KnownCase paper(std::string_view id, std::string_view model, std::string_view title) {
  KnownCase known;
  known.id = id;
  known.group = "paper";
  known.model = model;
  known.title = title;
  known.device = "t4";
  known.ram_gib = 208;
  known.ram_class = "ddr4-2933-6ch";
  known.storage = "nvme-pcie3-x4";
  known.storage_free_gb = 1610;
  return known;
}
/// A run of it, with the policy that was published.
constexpr KnownCase run(KnownCase known, std::int64_t block, std::string_view percent,
                        double published, std::string_view source) {
  known.block = block;
  known.percent = percent;
  known.published = published;
  known.source = source;
  return known;
}
/// As the authors run 175B (`--pin-weight 0`).
constexpr KnownCase unpinned(KnownCase known) {
  known.pin = false;
  return known;
}
constexpr KnownCase compressed(KnownCase known) {
  known.compress = true;
  return known;
}

/// Colab's notebooks have a T4 too; RAM and disk as their panel shows them.
constexpr KnownCase colab(std::string_view id, bool pro, std::string_view model,
                          std::string_view title) {
  KnownCase known = paper(id, model, title);
  known.group = pro ? "colab_pro" : "colab_free";
  known.ram_gib = pro ? 83.48 : 12.68;
  known.ram_class = {};
  known.storage_free_gb = pro ? 172 : 75;
  known.percent = kAllInRam;
  return known;
}

/// 48 GB each.
constexpr KnownCase cards(std::string_view id, std::int64_t n) {
  KnownCase known = paper(id, "bigscience/bloom", "BLOOM-176B");
  known.group = "cards";
  known.device = "rtx-a6000";
  known.n_devices = n;
  known.ram_gib = 512;
  known.ram_class = {};
  known.storage = "nvme-pcie4-x4";
  known.storage_free_gb = 2000;
  return known;
}

constexpr std::array<KnownCase, 16> kCases = {
    paper("t4-2.7b", "facebook/opt-2.7b", "OPT-2.7B"),
    run(paper("t4-6.7b", "facebook/opt-6.7b", "OPT-6.7B"), 2, "100 0 100 0 100 0", 25.26, kTable2),
    paper("t4-13b", "facebook/opt-13b", "OPT-13B"),
    run(paper("t4-30b", "facebook/opt-30b", "OPT-30B"), 144, "20 80 0 100 0 100", 7.32, kTable2),
    // 159 s for the 32 tokens of one sequence.
    run(paper("t4-30b-chat", "facebook/opt-30b", "OPT-30B"), 1, kAllInRam, 0.2,
        "arXiv 2303.06865, figure 1"),
    paper("t4-66b", "facebook/opt-66b", "OPT-66B"),
    unpinned(run(paper("t4-175b", "facebook/opt-175b", "OPT-175B"), 256, "0 50 0 0 0 100", 0.69,
                 kTable2)),
    compressed(unpinned(run(paper("t4-175b-4bit", "facebook/opt-175b", "OPT-175B 4-bit"), 144,
                            "0 100 0 100 0 100", 1.12, kTable2))),
    colab("free-125m", false, "facebook/opt-125m", "OPT-125M"),
    colab("free-350m", false, "facebook/opt-350m", "OPT-350M"),
    colab("free-1.3b", false, "facebook/opt-1.3b", "OPT-1.3B"),
    colab("pro-1.3b", true, "facebook/opt-1.3b", "OPT-1.3B"),
    colab("pro-6.7b", true, "facebook/opt-6.7b", "OPT-6.7B"),
    colab("pro-30b", true, "facebook/opt-30b", "OPT-30B"),
    // 352 GB in 16 bit.
    cards("cards-bloom", 8),
    cards("one-bloom", 1),
};

}  // namespace

std::span<const KnownCase> known_cases() {
  return kCases;
}

Result<Machine> machine_of(const KnownCase& known, const DeviceCatalog& devices) {
  Machine machine;
  const Device* device = devices.find(known.device);
  if (device == nullptr) return Error{"device_unknown", "device", std::string(known.device)};
  machine.devices.push_back({*device, known.n_devices, {}});
  machine.ram = std::llround(known.ram_gib * static_cast<double>(kGiB));
  if (const Device* ram = devices.find(known.ram_class)) machine.ram_class = *ram;
  if (const Device* storage = devices.find(known.storage)) machine.storage = *storage;
  machine.storage_free = std::llround(known.storage_free_gb * static_cast<double>(kGB));
  return machine;
}

Result<OffloadQuestion> question_of(const KnownCase& known) {
  OffloadQuestion question;
  question.block = known.block;
  question.settings.compress_weights = question.settings.compress_cache = known.compress;
  question.pin = known.pin;
  if (!known.percent.empty()) {
    const auto placement = policy_from_percent(known.percent);
    if (!placement.ok()) return placement.error();
    question.placement = placement.value();
  }
  return question;
}

}  // namespace meyasu
