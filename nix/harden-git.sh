# git outside the jail ignores what an agent may have planted in a repository.
ocjail_git() {
  local n=${GIT_CONFIG_COUNT:-0} i key value
  for ((i = 0; i < n; i++)); do
    key=GIT_CONFIG_KEY_$i value=GIT_CONFIG_VALUE_$i
    if [[ ${!key-} == "$1" && ${!value-} == "$2" ]]; then return; fi
  done
  export "GIT_CONFIG_KEY_$n=$1" "GIT_CONFIG_VALUE_$n=$2" GIT_CONFIG_COUNT=$((n + 1))
}
ocjail_git safe.bareRepository explicit
ocjail_git core.fsmonitor false
ocjail_git diff.ignoreSubmodules dirty
unset -f ocjail_git
