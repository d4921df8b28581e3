// node embed_json.mjs INPUT.json OUTPUT.cpp HEADER FUNCTION
// Writes a C++ source with `std::string_view FUNCTION()` that returns INPUT without white space.
import { readFileSync, writeFileSync } from "node:fs";

const [input, output, header, name] = process.argv.slice(2);
const data = JSON.parse(readFileSync(input, "utf8"));
delete data.$schema;
// Character by character: compilers need not take string literals of more than 65,536.
const bytes = [...Buffer.from(JSON.stringify(data))];
const characters = bytes.map((byte) => (byte < 128 ? byte : `'\\x${byte.toString(16)}'`));
writeFileSync(
  output,
  `// Generated from ${header.replace(/[^/]*$/, "")}${input.split("/").pop()}; edit that file instead.
#include "${header}"

namespace meyasu {

std::string_view ${name}() {
  static constexpr char kText[] = {${characters.join(",")}};
  return {kText, sizeof(kText)};
}

}  // namespace meyasu
`,
);
