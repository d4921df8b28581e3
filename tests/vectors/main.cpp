// vectors FOLDER: writes the conformance vectors there.
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/vectors/vectors.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: vectors FOLDER\n");
    return 2;
  }
  for (const std::string_view file : meyasu::vectors::kFiles) {
    const std::string path = std::string(argv[1]) + "/" + std::string(file) + ".json";
    std::ofstream out(path, std::ios::binary);
    out << meyasu::vectors::text_of(file);
    if (!out.flush()) {
      std::fprintf(stderr, "%s cannot be written\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
