# Sets OCJAIL_GIT_COMMON to the repository that the project is a linked worktree
# of, if that names the project in return (gitrepository-layout(5)). Git is not
# asked: it would run what a repository's configuration names.
unset OCJAIL_GIT_COMMON
# Reads the first line of a file into a variable. An agent can have written the file,
# and make it longer than any disk: it is read to the first NUL, and what has 4 KiB (PATH_MAX) is
# no path.
ocjail_line() {
  local text
  IFS= read -r -d '' -n 4097 text <"$1" || true # ends at a NUL, where the default skips them
  ((${#text} <= 4096)) || text=
  printf -v "$2" %s "${text%%$'\n'*}"
}
ocjail_worktree() {
  local root dir back common
  root=$(cd -P -- "$1" && pwd) || return 0
  [[ -f $root/.git && ! -L $root/.git && -r $root/.git ]] || return 0
  ocjail_line "$root/.git" dir
  [[ $dir == "gitdir: "* ]] || return 0
  dir=${dir#gitdir: }
  [[ $dir == /* ]] || dir=$root/$dir
  dir=$(cd -P -- "$dir" 2>/dev/null && pwd) || return 0
  [[ -f $dir/gitdir && -r $dir/gitdir && -f $dir/commondir && -r $dir/commondir ]] || return 0
  ocjail_line "$dir/gitdir" back
  ocjail_line "$dir/commondir" common
  [[ $back == /* ]] || back=$dir/$back
  [[ $common == /* ]] || common=$dir/$common
  [[ ${back##*/} == .git ]] || return 0
  back=$(cd -P -- "${back%/.git}" 2>/dev/null && pwd) || return 0
  common=$(cd -P -- "$common" 2>/dev/null && pwd) || return 0
  if [[ $back == "$root" && $dir == "$common/worktrees/${dir##*/}" && $common/ != "$root"/* ]]; then
    OCJAIL_GIT_COMMON=$common
  fi
}
