#!/usr/bin/env bash
# The same sources give the same bytes: packages a copy of this folder elsewhere, with another clock,
# zone and language, and compares what comes out with dist/. Run scripts/package first.
#   scripts/lib/check-reproducible.sh           packages the built module again: seconds
#   scripts/lib/check-reproducible.sh --build   builds the module again too: many minutes
# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -f "$repo_root/dist/meyasu.html" ] || fail "nothing to compare with: run scripts/package first"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
copy="$work/another folder"
mkdir -p "$copy"
cd "$repo_root"
cp -R CMakeLists.txt CMakePresets.json package.json tsconfig.json core scripts tests wasm web "$copy"
for installed in .deps node_modules; do
  [ -e "$installed" ] && ln -s "$(cd "$installed" && pwd -P)" "$copy/$installed"
done
# Whatever asks for one of these would differ.
export TZ=Pacific/Kiritimati LC_ALL=C LANG=C HOME="$work"

if [ "${1:-}" = --build ]; then
  # The settings of whoever runs this must not decide how it is compiled.
  unset CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER CFLAGS CXXFLAGS
  (cd "$copy" && emcmake cmake --preset wasm && cmake --build --preset wasm --target meyasu) >"$work/build.log" 2>&1 ||
    fail "the copy does not build:
$(tail -n 20 "$work/build.log")"
else
  mkdir -p "$copy/build/wasm/wasm"
  cp build/wasm/wasm/meyasu*.js build/wasm/wasm/meyasu*.wasm "$copy/build/wasm/wasm"
fi
(cd "$copy" && scripts/package) >"$work/package.log" 2>&1 || fail "the copy cannot be packaged:
$(tail -n 20 "$work/package.log")"
diff -rq dist "$copy/dist" || fail "the files above have other bytes in another folder"
(cd dist && find . -type f -exec sha256sum {} + | sort -k 2)
