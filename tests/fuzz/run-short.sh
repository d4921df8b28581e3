#!/usr/bin/env bash
# Runs every fuzzer for a fixed number of inputs (default 20000) from its seeds: seconds, and the
# same inputs every time. Needs the fuzz preset built:
#   cmake --preset fuzz && cmake --build --preset fuzz
# The last line counts the fuzzers: "N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
runs="${1:-20000}"
build="../../build/fuzz/tests/fuzz"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# Short stacks at allocations: several times faster, and a report still names the line.
export ASAN_OPTIONS="malloc_context_size=2:detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"

passed=0
failed=0
for fuzzer in "$build"/fuzz_*; do
  [ -x "$fuzzer" ] || continue
  name="$(basename "$fuzzer")"
  name="${name#fuzz_}"
  options=(-runs="$runs" -seed=1 -max_len=1024 -rss_limit_mb=2048 -timeout=60)
  options+=("-artifact_prefix=$scratch/" -print_final_stats=1)
  [ -f "$name.dict" ] && options+=("-dict=$name.dict")
  mkdir -p "$scratch/$name"
  if "$fuzzer" "${options[@]}" "$scratch/$name" "corpus/$name" >"$scratch/output.txt" 2>&1; then
    passed=$((passed + 1))
    printf '%-14s %s inputs, %s per second\n' "$name" "$runs" \
      "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$scratch/output.txt")"
  else
    failed=$((failed + 1))
    printf '%s failed:\n' "$name"
    tail -n 40 "$scratch/output.txt"
    for input in "$scratch"/crash-* "$scratch"/timeout-* "$scratch"/oom-*; do
      [ -f "$input" ] && base64 "$input" && rm "$input"
    done
  fi
done
built=$((passed + failed))
if node fuzz_link.mjs "$runs" 1 >"$scratch/output.txt" 2>&1; then
  passed=$((passed + 1))
  printf '%-14s %s inputs\n' link "$runs"
else
  failed=$((failed + 1))
  printf 'link failed:\n'
  cut -c1-2000 "$scratch/output.txt"
fi
[ "$built" -gt 0 ] || { printf 'no fuzzers in %s: build the fuzz preset first\n' "$build"; failed=$((failed + 1)); }
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
