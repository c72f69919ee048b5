#!/usr/bin/env bash
# manual.sh PROGRAM VERSION DIR writes ocjail's manual pages into DIR, one a command,
# from the help of PROGRAM, which must run here. Needs help2man.
set -euo pipefail

readonly program=$1 version=$2 dir=$3

die() {
  printf 'manual: %s\n' "$*" >&2
  exit 1
}

# commands prints ocjail's commands, or with an argument those below one, each with a
# tab and what it does.
commands() {
  local listed
  listed=$("$program" __complete "$@" '' 2>/dev/null) || die "$program does not list its commands"
  sed -n '/^\(completion\|help\)\t/d; /^[a-z]\+\t/p' <<<"$listed"
}

# pages prints the commands that have a manual page, "" for ocjail itself.
pages() {
  local sub
  printf '\tJail an LLM agent with bubblewrap, and check the jail before it starts\n'
  commands
  for sub in bundle config; do
    commands "$sub" | sed "s/^/$sub /"
  done
}

# examples prints those of a command's help line by line: help2man fills them into one
# paragraph, or takes them for a list.
examples() {
  printf '.IP\n.nf\n'
  "$@" --help | sed -n '/^Examples:$/,/^$/{/^Examples:$/d; s/^  //; s/\\/\\e/g; s/-/\\-/g; s/^[.'"'"']/\\\&&/; /./p}'
  printf '.fi\n'
}

# page COMMAND SHORT writes a manual page. Its name has a dash, as whatis has it: a
# space would end the title, and begin the section.
page() {
  local name=ocjail${1:+-${1// /-}} words
  read -ra words <<<"$1"
  examples "$program" "${words[@]}" >"$work/examples"
  help2man --no-info --locale=C.UTF-8 --version-string="$version" --name="$2" --output="$work/page" "$program${1:+ $1}" ||
    die "help2man made no page of ocjail $1"
  grep -qx '\.SH EXAMPLES' "$work/page" || die "ocjail $1 --help has no examples"
  sed -e "s/^\.TH [A-Z ]* \"1\"/.TH ${name^^} \"1\"/" -e '/^\.SH NAME$/{n; s/^ocjail[a-z ]*/'"$name"' /}' \
    -e '/^\.SH EXAMPLES$/,/^\.SS/{/^\.S[HS]/!d; /^\.SH/r '"$work/examples"$'\n}' "$work/page" |
    sed '/^\.SS "Usage:"$/,/^\.SH EXAMPLES$/{s/^\.IP$/&\n.nf/; s/^\.SH EXAMPLES$/.fi\n&/}' >"$dir/$name.1"
}

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
mkdir -p "$dir"
listed=$(pages)
while IFS= read -r line; do
  page "${line%%$'\t'*}" "${line#*$'\t'}"
done <<<"$listed"
