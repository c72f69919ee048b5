#!/usr/bin/env bash
# version.sh VERSION prints what `git describe --tags --always --dirty` said in a form
# that dpkg and rpm take and sort alike: v0.2.0-rc.1 is 0.2.0~rc.1, before 0.2.0;
# v0.2.0-3-gabc1234 is 0.2.0+3.gabc1234, after it. What no tag precedes is before all
# of them, by the time SOURCE_DATE_EPOCH.
set -euo pipefail

version=${1#v} suffix=
if [[ $version == *-dirty ]]; then
  version=${version%-dirty} suffix=.dirty
fi
if [[ $version =~ ^(.+)-([0-9]+)-(g[0-9a-f]+)$ ]]; then
  version=${BASH_REMATCH[1]} suffix=+${BASH_REMATCH[2]}.${BASH_REMATCH[3]}$suffix
elif [[ $version =~ ^[0-9a-f]{7,40}$ || $version == devel ]]; then
  built=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)
  version=0~git$built.$version
else
  suffix=${suffix/#./+}
fi
version=${version/-/\~}$suffix
[[ $version =~ ^[0-9][0-9A-Za-z.+~]*$ ]] || {
  printf 'packages: the version %q is none for a package: name the tag as v1.2.3 or v1.2.3-rc.1, or run make packages VERSION=v1.2.3\n' "$1" >&2
  exit 1
}
printf '%s\n' "$version"
