# jail.nix's combinators as functors that remember their name and arguments and,
# applied to a state that is being traced, note what they changed. They need no
# signatures, so combinators added by the user work as the built-in ones do.
{ lib }:
let
  describe = import ./describe.nix { inherit lib; };
  inherit (describe) isCallable;

  # jail.nix's state, told from an argument by what it always carries.
  isState = x: builtins.isAttrs x && x ? initialState && x ? deferredPermissions && x ? cmd;

  # Never to be shown: the state holds itself, and functions.
  hidden = [ "initialState" "deferredPermissions" "__ocjailTrace" "__ocjailElement" "__ocjailRun" ];
  snapshot =
    s:
    lib.mapAttrs (_: describe.show) (removeAttrs s hidden) // { deferred = builtins.length s.deferredPermissions; };

  # Which arguments, counted from 0, are paths on the host or in the jail.
  pathArguments = {
    add-seccomp = [ 0 ];
    bind-pkg = [ 0 ];
    readonly = [ 0 ];
    readwrite = [ 0 ];
    ro-bind = [ 0 1 ];
    runtime-deep-ro-bind = [ 0 ];
    rw-bind = [ 0 1 ];
    tmpfs = [ 0 ];
    try-readonly = [ 0 ];
    try-readwrite = [ 0 ];
    try-ro-bind = [ 0 1 ];
    try-rw-bind = [ 0 1 ];
    write-text = [ 0 ];
  };

  # jail.nix quotes its arguments, so that bash would leave the ~ of a documented
  # "~/.cargo/registry" alone, and shellcheck refuse it (SC2088).
  home =
    x:
    if x == "~" || (builtins.isString x && lib.hasPrefix "~/" x) then
      {
        _noescape = if x == "~" then "~" else "~/" + lib.escapeShellArg (lib.removePrefix "~/" x);
        __ocjailWritten = x;
      }
    else
      x;
  rewrite = combinator: position: if builtins.elem position (pathArguments.${combinator} or [ ]) then home else lib.id;

  wrap = combinator: args: f: {
    __ocjail = { inherit combinator args; };
    __functor =
      _: x:
      if isState x then
        note { inherit combinator args; } f x
      else
        let
          x' = rewrite combinator (builtins.length args) x;
          r = f x';
        in
        # escape and noescape give a plain value.
        if isCallable r then wrap combinator (args ++ [ x' ]) r else r;
  };

  complete =
    element: call: after:
    if isState after then
      after
    else
      throw "${element}: the combinator ${call.combinator} was given ${toString (builtins.length call.args)} argument(s) and needs more, or does not return jail.nix's state: give it all its arguments, in parentheses";

  note =
    call: f: state:
    if !(state ? __ocjailTrace) then
      complete "ocjail" call (f state)
    else
      let
        after = complete state.__ocjailElement call (f (state // { __ocjailTrace = [ ]; }));
      in
      after
      // {
        __ocjailTrace = state.__ocjailTrace ++ [
          (
            describe.call 6 call
            // {
              delta = describe.delta (snapshot state) (snapshot after);
              children = after.__ocjailTrace or [ ]; # reset drops it
            }
          )
        ];
      };
in
{
  inherit isState snapshot;
  # All combinators of a jail.nix, traceable.
  wrapAll = lib.mapAttrs (n: v: if isCallable v then wrap n [ ] v else v);
}
