#include "core/quick/model_name.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/quick/known_sizes.hpp"
#include "core/quick/name_findings.hpp"
#include "core/quick/name_tokens.hpp"
#include "core/quick/text.hpp"

namespace meyasu {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kMaxFolders = 4;  // above the file that are asked for a size

std::string number_text(double value) {
  std::array<char, 32> text{};
  // Four digits: labels have three at most, totals need no more. Above 9999 B all digits count.
  std::snprintf(text.data(), text.size(), value < 10000 ? "%.4g" : "%.0f", value);
  return text.data();
}

std::string billions_text(double billions) {
  return number_text(billions) + "B";
}

/// The first line that is not blank, without surrounding spaces and quotes, not too long.
std::string_view first_line(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f\"'`";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return "";
  text.remove_prefix(begin);
  text = text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
  text = text.substr(0, text.find_last_not_of(kBlank) + 1);
  if (text.size() > kMaxNameBytes) text.remove_prefix(text.size() - kMaxNameBytes);
  return text;
}

bool remove_weight_extension(std::string& name) {
  constexpr std::array<std::string_view, 18> kExtensions{
      ".gguf", ".ggml", ".safetensors", ".bin",       ".pth",    ".pt",
      ".onnx", ".ckpt", ".npz",         ".json",      ".zip",    ".tar",
      ".gz",   ".part", ".task",        ".llamafile", ".engine", ".tflite"};
  bool removed = false;
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view extension : kExtensions) {
      if (!ascii_lower(name).ends_with(extension)) continue;
      name.resize(name.size() - extension.size());
      removed = again = true;
    }
  }
  return removed;
}

struct PathParts {
  std::string name;                  // the last part, without extension
  std::vector<std::string> folders;  // above it, nearest first
};

/// Takes a path or URL apart. In "org/name" the organisation is no folder and tells nothing.
PathParts split_path(std::string_view text) {
  if (text.find("://") != std::string_view::npos) {
    text = text.substr(0, std::min(text.find_first_of("?#"), text.size()));  // "?download=true"
  }
  const std::string path = fold_width(text);
  std::vector<std::string> parts;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/' && c != '\\') {
      part += c;
      continue;
    }
    if (!part.empty()) parts.push_back(part);
    part.clear();
  }
  // "https://huggingface.co/org/name/tree/main": branches are no names.
  constexpr std::array<std::string_view, 4> kBranches{"main", "tree", "blob", "resolve"};
  const auto is_branch = [&](const std::string& folder) {
    return std::find(kBranches.begin(), kBranches.end(), folder) != kBranches.end();
  };
  while (parts.size() > 1 && is_branch(parts.back())) parts.pop_back();
  if (parts.empty()) return {};

  PathParts result;
  result.name = parts.back();
  const bool is_file = remove_weight_extension(result.name);
  parts.pop_back();
  if (parts.size() < 2 && !is_file) return result;
  std::reverse(parts.begin(), parts.end());
  for (const std::string& folder : parts) {
    if (!is_branch(folder) && result.folders.size() < kMaxFolders) result.folders.push_back(folder);
  }
  return result;
}

std::string joined_tokens(std::string_view name) {
  std::string joined;
  for (const NameToken& token : name_tokens(name)) {
    if (!joined.empty()) joined += '-';
    joined += token.text;
  }
  return joined;
}

/// Decides what the findings in one name mean together.
class Resolver {
 public:
  explicit Resolver(std::string_view name)
      : name_(name), found_(find_in_name(name)), known_(find_known_size(joined_tokens(name))) {}

  ModelNameReading run() {
    reading_.name = std::string(name_);
    settle_millions();
    choose_size();
    choose_label();
    for (const Finding& finding : found_) note(finding);
    resolve_size();
    resolve_label();
    // Notes were made by topic; the page shows them in the order of the name.
    std::stable_sort(notes_.begin(), notes_.end(),
                     [](const Placed& a, const Placed& b) { return a.at < b.at; });
    for (Placed& placed : notes_) reading_.notes.push_back(std::move(placed.note));
    return std::move(reading_);
  }

 private:
  struct Placed {
    std::size_t at = 0;
    NameNote note;
  };

  [[nodiscard]] std::string match(const Finding& finding) const {
    return std::string(name_.substr(finding.begin, finding.end - finding.begin));
  }

  void add(const Finding& finding, std::string id, NoteLevel level, std::string value) {
    notes_.push_back({finding.begin, {std::move(id), level, match(finding), std::move(value)}});
  }
  void recognise(const Finding& finding, std::string id, std::string value) {
    add(finding, std::move(id), NoteLevel::recognised, std::move(value));
  }
  void doubt(const Finding& finding, std::string id, std::string value) {
    add(finding, std::move(id), NoteLevel::doubted, std::move(value));
  }

  [[nodiscard]] const Finding* first(FindingKind kind) const {
    for (const Finding& finding : found_) {
      if (finding.kind == kind) return &finding;
    }
    return nullptr;
  }

  /// The table replaces what the name says about the size.
  [[nodiscard]] bool is_total_known() const {
    return known_ != nullptr && !known_->name_is_rounded;
  }

  /// "135M" is a size when the name has no other; beside a size, "1M" is a context.
  void settle_millions() {
    const bool sized = first(FindingKind::size) || first(FindingKind::times) ||
                       first(FindingKind::active) || first(FindingKind::effective);
    for (Finding& finding : found_) {
      if (finding.kind != FindingKind::millions) continue;
      constexpr double kMaxContextMillions = 100;
      const bool whole = finding.amount == std::floor(finding.amount);
      if (sized && whole && finding.amount <= kMaxContextMillions) {
        finding.kind = FindingKind::context;
        finding.count = static_cast<std::int64_t>(finding.amount) << 20;
      } else {
        finding.kind = FindingKind::size;
        finding.unit = 'm';
        finding.amount /= 1000;
      }
    }
  }

  /// The first size; but clear ones before doubtful ones, and billions before millions and
  /// before trillions, which beside billions are training tokens ("1.1B-step-1431k-3T").
  void choose_size() {
    const auto rank = [](const Finding& finding) {
      return (finding.doubt == SizeDoubt::joined ? 2 : 0) + (finding.unit == 'b' ? 0 : 1);
    };
    for (const Finding& finding : found_) {
      if (finding.kind != FindingKind::size) continue;
      if (size_ == nullptr || rank(finding) < rank(*size_)) size_ = &finding;
    }
  }

  /// The last label: "30B-BF16-Q4_K_M" was BF16 before it was quantized.
  void choose_label() {
    for (const Finding& finding : found_) {
      if (finding.kind == FindingKind::quant || finding.kind == FindingKind::bits) {
        label_ = &finding;
      }
      if (finding.kind == FindingKind::method && method_ == nullptr) method_ = &finding;
    }
  }

  void note(const Finding& finding) {
    switch (finding.kind) {
      case FindingKind::size:
        if (&finding != size_ && finding.amount != size_->amount && !is_total_known()) {
          doubt(finding, "name_size_ignored", billions_text(finding.amount));
        }
        break;
      case FindingKind::active:
        if (!reading_.active_billions) reading_.active_billions = finding.amount;
        recognise(finding, "active", billions_text(finding.amount));
        break;
      case FindingKind::effective:
        if (!reading_.effective_billions) reading_.effective_billions = finding.amount;
        recognise(finding, "effective", billions_text(finding.amount));
        break;
      case FindingKind::experts:
        recognise(finding, "experts", std::to_string(finding.count));
        break;
      case FindingKind::context:
        if (!reading_.context) reading_.context = finding.count;
        doubt(finding, "name_ctx", match(finding));
        break;
      case FindingKind::quant:
      case FindingKind::bits:
        if (&finding != label_ && finding.label.nominal_bits != label_->label.nominal_bits) {
          doubt(finding, "name_quant_ignored", finding.text);
        }
        break;
      case FindingKind::group:
        if (label_ || method_) recognise(finding, "group_size", std::to_string(finding.count));
        break;
      case FindingKind::shard:
        reading_.shard_index = static_cast<int>(finding.count);
        reading_.shard_count = static_cast<int>(finding.total);
        recognise(finding, "shard",
                  std::to_string(finding.count) + "/" + std::to_string(finding.total));
        break;
      case FindingKind::variant:
        recognise(finding, "variant", finding.text);
        break;
      case FindingKind::not_model:
        doubt(finding, "name_not_model", "");
        break;
      case FindingKind::millions:  // settled before
      case FindingKind::times:     // resolve_size
      case FindingKind::method:    // resolve_label
        break;
    }
  }

  void resolve_size() {
    const Finding* stated = size_;
    for (const FindingKind kind :
         {FindingKind::times, FindingKind::effective, FindingKind::active}) {
      if (stated == nullptr) stated = first(kind);
    }
    if (stated == nullptr) return;

    if (is_total_known()) {
      reading_.total_billions = known_->total_billions;
      reading_.total_from_table = true;
      if (known_->active_billions > 0) reading_.active_billions = known_->active_billions;
      doubt(*stated, "name_size_known", billions_text(known_->total_billions));
      return;
    }
    if (const Finding* times = first(FindingKind::times)) {
      doubt(*times, "name_size_upper",
            billions_text(static_cast<double>(times->count) * times->amount));
    }
    if (size_ == nullptr) {
      if (stated->kind == FindingKind::effective) {
        doubt(*stated, "name_size_effective", billions_text(stated->amount));
      }
      return;
    }
    if (first(FindingKind::experts) != nullptr) {
      reading_.active_billions = size_->amount;
      doubt(*size_, "name_size_active", billions_text(size_->amount));
      return;
    }
    reading_.total_billions = size_->amount;
    const std::string value = billions_text(size_->amount);
    switch (size_->doubt) {
      case SizeDoubt::none:
        recognise(*size_, "size", value);
        break;
      case SizeDoubt::underscore:
        doubt(*size_, "name_size_underscore", value);
        break;
      case SizeDoubt::joined:
        doubt(*size_, "name_size_glued", value);
        break;
    }
    if (known_ != nullptr) {
      if (!reading_.active_billions) reading_.active_billions = known_->active_billions;
      doubt(*size_, "name_size_real", billions_text(known_->total_billions));
    }
  }

  void resolve_label() {
    if (label_ == nullptr) {
      if (method_ == nullptr) return;
      reading_.quant_label = method_->text;
      recognise(*method_, "quant", method_->text);
      if (method_->label.nominal_bits == 0) return;
      reading_.precision = nearest_precision(method_->label.nominal_bits);
      doubt(*method_, "name_quant_usual", std::string(precision_name(*reading_.precision)));
      return;
    }
    const bool is_bpw = label_->kind == FindingKind::bits;
    const QuantLabel& label = label_->label;
    // llama.cpp's types are complete labels; a number of bits is named together with its method.
    const bool with_method = method_ != nullptr && !label.label.starts_with('Q') &&
                             !label.label.starts_with("IQ") && !label.label.starts_with("TQ");
    std::string text = is_bpw ? number_text(label_->amount) + "bpw" : label_->text;
    if (with_method) {
      text.insert(0, method_->text + " ");
      recognise(*method_, "quant", text);
    }
    const double bits = is_bpw ? label_->amount : label.bits;
    const bool exact = !is_bpw && label.form_precision;
    const bool is_bf16 = label.bf16;
    if (bits > 0) reading_.quant_bits = bits;
    // GPTQ and its kin: each group has a 16-bit scale and a zero point of the weights' width.
    if (const Finding* group = first(FindingKind::group);
        group != nullptr && exact && label.nominal_bits < 16) {
      const double n = label.nominal_bits;
      reading_.quant_bits = n + (n + 16) / static_cast<double>(group->count);
    }
    reading_.quant_label = text;
    reading_.precision =
        is_bf16 ? Precision::BF16 : nearest_precision(bits > 0 ? bits : label.nominal_bits);
    const std::string form_name(precision_name(*reading_.precision));
    if (exact) {
      recognise(*label_, "precision", form_name);
    } else {
      if (!with_method) recognise(*label_, "quant", text);
      doubt(*label_, "name_quant_nearest", form_name);
    }
  }

  std::string_view name_;
  std::vector<Finding> found_;
  const KnownSize* known_;
  const Finding* size_ = nullptr;
  const Finding* label_ = nullptr;
  const Finding* method_ = nullptr;
  ModelNameReading reading_;
  std::vector<Placed> notes_;
};

bool says_a_size(const ModelNameReading& reading) {
  return reading.total_billions || reading.active_billions || reading.effective_billions ||
         std::any_of(reading.notes.begin(), reading.notes.end(),
                     [](const NameNote& note) { return note.id == "name_size_upper"; });
}

/// "Name-7B-GGUF/model-00001-of-00004.gguf": what the file does not say, a folder above may.
void add_from_folders(ModelNameReading& reading, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const bool wants_size = !says_a_size(reading);
    const bool wants_precision = !reading.precision && reading.quant_label.empty();
    if (!wants_size && !wants_precision) return;
    ModelNameReading above = Resolver(folder).run();
    const bool gives_size = wants_size && says_a_size(above);
    const bool gives_precision = wants_precision && above.precision;
    if (gives_size) {
      reading.total_billions = above.total_billions;
      reading.total_from_table = above.total_from_table;
      reading.active_billions = above.active_billions;
      reading.effective_billions = above.effective_billions;
    }
    if (gives_precision) {
      reading.precision = above.precision;
      reading.quant_label = above.quant_label;
      reading.quant_bits = above.quant_bits;
    }
    if (!gives_size && !gives_precision) continue;
    const auto is_about_precision = [](const NameNote& note) {
      return note.id == "precision" || note.id == "quant" || note.id.starts_with("name_quant") ||
             note.id == "group_size";
    };
    const auto is_about_size = [](const NameNote& note) {
      return note.id == "size" || note.id == "active" || note.id == "effective" ||
             note.id == "experts" || note.id.starts_with("name_size");
    };
    for (NameNote& note : above.notes) {
      if ((gives_precision && is_about_precision(note)) || (gives_size && is_about_size(note))) {
        reading.notes.push_back(std::move(note));
      }
    }
    reading.notes.push_back({"name_from_folder", NoteLevel::doubted, folder, folder});
  }
}

}  // namespace

ModelNameReading read_model_name(std::string_view text) {
  const PathParts parts = split_path(first_line(text));
  ModelNameReading reading = Resolver(parts.name).run();
  add_from_folders(reading, parts.folders);
  if (!reading.total_billions) {
    reading.notes.push_back({"name_no_size", NoteLevel::missing, "", ""});
  }
  if (!reading.precision) {
    reading.notes.push_back({"name_no_quant", NoteLevel::missing, "", ""});
  }
  return reading;
}

}  // namespace meyasu
