# Stands in bwrap's place in the wrappers that jail.nix makes.
say() { echo "ocjail: $*; nothing was started" >&2; }

if [[ ! -r ${OCJAIL_MANIFEST-} || ! -f $OCJAIL_MANIFEST ]]; then
  say "OCJAIL_MANIFEST (${OCJAIL_MANIFEST-not set}) is no readable file. Start the program that the devenv shell has on its PATH, or enter the shell again"
  exit 125
fi

# jail.nix's dbus combinator first starts a jail for xdg-dbus-proxy and waits for
# a byte from it. If that jail can't be, the byte is written all the same, and a
# mark tells the main launch, which would otherwise start without its proxy.
ready=
for word; do
  case $word in
    */bin/xdg-dbus-proxy) ready=next ;;
    --fd=*) [[ $ready != next ]] || ready=${word#--fd=} ;;
  esac
done
mark=${PROXIED_DBUS_SOCKET_DIR:+$PROXIED_DBUS_SOCKET_DIR/refused}

if [[ $ready =~ ^[0-9]+$ && -n $mark ]]; then
  "${gate[@]}" "$@" &
  proxy=$!
  trap 'kill "$proxy"' HUP INT TERM
  status=0
  wait "$proxy" || status=$?
  if ((status != 0)); then
    : >"$mark"
    printf x >&"$ready"
  fi
  exit "$status"
fi
if [[ -n $mark && -e $mark ]]; then
  say "the jail of xdg-dbus-proxy was not started (its message is above). Remove the dbus combinator, or mend what it says"
  exit 126
fi
exec "${gate[@]}" "$@"
