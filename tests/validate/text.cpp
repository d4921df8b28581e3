#include "tests/validate/text.hpp"

#include <cstdarg>
#include <cstdio>

namespace validate {

std::string format(const char* pattern, ...) {
  std::va_list arguments;
  va_start(arguments, pattern);
  char buffer[512];
  std::vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  return buffer;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char at : text) {
    if (at == '"' || at == '\\') {
      quoted += '\\';
      quoted += at;
    } else if (static_cast<unsigned char>(at) < 0x20) {
      quoted += format("\\u%04x", static_cast<unsigned>(at));
    } else {
      quoted += at;
    }
  }
  return quoted + "\"";
}

}  // namespace validate
