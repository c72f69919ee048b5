# Sets OCJAIL_GIT_COMMON to the repository that the project is a linked worktree
# of, if that names the project in return (gitrepository-layout(5)). Git is not
# asked: it would run what a repository's configuration names.
unset OCJAIL_GIT_COMMON
ocjail_worktree() {
  local root dir back common
  root=$(cd -P -- "$1" && pwd) || return 0
  [[ -f $root/.git && ! -L $root/.git && -r $root/.git ]] || return 0
  IFS= read -r dir <"$root/.git" || true
  [[ $dir == "gitdir: "* ]] || return 0
  dir=${dir#gitdir: }
  [[ $dir == /* ]] || dir=$root/$dir
  dir=$(cd -P -- "$dir" 2>/dev/null && pwd) || return 0
  [[ -f $dir/gitdir && -r $dir/gitdir && -f $dir/commondir && -r $dir/commondir ]] || return 0
  IFS= read -r back <"$dir/gitdir" || true
  IFS= read -r common <"$dir/commondir" || true
  [[ $back == /* ]] || back=$dir/$back
  [[ $common == /* ]] || common=$dir/$common
  [[ ${back##*/} == .git ]] || return 0
  back=$(cd -P -- "${back%/.git}" 2>/dev/null && pwd) || return 0
  common=$(cd -P -- "$common" 2>/dev/null && pwd) || return 0
  if [[ $back == "$root" && $dir == "$common/worktrees/${dir##*/}" && $common/ != "$root"/* ]]; then
    OCJAIL_GIT_COMMON=$common
  fi
}
