#!/bin/sh
# Tests, builds, signs, verifies and pushes the policy, in this folder:
#   sh publish.sh oci://REGISTRY/REPOSITORY:TAG PRIVATE.key
# Its revision is the time, seconds and nanoseconds, so that every later one is newer
# (the 1 keeps the zeros of the second number). It ends after 90
# days, so that nobody can hold machines back at an old one for longer: publish in time.
set -eu
[ $# -eq 2 ] || { echo "usage: sh publish.sh oci://REGISTRY/REPOSITORY:TAG PRIVATE.key" >&2; exit 2; }

ocjail test rules --coverage 100
ocjail bundle build rules -o policy.tar.gz --revision "$(date -u +%s.1%N)" --expires "$(date -u -d '+90 days' +%F)"
ocjail bundle sign policy.tar.gz --key "$2"
ocjail bundle verify policy.tar.gz --key policy.pem
ocjail bundle push policy.tar.gz "$1"
