# Third-party C and C++ sources: Catch2 (tests) and RapidJSON (JSON in core). Neither is in the repository.
# scripts/lib/ensure.sh puts the distribution's packages into MEYASU_DEPS_DIR;
# where they are missing (macOS, Windows) the same versions are fetched from their authors.
include(FetchContent)

set(MEYASU_CATCH2_VERSION 3.7.1)
set(MEYASU_RAPIDJSON_VERSION 1.1.0)

if(EXISTS "${MEYASU_DEPS_DIR}/catch2/catch_amalgamated.cpp")
  set(catch2_dir "${MEYASU_DEPS_DIR}/catch2")
else()
  FetchContent_Declare(catch2_source
    URL "https://github.com/catchorg/Catch2/archive/refs/tags/v${MEYASU_CATCH2_VERSION}.tar.gz"
    URL_HASH SHA256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c)
  FetchContent_GetProperties(catch2_source)
  if(NOT catch2_source_POPULATED)
    FetchContent_Populate(catch2_source)
  endif()
  set(catch2_dir "${catch2_source_SOURCE_DIR}/extras")
endif()

if(EXISTS "${MEYASU_DEPS_DIR}/include/rapidjson/reader.h")
  set(rapidjson_dir "${MEYASU_DEPS_DIR}/include")
else()
  FetchContent_Declare(rapidjson_source
    GIT_REPOSITORY https://github.com/Tencent/rapidjson.git
    GIT_TAG v${MEYASU_RAPIDJSON_VERSION})
  FetchContent_GetProperties(rapidjson_source)
  if(NOT rapidjson_source_POPULATED)
    FetchContent_Populate(rapidjson_source)
  endif()
  set(rapidjson_dir "${rapidjson_source_SOURCE_DIR}/include")
endif()

add_library(catch2 STATIC EXCLUDE_FROM_ALL "${catch2_dir}/catch_amalgamated.cpp")
target_include_directories(catch2 SYSTEM PUBLIC "${catch2_dir}")
# Not what is tested, and with sanitizers it takes ten times as long to compile.
target_compile_options(catch2 PRIVATE -O0 $<$<BOOL:${MEYASU_SANITIZE}>:-fno-sanitize=all>)
if(EMSCRIPTEN)
  target_compile_options(catch2 PUBLIC -fexceptions) # Catch2 needs exceptions; the core does not.
  target_link_options(catch2 PUBLIC -fexceptions)
endif()

# Only rapidjson/reader.h (the event parser) is used: the document classes of 1.1.0 do not compile
# with clang 19, and events keep the WebAssembly module small.
add_library(rapidjson INTERFACE)
target_include_directories(rapidjson SYSTEM INTERFACE "${rapidjson_dir}")
