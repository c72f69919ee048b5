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

"${gate[@]}" "$@" &
proxy=$!
ended=
trap 'ended=1; kill "$proxy" 2>/dev/null || :' HUP INT TERM
status=0
wait "$proxy" || status=$?
if [[ -n $ended ]]; then # the wrapper is done with it: there is nobody to tell
  wait "$proxy" || :
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
