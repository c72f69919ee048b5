#!/usr/bin/env bash
# build.sh NFPM BIN DIST VERSION writes the Debian package and the RPM into DIST, of
# the programs in BIN, which must be built with VERSION (git describe's). Equal
# programs and an equal SOURCE_DATE_EPOCH give equal bytes. `make packages` runs it.
set -euo pipefail

readonly nfpm=$1 bin=$2 dist=$3 described=$4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

die() {
  printf 'packages: %s\n' "$*" >&2
  exit 1
}

# commands prints the names of ocjail's commands, or with an argument of those below one.
commands() {
  local listed
  listed=$("$stage/bin/ocjail" __complete "$@" '' 2>/dev/null) || die "$stage/bin/ocjail does not list its commands"
  sed -n 's/^\([a-z]\+\)\t.*/\1/p' <<<"$listed" | grep -vx 'completion\|help'
}

# pages prints the commands that have a manual page, "" for ocjail itself.
pages() {
  local sub
  echo
  commands
  for sub in bundle config; do
    commands "$sub" | sed "s/^/$sub /"
  done
}

for tool in help2man gzip; do
  command -v "$tool" >/dev/null || die "$tool is missing: run tests/install/install.sh tests, or apt-get install $tool"
done
# Without git, the least time that all archivers take.
: "${SOURCE_DATE_EPOCH:=$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 315532800)}"
export SOURCE_DATE_EPOCH
umask 022
PACKAGE_VERSION=$("$root/packages/version.sh" "$described")
ARCH=$(go env GOARCH)
STAGE=$(mktemp -d)
export PACKAGE_VERSION ARCH STAGE
readonly stage=$STAGE
trap 'rm -rf "$stage"' EXIT

mkdir -p "$stage/bin" "$stage/man" "$dist"
cp "$bin/ocjail" "$bin/ocjail-rules" "$bin/ocjail-wasm" "$stage/bin"
cp "$root/LICENSE" "$root"/docs/{bundles,rollout,configuration,log}.md "$stage"
cp -r "$root/packages/systemd" "$root/packages/ocjail.hcl" "$stage"
said=$("$stage/bin/ocjail" version) || die "$bin/ocjail does not run here: packages are built on a machine of their kind"
[[ " $said " == *" $described "* ]] || die "$bin/ocjail is \"$said\", not of version $described: run make packages"

listed=$(pages)
while IFS= read -r command; do
  page=$stage/man/ocjail${command:+-${command// /-}}.1
  help2man --no-info --locale=C.UTF-8 --version-string="$PACKAGE_VERSION" --output="$page" "$stage/bin/ocjail${command:+ $command}" ||
    die "help2man made no page of ocjail $command"
  gzip -9n "$page"
done <<<"$listed"
for shell in bash fish zsh; do
  "$stage/bin/ocjail" completion "$shell" >"$stage/ocjail.$shell"
done

# Also the times of files get into a package.
find "$stage" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
rm -f "$dist"/ocjail[_-]*.deb "$dist"/ocjail[_-]*.rpm
for packager in deb rpm; do
  "$nfpm" package --config "$root/packages/nfpm.yaml" --packager "$packager" --target "$dist/" >"$stage/log" 2>&1 || {
    cat "$stage/log" >&2
    die "nfpm made no $packager"
  }
done
ls "$dist"/ocjail[_-]*
