{
  pkgs,
  lib,
  jail,
}:
let
  push = attr: x: s: s // { ${attr} = s.${attr} ++ [ x ]; };
  raw = text: s: s // { cmd = "${s.cmd} ${text}"; };
  word = x: if builtins.isAttrs x && x ? _noescape then x._noescape else lib.escapeShellArg x;
  bind = option: from: to: raw "${option} ${word from} ${word to}";
  once = key: p: s: if lib.elem key s.includedOnce then s else p (push "includedOnce" key s);
  data = "~/.local/share/jail.nix";
in
rec {
  compose = list: s: lib.pipe s list;
  include-once = once;
  defer = push "deferredPermissions";
  reset = s: s.initialState;
  escape = word;
  noescape = text: { _noescape = text; };
  unsafe-add-raw-args = raw;
  add-runtime = text: s: s // { runtime = "${s.runtime}\n${text}\n"; };
  add-cleanup = push "cleanup";
  add-path = dir: s: s // { path = [ dir ] ++ s.path; };
  add-pkg-deps = ps: compose (map (p: add-path "${lib.getBin p}/bin") ps);

  ro-bind = bind "--ro-bind";
  rw-bind = bind "--bind";
  try-ro-bind = bind "--ro-bind-try";
  try-rw-bind = bind "--bind-try";
  readonly = p: ro-bind p p;
  readwrite = p: rw-bind p p;
  try-readonly = p: try-ro-bind p p;
  try-readwrite = p: try-rw-bind p p;
  tmpfs = p: raw "--tmpfs ${word p}";
  mount-cwd = once "mount-cwd" (raw "--bind \"$PWD\" \"$PWD\"");
  bind-pkg = to: p: compose [ (ro-bind "${p}" to) (push "additionalRuntimeClosures" p) ];
  write-text = to: text: bind-pkg to (pkgs.writeText "jail-text-${lib.strings.sanitizeDerivationName (word to)}" text);
  persist-home =
    name:
    let
      home = "${data}/home/${word name}";
    in
    compose [ (add-runtime "mkdir -p ${home}") (rw-bind (noescape home) (noescape "~")) ];

  set-env = name: value: s: s // { env = s.env // { ${name} = word value; }; };
  fwd-env = name: set-env name (noescape "\"\$${name}\"");
  try-fwd-env = name: raw "\${${name}+--setenv ${name} \"\$${name}\"}";
  set-hostname = hostname: s: s // { inherit hostname; };
  set-argv = argv: s: s // { argv = lib.concatMapStringsSep " " word argv; };
  wrap-entry =
    f: s:
    s
    // {
      entry = lib.getExe (pkgs.writeShellApplication { name = "${s.name}-entry"; text = f "${s.entry} \"$@\""; });
    };
  share-ns = ns: s: s // { namespaces = s.namespaces // { ${ns} = true; }; };
  no-new-session = s: s // { newSession = false; };
  no-die-with-parent = s: s // { dieWithParent = false; };

  # Unlike jail.nix's it is a plain function: the module only calls it.
  runtime-deep-ro-bind = path: add-runtime ''
    if [ -e ${word path} ]; then
      while read -r FOUND; do
        RUNTIME_ARGS+=(--ro-bind "$FOUND" "$FOUND")
      done < <(${pkgs.findutils}/bin/find ${word path} -readable -type f)
    fi'';
  time-zone = once "time-zone" (runtime-deep-ro-bind "/etc/localtime");
  network = once "network" (
    s:
    compose [
      time-zone
      (share-ns "net")
      (runtime-deep-ro-bind "/etc/hosts")
      (runtime-deep-ro-bind "/etc/resolv.conf")
      (runtime-deep-ro-bind "/etc/ssl")
      (raw "--hostname ${word s.hostname}")
    ] s
  );

  base = compose [
    (raw "--proc /proc --dev /dev --tmpfs /tmp --tmpfs ~ --clearenv")
    (ro-bind "${pkgs.bash}/bin/sh" "/bin/sh")
    (push "additionalRuntimeClosures" pkgs.bash)
    (add-path "/bin")
    (add-pkg-deps [ pkgs.coreutils ])
    (fwd-env "LANG")
    (fwd-env "HOME")
    (fwd-env "TERM")
  ];
  fake-passwd = compose [
    (add-runtime ''
      mkdir -p ${data}
      echo "$(id -un):x:$(id -u):$(id -g)::$HOME:/bin/sh" > ${data}/passwd
      echo "$(id -gn):x:$(id -g):" > ${data}/group'')
    (ro-bind (noescape "${data}/passwd") "/etc/passwd")
    (ro-bind (noescape "${data}/group") "/etc/group")
  ];
  bind-nix-store-runtime-closure = once "closure" (
    defer (
      s:
      let
        names = pkgs.writeText "${s.name}-closure" (
          lib.concatStringsSep "\n" (map toString s.additionalRuntimeClosures ++ s.path ++ [ s.argv s.entry ])
        );
        options = pkgs.runCommand "${s.name}-closure-options" { __structuredAttrs = true; exportReferencesGraph.closure = names; } ''
          jq -r '.closure[].path' "$NIX_ATTRS_JSON_FILE" | sort | while read -r p; do printf '%s\0' --ro-bind "$p" "$p"; done > $out
        '';
      in
      compose [ (add-runtime "exec {CLOSURE_FD}<${options}") (raw "--args \"$CLOSURE_FD\"") ] s
    )
  );

  # A filter is a file, or a program that writes one.
  add-seccomp = file: compose [
    (push "seccompPermissions" (word file))
    (once "seccomp" (defer (s: add-runtime ''
      for FILTER in ${lib.concatStringsSep " " s.seccompPermissions}; do
        if [ -x "$FILTER" ]; then exec {SECCOMP_FD}< <("$FILTER"); else exec {SECCOMP_FD}<"$FILTER"; fi
        RUNTIME_ARGS+=(--add-seccomp-fd "$SECCOMP_FD")
      done'' s)))
  ];

  dbus =
    {
      own ? [ ],
      talk ? [ ],
    }:
    compose [
      (push "dbusPermissions" { inherit own talk; })
      (once "dbus" (defer (s: let
        flags = type: lib.concatMapStringsSep " " (n: "--${type}=${lib.escapeShellArg n}") (lib.concatMap (p: p.${type}) s.dbusPermissions);
        proxy = jail "xdg-dbus-proxy" pkgs.xdg-dbus-proxy [
          (readonly (noescape "\"$XDG_RUNTIME_DIR/bus\""))
          (fwd-env "DBUS_SESSION_BUS_ADDRESS")
          (readwrite (noescape "\"$PROXIED_DBUS_SOCKET_DIR\""))
        ];
      in compose [
        (add-runtime ''
          PROXIED_DBUS_SOCKET_DIR=$(mktemp -d)
          export PROXIED_DBUS_SOCKET_DIR
          mkfifo "$PROXIED_DBUS_SOCKET_DIR/ready"
          exec {READY_FD}<>"$PROXIED_DBUS_SOCKET_DIR/ready"
          ${lib.getExe proxy} "$DBUS_SESSION_BUS_ADDRESS" "$PROXIED_DBUS_SOCKET_DIR/socket" --fd="$READY_FD" --filter ${flags "own"} ${flags "talk"} &
          PROXY_PID=$!
          IFS= read -rn1 -u "$READY_FD"'')
        (add-cleanup ''kill "$PROXY_PID" || true; rm -rf "$PROXIED_DBUS_SOCKET_DIR"'')
        (readwrite (noescape "\"$PROXIED_DBUS_SOCKET_DIR\""))
        (set-env "DBUS_SESSION_BUS_ADDRESS" (noescape "\"unix:path=$PROXIED_DBUS_SOCKET_DIR/socket\""))
      ] s)))
    ];
}
