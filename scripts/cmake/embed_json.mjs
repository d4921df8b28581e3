// node embed_json.mjs INPUT.json OUTPUT.cpp HEADER FUNCTION
// Writes a C++ source with `std::string_view FUNCTION()` that returns INPUT without white space.
import { readFileSync, writeFileSync } from "node:fs";

const [input, output, header, name] = process.argv.slice(2);
const data = JSON.parse(readFileSync(input, "utf8"));
delete data.$schema;
const text = JSON.stringify(data);
if (text.includes(')json"')) throw new Error(`${input} contains the end mark of the C++ string`);
writeFileSync(
  output,
  `// Generated from ${header.replace(/[^/]*$/, "")}${input.split("/").pop()}; edit that file instead.
#include "${header}"

namespace meyasu {

std::string_view ${name}() {
  return R"json(${text})json";
}

}  // namespace meyasu
`,
);
