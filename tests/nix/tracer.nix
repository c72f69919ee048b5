# Every combinator of a jail.nix in one list, folded by the tracer: what the Go
# tests compare with jail.nix's own wrapper, and look at.
{
  lib,
  jailNix,
  count ? 200,
}:
let
  nixpkgsLib = import (/. + lib);
  tracer = import ../../nix/tracer.nix {
    lib = nixpkgsLib;
    jailNix = import (/. + "${jailNix}/lib");
    version = "of-the-tests";
  };
  pkgs = import ./double/packages.nix {
    lib = nixpkgsLib;
    overlays = [
      (final: prev: {
        jail = tracer.mkJail {
          pkgs = prev;
          bubblewrapPackage = prev.writeShellScriptBin "gate" "exit 1";
          additionalCombinators = c: {
            mine = a: b: c.compose [ (c.set-env "MINE" "${a}${b}") (c.readonly a) ];
            renaming = s: s // { hostname = "x"; };
          };
        };
      })
    ];
  };
  c = pkgs.jail.combinators;
  prog = pkgs.writeShellScriptBin "prog" "echo hi";

  # A use of every combinator. Those that jail.nix has and this set has not are
  # `uncovered`.
  uses = with c; {
    add-cleanup = [ (add-cleanup "true") ];
    add-path = [ (add-path "/opt/bin") ];
    add-pkg-deps = [ (add-pkg-deps [ pkgs.hello ]) ];
    add-runtime = [ (add-runtime "RUNTIME_ARGS+=(--ro-bind /srv /srv)") ];
    add-seccomp = [ (add-seccomp "~/filter") ];
    base = [ base ];
    bind-nix-store-runtime-closure = [ bind-nix-store-runtime-closure ];
    bind-pkg = [ (bind-pkg "/h" pkgs.hello) ];
    camera = [ camera ];
    compose = [ (compose [ (share-ns "ipc") (compose [ (tmpfs "/t") (rw-bind "/a" "/b c") ]) ]) ];
    dbus = [ (dbus { talk = [ "a.b.C" ]; }) (dbus { own = [ "d.E" ]; }) ];
    defer = [ (defer (s: set-env "LATE" s.hostname s)) (defer (tmpfs "/late")) ];
    escape = [ (add-runtime "echo ${escape "a b"}") ];
    fake-passwd = [ fake-passwd ];
    fwd-env = [ (fwd-env "FORWARDED") ];
    gpu = [ gpu ];
    gui = [ gui ];
    include-once = [ (include-once "k" (tmpfs "/once")) (include-once "k" (tmpfs "/twice")) ];
    jail-to-host-channel = [ (jail-to-host-channel "ch" "echo") ];
    mine = [ (mine "/a" "b") ];
    mount-cwd = [ mount-cwd ];
    network = [ network ];
    no-die-with-parent = [ no-die-with-parent ];
    no-new-session = [ no-new-session ];
    noescape = [ (readwrite (noescape "~/.config/opencode")) ];
    notifications = [ notifications ];
    open-urls-in-browser = [ open-urls-in-browser ];
    persist-home = [ (persist-home "prog") ];
    pipewire = [ pipewire ];
    pulse = [ pulse ];
    readonly = [ (readonly "~/docs and more") ];
    readonly-paths-from-var = [ (readonly-paths-from-var "PATHS" ":") ];
    readonly-runtime-args = [ readonly-runtime-args ];
    readwrite = [ (readwrite "/srv/data") ];
    readwrite-runtime-args = [ readwrite-runtime-args ];
    renaming = [ renaming ];
    reset = [ (tmpfs "/lost") (defer (set-env "LOST" "1")) reset base fake-passwd ];
    ro-bind = [ (ro-bind "~/a" "/a") ];
    runtime-deep-ro-bind = [ (runtime-deep-ro-bind "/etc/fonts") ];
    rw-bind = [ (rw-bind "~/.cargo/registry" "~/.cargo/registry") ];
    set-argv = [ (set-argv [ "x" (noescape "\"$@\"") ]) ];
    set-env = [ (set-env "A" "b c") (set-env "Z" "1") (set-env "A" "d") ];
    set-hostname = [ (set-hostname "late") ];
    share-ns = [ (share-ns "cgroup") ];
    time-zone = [ time-zone ];
    tmpfs = [ (tmpfs "/t2") ];
    try-fwd-env = [ (try-fwd-env "MAYBE") ];
    try-readonly = [ (try-readonly "/maybe") ];
    try-readwrite = [ (try-readwrite "/maybe") ];
    try-ro-bind = [ (try-ro-bind "/maybe" "/m") ];
    try-rw-bind = [ (try-rw-bind "/maybe" "/m") ];
    unsafe-add-raw-args = [ (unsafe-add-raw-args "--bind /one") (unsafe-add-raw-args "/two --dir /d") ];
    unsafe-dbus = [ unsafe-dbus ];
    unsafe-x11 = [ unsafe-x11 ];
    wayland = [ wayland ];
    wrap-entry = [ (wrap-entry (e: "echo; ${e}")) ];
    write-text = [ (write-text "/etc/foo" "bar") ];
    xwayland = [ xwayland ];
    # Deprecated, and warned about by jail.nix.
    persisthome = [ ];
    dbus-unsafe = [ ];
  };
  opaque = [
    (s: s // { newSession = false; cmd = "${s.cmd} --dir /foo"; })
    (c.compose [ (s: s // { cmd = "${s.cmd} --dir /early"; }) (c.tmpfs "/late2") ])
    (s: nixpkgsLib.pipe s [ (c.tmpfs "/z") (c.rw-bind "/y" "/y") ])
    (s: s // { runtime = "# first\n${s.runtime}"; })
  ];
  last = with c; [ base bind-nix-store-runtime-closure ];
  available = nixpkgsLib.filter (n: c ? ${n}) (builtins.attrNames uses);
  # reset first, or it would undo the others.
  every =
    uses.reset ++ nixpkgsLib.concatMap (n: uses.${n}) (nixpkgsLib.filter (n: n != "reset") available) ++ opaque ++ last;

  elements = nixpkgsLib.imap0 (
    i: permission: {
      id = "list[${toString i}]";
      inherit permission;
      origin = { option = "list"; index = i; };
    }
  );
  trace = list: pkgs.jail.ocjail.trace "prog" prog (elements list);
  shown = t: {
    inherit (t) text never;
    annotated = (t.package "").text;
    cmd = map (p: { inherit (p) id; text = builtins.unsafeDiscardStringContext p.text; }) t.cmd;
    entries = map (e: { inherit (e) id phase; combinator = e.combinator or null; }) t.entries;
  };
  # The jail of an untouched jail.nix, with its own combinators.
  plain = (import (/. + "${jailNix}/lib")).extend (pkgs.jail.ocjail.args // { basePermissions = _: [ ]; });
in
{
  uncovered = builtins.attrNames (removeAttrs c (builtins.attrNames uses));
  covered = builtins.length available;
  every = shown (trace every);
  # Real jail.nix on the very same list, in its real wrapper.
  real = (plain "prog" prog every).text;
  # The same list in jail.nix's own combinators, where paths need no rewriting.
  basePermissions = {
    traced = (trace (map (n: c.${n}) tracer.baseNames)).text;
    real = ((import (/. + "${jailNix}/lib")).extend (removeAttrs pkgs.jail.ocjail.args [ "basePermissions" ]) "prog" prog [ ]).text;
  };
  reset = shown (trace (with c; [
    base (defer (set-env "LOST" "1")) network reset (tmpfs "/only") (defer (set-env "KEPT" "1")) (defer (defer (set-env "NEVER" "1")))
  ]));
  # All that a wrapper and a manifest take of a long list.
  many =
    let
      t = trace ([ c.base ] ++ builtins.genList (i: c.rw-bind "/a${toString i}" "/b") count);
    in
    builtins.stringLength (t.package "").text
    + builtins.stringLength (builtins.unsafeDiscardStringContext (builtins.toJSON (map (e: removeAttrs e [ "children" ]) t.entries)));

  # jail.nixes that changed.
  drift =
    let
      jn = import (/. + "${jailNix}/lib");
      broken = extend: (import ../../nix/tracer.nix { lib = nixpkgsLib; jailNix = { inherit extend; }; version = "1.2.3"; });
      use = t: (t.trace { inherit pkgs; bubblewrapPackage = pkgs.bubblewrap; } "prog" prog (elements [ c.base ])).text;
    in
    {
      otherText = use (broken (a: let j = jn.extend a; in j // { __functor = _: n: e: p: let w = j n e p; in if w ? initial then w else w // { text = w.text + "#"; }; }));
      noState = use (broken (a: { combinators = { }; __functor = _: n: e: p: "text"; }));
      moreBase = use (broken (a: jn.extend (a // nixpkgsLib.optionalAttrs (!(a ? basePermissions)) { basePermissions = x: [ x.base ]; })));
    };
}
