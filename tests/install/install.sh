#!/usr/bin/env bash
# Installs what `make run` needs and the machine lacks: bubblewrap and git from
# Debian, opencode from the npm registry into .tools/ of this project; as
# `install.sh tests` also Nix, patchelf, jq, shellcheck, D-Bus and its proxy and
# help2man, chromium, dpkg and rpm, and a registry, for the tests; as `install.sh registry` that alone.
# Says each step; does nothing, and says nothing, when all is there.
# Exits 1 with what to install by hand when it cannot.
set -euo pipefail

readonly opencode=1.18.33
readonly distribution=v3.1.2

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
readonly tools=$root/.tools/opencode
readonly registry=$root/.tools/registry-$distribution
# Written last: without it an interrupted installation would pass for a whole one.
readonly stamp=$tools/installed-$opencode

say() { printf 'install: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# need_go fails unless go is as new as go.mod asks; go fetches the toolchain
# that go.mod names by itself from version 1.21 on.
need_go() {
  local want got
  want=$(sed -n 's/^go //p' "$root/go.mod")
  have go || die "go is missing: install Go $want or newer, https://go.dev/doc/install"
  got=$(cd "$root" && go env GOVERSION) ||
    die "go could not get the toolchain of go.mod: install Go $want or newer, https://go.dev/doc/install"
  got=${got#go}
  # A release may carry words after its number: "1.26.8 X:nodwarf5".
  [[ $(printf '%s\n' "$want" "${got%% *}" | sort -V | head -n 1) == "$want" ]] ||
    die "go $got is too old: install Go $want or newer, https://go.dev/doc/install"
}

need_node() {
  have node && have npm && return
  die "node or npm is missing, which opencode is installed with. Install them:
  Debian, Ubuntu  apt-get install nodejs npm
  Fedora          dnf install nodejs npm
  Arch            pacman -S nodejs npm
  Nix             nix profile install nixpkgs#nodejs"
}

by_hand() {
  die "missing: $*, and this script cannot install it here (no apt-get, or neither root nor sudo without a password). Install it:
  Debian, Ubuntu  apt-get install $*
  Fedora          dnf install $*
  Arch            pacman -S $*
  Nix             nix profile install ${*/#/nixpkgs#}"
}

# apt runs apt-get as root, or fails when it may not.
apt() {
  local sudo=()
  [[ $(id -u) == 0 ]] || sudo=(sudo -n)
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2
}

may_apt() {
  have apt-get || return 1
  [[ $(id -u) == 0 ]] || { have sudo && sudo -n true 2>/dev/null; }
}

# compiles_wasi tells whether clang makes programs for WASI.
compiles_wasi() { echo 'int main(void) { return 0; }' | clang --target=wasm32-wasi -x c - -o /dev/null 2>/dev/null; }

# install_debian COMMAND:PACKAGE… installs the packages of absent commands. A
# function of this script may stand for the command, and + between packages.
install_debian() {
  local missing=() more=() pair
  for pair; do
    if declare -F "${pair%%:*}" >/dev/null; then
      "${pair%%:*}" && continue
    elif have "${pair%%:*}"; then
      continue
    fi
    IFS=+ read -r -a more <<<"${pair#*:}"
    missing+=("${more[@]}")
  done
  ((${#missing[@]})) || return 0
  may_apt || by_hand "${missing[@]}"
  say "installing ${missing[*]} with apt-get"
  apt install -y --no-install-recommends "${missing[@]}" 2>/dev/null && return
  say "again, with new package lists (apt-get update)"
  apt update && apt install -y --no-install-recommends "${missing[@]}" && return
  die "apt-get could not install ${missing[*]} from the Debian archive; its reason is above. Without a network, install it from a mirror or medium of yours."
}

install_opencode() {
  [[ -e $stamp ]] && return
  need_node
  say "installing opencode-ai@$opencode from the npm registry into .tools/opencode (about 350 MB)"
  rm -rf "$tools"
  mkdir -p "$tools"
  # The package's install script is run by name: npm may be set not to run any.
  npm install --prefix "$tools" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=3000 "opencode-ai@$opencode" >&2 ||
    die "npm could not install opencode-ai@$opencode from the npm registry $(npm config get registry 2>/dev/null); its reason is above. Without a network, set a registry that you reach: npm config set registry URL"
  (cd "$tools/node_modules/opencode-ai" && node postinstall.mjs) >&2 ||
    die "opencode-ai@$opencode has no binary for this machine: $(uname -sm)"
  touch "$stamp"
}

# install_registry builds CNCF Distribution. Tests that run at once may want it at once.
install_registry() {
  [[ -x $registry/registry ]] && return
  mkdir -p "$registry"
  exec 9>"$registry/lock"
  flock 9
  [[ -x $registry/registry ]] && return
  say "building the registry CNCF Distribution $distribution into ${registry#"$root"/} (a few minutes, once)"
  # go install would ask the proxy for modules of longer names first.
  local module=github.com/distribution/distribution/v3@$distribution
  { (cd / && go mod download "$module") && (cd "$(go env GOMODCACHE)/$module" && CGO_ENABLED=0 go build -o "$registry/registry" ./cmd/registry); } 2>"$registry/log" || {
    tail -n 5 "$registry/log" >&2
    die "CNCF Distribution $distribution could not be had from the Go module proxy ($(go env GOPROXY)): check the network or set GOPROXY"
  }
}

if [[ ${1-} == registry ]]; then
  need_go
  install_registry
  exit
fi

needed=(bwrap:bubblewrap git:git)
if [[ ${1-} == tests ]]; then
  needed+=(nix-instantiate:nix-bin patchelf:patchelf jq:jq shellcheck:shellcheck openssl:openssl)
  needed+=(dbus-daemon:dbus-daemon dbus-send:dbus-bin xdg-dbus-proxy:xdg-dbus-proxy help2man:help2man chromium:chromium)
  needed+=(make:make dpkg:dpkg rpm:rpm)
  needed+=(compiles_wasi:clang+lld+wasi-libc+libclang-rt-dev-wasm32)
fi

need_go
install_debian "${needed[@]}"
install_opencode
if [[ ${1-} == tests ]]; then
  install_registry
fi
