// What a model's file name or Hugging Face id says: size, precision, context, part; and what not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quick/precision.hpp"

namespace meyasu {

/// recognised: taken as it stands. doubted: taken, or left out, with a reservation that the page
/// must show. missing: the name does not say it and nothing was guessed.
enum class NoteLevel { recognised, doubted, missing };

/// One chip. `match` is the part of the name it is about (letters as typed, full-width ones made
/// narrow), empty for missing ones; `value` is what was made of it. Sizes read "7B", "0.135B".
///
/// recognised:
///   size          the total ("30B"), value "30B"
///   active        parameters used for one token (A3B), value "3B"
///   effective     E4B, value "4B"
///   experts       16E, value "16"
///   precision     one of the form's, value "FP16"
///   quant         a quantization label, value as quant_label
///   group_size    weights that share a scale (128g), value "128"
///   shard         part of a split file, value "1/2"
///   variant       instruct, chat, base..., value in lower case
/// doubted:
///   name_ctx              read as the context and not as a size (4k, 1M), value = match
///   name_size_known       the total is a well-known model's and not in the name, value "46.7B"
///   name_size_real        the label is rounded; the real total is the value
///   name_size_upper       NxM of a model that is not known: experts share layers, so N x M (the
///                         value) is only an upper limit; not filled in
///   name_size_active      the size in the name counts active parameters, value "17B"
///   name_size_effective   E4B: more than that is stored, value "4B"
///   name_size_underscore  "1_6b" read as 1.6, value "1.6B"
///   name_size_glued       a size glued to letters ("llama13b"), value "13B"
///   name_size_ignored     a further size that was not used, value = that size
///   name_from_folder      size or precision from a folder above the file, value = that folder
///   name_quant_nearest    the form's precision is only near the label, value "INT4"
///   name_quant_usual      the method (AWQ, GPTQ) names no bits; it is 4 by custom, value "INT4"
///   name_quant_ignored    a further label that was not used, value = that label
///   name_not_model        a projector, adapter or the like, not the whole model
/// missing: name_no_size, name_no_quant.
struct NameNote {
  std::string id;
  NoteLevel level = NoteLevel::recognised;
  std::string match;
  std::string value;

  friend bool operator==(const NameNote&, const NameNote&) = default;
};

struct ModelNameReading {
  std::string name;  // without path, URL and weight-file extension; full-width letters narrow
  std::optional<double> total_billions;  // for the form's size field
  bool total_from_table = false;         // not in the name: a well-known model's figure
  std::optional<double> active_billions;
  std::optional<double> effective_billions;
  std::optional<Precision> precision;  // for the form: exact, or nearest (then a note says so)
  std::string quant_label;  // "Q4_K_M", "UD-Q4_K_XL", "i1-Q4_K_M", "GPTQ INT4", "AWQ", "FP8"...
  /// Bits per weight of the label. For llama.cpp mixes: the whole file of Llama-3.1-8B (llama.cpp,
  /// tools/quantize/README.md); other models differ by some percent. Empty where a label does not
  /// determine it (UD- mixes, "Q4", methods without a number).
  std::optional<double> quant_bits;
  std::optional<std::int64_t> context;  // tokens
  std::optional<int> shard_index;       // from 1
  std::optional<int> shard_count;
  std::vector<NameNote> notes;  // in the order of the name; missing ones last
};

/// Reads a name: a bare file name, a path, a URL, a Hugging Face id or an ollama tag. Never fails:
/// what is not there is said in the notes. Any bytes are harmless. Of several lines the first is
/// read, of a line its last 512 bytes.
[[nodiscard]] ModelNameReading read_model_name(std::string_view text);

}  // namespace meyasu
