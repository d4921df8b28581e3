// What a model's file name says.
#include <emscripten/bind.h>

#include <string>

#include "core/quick/model_name.hpp"
#include "wasm/convert.hpp"

namespace meyasu {

using emscripten::val;

static val to_js(NoteLevel level) {
  switch (level) {
    case NoteLevel::recognised:
      return val("recognised");
    case NoteLevel::doubted:
      return val("doubted");
    case NoteLevel::missing:
      return val("missing");
  }
  return val::null();
}

static val to_js(const NameNote& note) {
  return object({{"id", to_js(note.id)},
                 {"level", to_js(note.level)},
                 {"match", to_js(note.match)},
                 {"value", to_js(note.value)}});
}

static val to_js(const ModelNameReading& reading) {
  return object(
      {{"name", to_js(reading.name)},
       {"total_billions", to_js(reading.total_billions)},
       {"total_from_table", to_js(reading.total_from_table)},
       {"active_billions", to_js(reading.active_billions)},
       {"effective_billions", to_js(reading.effective_billions)},
       {"precision", reading.precision ? to_js(precision_name(*reading.precision)) : val::null()},
       {"quant_label", to_js(reading.quant_label)},
       {"quant_bits", to_js(reading.quant_bits)},
       {"context", to_js(reading.context)},
       {"shard_index", to_js(reading.shard_index)},
       {"shard_count", to_js(reading.shard_count)},
       {"notes", array(reading.notes)}});
}

static val read_model_name_js(const std::string& name) {
  return to_js(read_model_name(name));
}

EMSCRIPTEN_BINDINGS(model_name) {
  emscripten::function("read_model_name", &read_model_name_js);
}

}  // namespace meyasu
