#include "core/catalog/catalog.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/model/derive_tensors.hpp"

namespace meyasu {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// The fields of an entry over those of the entry it is like. A null field takes one away.
class Fields {
 public:
  explicit Fields(const JsonValue& own, const JsonValue* base = nullptr) : own_(own), base_(base) {}

  [[nodiscard]] const JsonValue* find(std::string_view key) const {
    const JsonValue* value = own_.find(key);
    if (value == nullptr && base_ != nullptr) value = base_->find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback = 0) const {
    const JsonValue* value = find(key);
    return value == nullptr ? fallback : value->as_integer().value_or(fallback);
  }
  [[nodiscard]] bool flag(std::string_view key, bool fallback) const {
    const JsonValue* value = find(key);
    return value == nullptr ? fallback : value->as_bool().value_or(fallback);
  }
  [[nodiscard]] std::string text(std::string_view key) const {
    const JsonValue* value = find(key);
    return value == nullptr ? std::string() : value->text();
  }

 private:
  const JsonValue& own_;
  const JsonValue* base_;
};

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    if (end > start) words.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

/// "SSSSSF": the pattern repeats to the number of blocks.
std::vector<BlockKind> blocks_from(const std::string& pattern, std::int64_t n_layer) {
  constexpr std::array<std::pair<char, BlockKind>, 15> kLetters = {{
      {'F', BlockKind::full},
      {'S', BlockKind::sliding},
      {'C', BlockKind::chunked},
      {'m', BlockKind::mamba1},
      {'M', BlockKind::mamba2},
      {'P', BlockKind::plamo2_mamba},
      {'G', BlockKind::gated_delta_net},
      {'V', BlockKind::short_conv},
      {'R', BlockKind::rwkv4},
      {'W', BlockKind::rwkv7},
      {'L', BlockKind::lightning},
      {'-', BlockKind::mlp},
      {'E', BlockKind::moe},
      {'x', BlockKind::skip},
      {'*', BlockKind::full},
  }};
  std::vector<BlockKind> result;
  if (pattern.empty()) return result;
  for (std::int64_t il = 0; il < n_layer; ++il) {
    const char letter = pattern[static_cast<std::size_t>(il) % pattern.size()];
    BlockKind kind = BlockKind::full;
    for (const auto& [name, value] : kLetters) {
      if (name == letter) kind = value;
    }
    result.push_back(kind);
  }
  return result;
}

/// [[6144, 15], [12288, 20]]: 15 blocks of 6144, then 20 of 12288.
std::vector<std::int64_t> run_lengths(const JsonValue& value) {
  std::vector<std::int64_t> result;
  constexpr std::int64_t kMaxBlocks = 512;
  for (const JsonValue& run : value.items()) {
    if (run.items().size() != 2) return {};
    const std::int64_t width = run.items()[0].as_integer().value_or(0);
    const std::int64_t count = run.items()[1].as_integer().value_or(0);
    for (std::int64_t i = 0; i < std::min(count, kMaxBlocks); ++i) result.push_back(width);
  }
  return result;
}

QkNorm qk_norm_from(const std::string& text) {
  if (text == "head") return QkNorm::per_head_dim;
  if (text == "full") return QkNorm::full;
  if (text == "by_head") return QkNorm::full_by_head;
  return QkNorm::none;
}

void read_attention(const Fields& fields, Architecture& a) {
  a.sliding_window = fields.integer("window");
  if (const JsonValue* value = fields.find("qk_norm")) a.qk_norm = qk_norm_from(value->text());
  a.qkv_bias = fields.flag("qkv_bias", a.qkv_bias);
  if (fields.flag("two_norms", false)) a.norm_layout = NormLayout::parallel_two;
  a.n_kv_shared = fields.integer("kv_shared");
  if (const JsonValue* value = fields.find("full")) {
    const Fields full(*value);
    a.n_head_kv_full = full.integer("kv_heads");
    a.head_dim_full = full.integer("head_dim");
    a.k_is_v_on_full = full.flag("k_is_v", false);
  }
  if (const JsonValue* value = fields.find("mla")) {
    const Fields mla(*value);
    a.mla = Mla{mla.integer("q"),    mla.integer("kv"), mla.integer("nope"),
                mla.integer("rope"), mla.integer("v"),  true};
  }
  if (const JsonValue* value = fields.find("indexer")) {
    const Fields x(*value);
    a.indexer = IndexerSpec{x.integer("heads"), x.integer("dim"), x.integer("top_k"),
                            x.integer("offset"), x.integer("period", 1)};
  }
  const std::string rope = fields.text("rope");
  if (rope == "llama3") a.rope_factors = RopeFactors::llama3;
  if (rope == "longrope") a.rope_factors = RopeFactors::longrope;
  a.rope_dim = fields.integer("rope_dim");
}

void read_parts(const Fields& fields, Architecture& a) {
  if (const JsonValue* value = fields.find("moe")) {
    const Fields moe(*value);
    MoeSpec spec;
    spec.n_expert = moe.integer("experts");
    spec.n_expert_used = moe.integer("used");
    spec.n_ff_exp = moe.integer("ff");
    spec.n_ff_shexp = moe.integer("shared_ff");
    spec.first_dense = moe.integer("first_dense");
    spec.layer_step = moe.integer("step", 1);
    spec.layer_offset = moe.integer("offset");
    spec.n_ff_dense = moe.integer("dense_ff");
    spec.latent = moe.integer("latent");
    spec.hash_layers = moe.integer("hash_layers");
    a.moe = spec;
  }
  if (const JsonValue* value = fields.find("ssm")) {
    const Fields ssm(*value);
    SsmSpec spec;
    spec.d_inner = ssm.integer("inner");
    spec.d_state = ssm.integer("state");
    spec.d_conv = ssm.integer("conv", 4);
    spec.dt_rank = ssm.integer("dt_rank");
    spec.n_head = ssm.integer("heads");
    spec.head_dim = ssm.integer("head_dim");
    spec.n_group = ssm.integer("groups");
    a.ssm = spec;
  }
  if (const JsonValue* value = fields.find("mtp")) {
    const Fields mtp(*value);
    MtpSpec spec;
    spec.n_layer = 1;
    spec.own_embeddings = mtp.flag("own_embeddings", false);
    spec.dense = mtp.flag("dense", false);
    spec.head_norm = mtp.flag("head_norm", true);
    spec.in_published_total = true;
    a.mtp = spec;
  }
  if (const JsonValue* value = fields.find("compressed")) {
    const Fields c(*value);
    CompressedAttention spec;
    spec.q_lora_rank = c.integer("q");
    spec.o_groups = c.integer("groups");
    spec.o_lora_rank = c.integer("o");
    spec.hc_mult = c.integer("hc");
    // Two leading blocks as listed, then ratios 4 and 128 in turn.
    if (const JsonValue* first = c.find("first")) {
      for (const JsonValue& ratio : first->items()) {
        spec.ratios.push_back(ratio.as_integer().value_or(0));
      }
    }
    while (static_cast<std::int64_t>(spec.ratios.size()) < a.n_layer) {
      spec.ratios.push_back(spec.ratios.size() % 2 == 0 ? 4 : 128);
    }
    a.compressed = std::move(spec);
  }
  if (const JsonValue* value = fields.find("per_layer")) {
    const Fields p(*value);
    a.per_layer = PerLayerEmbedding{p.integer("width"), p.integer("vocab"), p.integer("altup"),
                                    p.integer("laurel")};
  }
  if (const JsonValue* value = fields.find("rwkv7")) {
    const Fields r(*value);
    a.rwkv7 =
        Rwkv7Spec{r.integer("decay"), r.integer("iclr"), r.integer("value"), r.integer("gate")};
  }
}

}  // namespace

Result<Catalog> Catalog::parse(std::string_view json) {
  Result<JsonValue> root = parse_json(json, "catalog");
  if (!root) return root.error();
  Catalog catalog;
  if (const JsonValue* version = root.value().find("version")) catalog.version_ = version->text();
  const JsonValue* sources = root.value().find("sources");
  const JsonValue* families = root.value().find("families");
  if (families == nullptr || sources == nullptr) return Error{"damaged", "catalog", "families"};
  for (const JsonValue& group : families->items()) {
    const JsonValue* family = group.find("family");
    const JsonValue* models = group.find("models");
    if (family == nullptr || models == nullptr) return Error{"damaged", "catalog", "models"};
    for (const JsonValue& row : models->items()) {
      CatalogEntry entry;
      entry.fields = row;
      entry.family = family->text();
      if (const JsonValue* id = row.find("id")) entry.id = id->text();
      entry.name = entry.id.substr(entry.id.find('/') + 1);
      if (const JsonValue* like = row.find("like")) {
        const auto base =
            std::find_if(catalog.entries_.begin(), catalog.entries_.end(),
                         [&](const CatalogEntry& known) { return known.id == like->text(); });
        if (base == catalog.entries_.end() || !base->base_fields.is_null()) {
          return Error{"damaged", "catalog", entry.id};
        }
        entry.base_fields = base->fields;
      }
      const Fields fields(entry.fields, &entry.base_fields);
      entry.model_type = fields.text("type");
      entry.params_total = fields.integer("params");
      entry.params_exact = !fields.flag("rounded", false);
      entry.params_active = fields.integer("active");
      entry.has_shape = fields.find("layers") != nullptr;
      if (entry.id.empty() || entry.model_type.empty() || entry.params_total <= 0) {
        return Error{"damaged", "catalog", entry.id};
      }
      // Trust and source belong to the entry itself, never to the one it is like.
      const Fields own(entry.fields);
      entry.checkpoint_total = own.integer("checkpoint");
      entry.confidence = confidence_from(own.text("confidence"));
      for (const std::string& key : split_words(own.text("src"))) {
        const JsonValue* source = sources->find(key);
        if (source == nullptr) return Error{"damaged", "catalog", entry.id};
        entry.sources.push_back(source->text());
      }
      catalog.entries_.push_back(std::move(entry));
    }
  }
  return catalog;
}

Result<Catalog> Catalog::built_in() {
  return parse(built_in_catalog_json());
}

const CatalogEntry* Catalog::find(std::string_view id) const {
  const std::string wanted = lower(id);
  const CatalogEntry* by_name = nullptr;
  for (const CatalogEntry& entry : entries_) {
    if (lower(entry.id) == wanted) return &entry;
    if (by_name == nullptr && lower(entry.name) == wanted) by_name = &entry;
  }
  return by_name;
}

Architecture architecture_of(const CatalogEntry& entry) {
  const Fields fields(entry.fields, &entry.base_fields);
  Architecture a = family_defaults(entry.model_type);
  if (!entry.has_shape) {
    a.known = false;
    return a;
  }
  a.n_layer = fields.integer("layers");
  a.n_embd = fields.integer("hidden");
  a.n_head = fields.integer("heads");
  a.n_head_kv = fields.integer("kv_heads", a.n_head);
  a.head_dim = fields.integer("head_dim", a.n_head > 0 ? a.n_embd / a.n_head : 0);
  if (const JsonValue* ff = fields.find("ff")) {
    a.n_ff = ff->as_integer().value_or(0);
    a.n_ff_layers = run_lengths(*ff);
  }
  a.n_vocab = fields.integer("vocab");
  a.n_ctx_train = fields.integer("ctx");
  a.tied_embeddings = fields.flag("tied", a.tied_embeddings);
  a.n_positions = fields.integer("positions");
  a.n_embd_word = fields.integer("word_embd");
  a.final_norm = fields.flag("final_norm", true);
  a.blocks = blocks_from(fields.text("blocks"), a.n_layer);
  a.tower_params = fields.integer("towers");
  a.quantization = fields.text("native");
  read_attention(fields, a);
  read_parts(fields, a);
  complete_family(a);
  return a;
}

Result<Model> model_of(const CatalogEntry& entry) {
  const Architecture architecture = architecture_of(entry);
  if (!entry.has_shape) {
    Model model;
    model.name = entry.name;
    model.architecture = architecture.gguf_arch;
    model.provenance = Provenance::count;
    model.unknowns = {"shape_unknown"};
    return model;
  }
  Result<Model> model = derive_model(architecture);
  if (model) model.value().name = entry.name;
  return model;
}

}  // namespace meyasu
