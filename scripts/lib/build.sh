# shellcheck shell=bash
# Configures and builds one preset. Source it after common.sh and ensure.sh.

# build PRESET [TARGET...]: `wasm` is configured through emcmake, which finds Emscripten's toolchain.
build() {
  local preset="$1" configure=(cmake)
  shift
  [ "$preset" = wasm ] && configure=(emcmake cmake)
  local log="$repo_root/build/$preset.configure.log"
  mkdir -p "$repo_root/build"
  (cd "$repo_root" && "${configure[@]}" --preset "$preset" >"$log" 2>&1) ||
    fail "configuring '$preset' failed. The log is build/$preset.configure.log:
$(tail -n 20 "$log")"
  local targets=() target
  for target in "$@"; do targets+=(--target "$target"); done
  (cd "$repo_root" && cmake --build --preset "$preset" "${targets[@]}") ||
    fail "building '$preset' failed: the first error above says where"
}
