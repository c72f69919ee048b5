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

# refuse STATUS [MESSAGE] ends this launch.
refuse() {
  [[ -z ${2-} ]] || echo "ocjail: $2; nothing was started" >&2
  if [[ -n $ready ]]; then
    : >"$mark"
    printf x >&"$ready"
    # The wrapper kills this process when it ends, and fails if there is none.
    trap - HUP INT TERM
    local never
    exec {never}<> <(:)
    read -r -t 60 -u "$never" || true
  fi
  exit "$1"
}

if [[ ! -r ${OCJAIL_MANIFEST-} || ! -f $OCJAIL_MANIFEST ]]; then
  refuse 125 "OCJAIL_MANIFEST (${OCJAIL_MANIFEST-not set}) is no readable file. Start the program that the devenv shell has on its PATH, or enter the shell again"
fi
if [[ -z $ready && -n $mark && -e $mark ]]; then
  refuse 126 "the jail of xdg-dbus-proxy was not started (its message is above). Remove the dbus combinator, or mend what it says"
fi
[[ -n $ready ]] || exec "${gate[@]}" "$@"

"${gate[@]}" "$@" &
proxy=$!
trap 'kill "$proxy"' HUP INT TERM
status=0
wait "$proxy" || status=$?
((status == 0)) || refuse "$status"
