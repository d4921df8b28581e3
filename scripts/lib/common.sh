# shellcheck shell=bash
# Shared by the scripts: messages, and running a step with its time. Source it, do not run it.
set -euo pipefail

repo_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }

# fail SENTENCE: what went wrong and what to do about it.
fail() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# timed LABEL COMMAND...: runs the command, prints how long it took; fails as the command does.
timed() {
  local label="$1" start="$SECONDS"
  shift
  step "$label"
  "$@" || return $?
  say "    $label: $((SECONDS - start)) s"
}
