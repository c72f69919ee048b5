# Stands in bwrap's place in the wrappers that jail.nix makes.
#
# jail.nix's dbus combinator first starts a jail for xdg-dbus-proxy and waits for
# a byte on its --fd. If that jail can't be, the byte is written all the same,
# and a mark tells the main launch, which would otherwise start without it.
ready= mark=
if [[ -n ${PROXIED_DBUS_SOCKET_DIR-} ]]; then
  mark=$PROXIED_DBUS_SOCKET_DIR/refused
  for word; do
    case $word in
      */bin/xdg-dbus-proxy) ready=next ;;
      --fd=*) [[ $ready != next ]] || ready=${word#--fd=} ;;
    esac
  done
  [[ $ready =~ ^[0-9]+$ ]] || ready=
fi

if [[ -z $ready ]]; then
  if [[ -n $mark && -e $mark ]]; then
    echo "ocjail: the jail of xdg-dbus-proxy was not started (its message is above). Remove the dbus combinator, or mend what it says; nothing was started" >&2
    exit 126
  fi
  exec "${gate[@]}" "$@"
fi

# The wrapper's own trap ends the proxy, unless the wrapper is killed outright. Its
# descendants have the variable in their environment, and it has not.
parent_of() {
  local stat
  { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) } # behind the program's name, which may hold blanks (proc(5))
  above=${stat#* }
  above=${above%% *}
}
line=("$$")
while [[ ${line[-1]} != 1 ]] && parent_of "${line[-1]}"; do
  line+=("$above")
  inherited=
  while IFS= read -r -d '' word; do
    [[ $word != PROXIED_DBUS_SOCKET_DIR=* ]] || inherited=1
  done 2>/dev/null <"/proc/$above/environ" || :
  [[ -n $inherited ]] || break
done

"${gate[@]}" "$@" &
proxy=$!
{
  exec {never}<> <(:)
  eval "exec $ready>&-"
  while :; do
    for ((i = 0; i + 1 < ${#line[@]}; i++)); do
      [[ -e /proc/$$/stat ]] || exit 0
      if ! parent_of "${line[i]}" || [[ $above != "${line[i + 1]}" ]]; then
        kill "$$" # as the wrapper would have
        exit 0
      fi
    done
    read -r -t 1 -u "$never" || :
  done
} </dev/null >/dev/null 2>&1 &
watch=$!
ended=
trap 'ended=1; kill "$proxy" 2>/dev/null || :' HUP INT TERM
status=0
wait "$proxy" || status=$?
kill "$watch" 2>/dev/null || :
if [[ -n $ended ]]; then # the wrapper is done with it: there is nobody to tell
  wait "$proxy" || :
  rm -f -- "$PROXIED_DBUS_SOCKET_DIR"/{socket,ready,refused} || :
  rmdir -- "$PROXIED_DBUS_SOCKET_DIR" 2>/dev/null || :
  exit 0
fi
((status != 0)) || exit 0

: >"$mark"
printf x >&"$ready"
# The wrapper kills this process when it ends, and fails if there is none.
trap - HUP INT TERM
exec {never}<> <(:)
read -r -t 60 -u "$never" || true
exit "$status"
