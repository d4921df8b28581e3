# shellcheck shell=bash
# Installs what is missing: compilers, Emscripten, browsers (for tests), third-party sources, npm
# packages. Source it after common.sh and call ensure_build or ensure_test. Debian 12/13 and Ubuntu
# 24.04 are installed by apt; elsewhere it says what to install.

deps_dir="$repo_root/.deps"
catch2_version=3.7.1

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo; then sudo "$@"; else
    fail "installing packages needs root: run 'apt-get install $*' as root, then start again"
  fi
}

apt_updated=no
apt_update_once() {
  [ "$apt_updated" = yes ] && return
  say "    apt-get update"
  as_root apt-get update -qq || fail "apt-get update failed: check the network and the apt sources, then start again"
  apt_updated=yes
}

# install_missing PACKAGE...: installs those that dpkg does not list.
install_missing() {
  have apt-get || fail "this system has no apt-get: install the equivalents of '$*' (README, 'macOS and Windows'), then start again"
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "    installing ${missing[*]}"
  apt_update_once
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install '${missing[*]}': run that command by hand to see why, then start again"
}

# need COMMAND PACKAGE: installs PACKAGE unless COMMAND is on PATH already.
need() { have "$1" || install_missing "$2"; }

# The source package NAME of a Debian or Ubuntu release, downloaded with apt's own signature check
# and a private state, so that the machine's apt configuration is not touched.
fetch_source_package() {
  local name="$1" version="$2" target="$3" work suite uri keyring
  # Other distributions carry other versions: there CMake fetches the pinned one instead.
  [ "$(sed -n 's/^ID=//p' /etc/os-release)" = debian ] || return 1
  suite=trixie
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # shellcheck disable=SC2016 # apt expands it
  uri="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m1 '/debian/*$')" || return 1
  work="$(mktemp -d)"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  say "deb-src [signed-by=$keyring] $uri $suite main" >"$work/sources.list"
  local options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -qq &&
    (cd "$work" && apt-get "${options[@]}" source -qq --download-only "$name" >/dev/null) &&
    mkdir -p "$work/unpacked" && tar -xf "$work/${name}_$version"*.orig.tar.* -C "$work/unpacked" --strip-components=1 &&
    mkdir -p "$target" && cp "$work/unpacked/$4/"*.[ch]* "$target/"
  local status=$?
  rm -rf "$work"
  return $status
}

# RapidJSON is headers only, but em++ does not search /usr/include, hence the link.
ensure_third_party() {
  mkdir -p "$deps_dir/include"
  if [ -d /usr/include/rapidjson ]; then ln -sfn /usr/include/rapidjson "$deps_dir/include/rapidjson"; fi
  [ -f "$deps_dir/catch2/catch_amalgamated.cpp" ] && return
  say "    fetching the source of Catch2 $catch2_version"
  if ! fetch_source_package catch2 "$catch2_version" "$deps_dir/catch2" extras; then
    rm -rf "$deps_dir/catch2"
    say "    not to be had as a source package here: CMake will fetch it from its authors"
  fi
}

ensure_npm_packages() {
  local stamp="$repo_root/node_modules/.meyasu-lock"
  cmp -s "$repo_root/package-lock.json" "$stamp" && return
  say "    installing npm packages (npm ci)"
  (cd "$repo_root" && npm ci --ignore-scripts --silent) || fail "npm ci failed: check the network, then start again"
  cp "$repo_root/package-lock.json" "$stamp"
}

# Emscripten's own acorn is not found when Node is not the distribution's.
export NODE_PATH="/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}"

oldest_node=18

ensure_node() {
  need node nodejs
  need npm npm
  local major
  major="$(node -p 'process.versions.node.split(".")[0]')"
  [ "$major" -ge "$oldest_node" ] || fail "Node $major is too old: install Node $oldest_node or newer, then start again"
}

# What it takes to build native programs.
ensure_native() {
  step "Checking what the build needs"
  need g++ g++
  need cmake cmake
  need ninja ninja-build
  if have apt-get; then install_missing rapidjson-dev; fi
  ensure_third_party
}

# What it takes to build the page.
ensure_build() {
  ensure_native
  need emcc emscripten
  need python3 python3 # packs the page
  ensure_node
  ensure_npm_packages
}

# What it takes to run every test and check, beyond ensure_build.
ensure_test() {
  step "Checking what the tests need"
  need clang++ clang
  need clang-format clang-format
  need clang-tidy clang-tidy
  need shellcheck shellcheck
  local clang_major
  clang_major="$(clang++ -dumpversion | cut -d. -f1)"
  if have apt-get; then install_missing "libclang-rt-$clang_major-dev"; fi
  have chromium || have google-chrome || need chromium chromium
  have firefox-esr || have firefox || need firefox-esr firefox-esr
  if have apt-get; then
    # The linear solver is checked against GLPK.
    install_missing libglpk-dev
    # Japanese glyphs for the screenshots; WebKit and a display for it.
    install_missing fonts-ipafont-gothic webkit2gtk-driver xvfb xauth
  fi
}
