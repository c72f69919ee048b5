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

mkdir -p "$stage/bin" "$dist"
cp "$bin/ocjail" "$bin/ocjail-rules" "$bin/ocjail-wasm" "$stage/bin"
cp "$root/LICENSE" "$root"/docs/{bundles,rollout,configuration,log}.md "$stage"
cp -r "$root/packages/systemd" "$root/packages/ocjail.hcl" "$stage"
said=$("$stage/bin/ocjail" version) || die "$bin/ocjail does not run here: packages are built on a machine of their kind"
[[ " $said " == *" $described "* ]] || die "$bin/ocjail is \"$said\", not of version $described: run make packages"

"$root/packages/manual.sh" "$stage/bin/ocjail" "$PACKAGE_VERSION" "$stage/man"
gzip -9n "$stage"/man/*
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
