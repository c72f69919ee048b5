# Folds a jail's permissions over jail.nix's own initial state and finishing
# steps, and records what each of them did. The text of the fold is jail.nix's,
# byte for byte, or evaluation fails: so a jail.nix that changed cannot make the
# record silently wrong.
{
  lib,
  jailNix, # the input's lib: { extend, … }
  version, # of the input, for messages
}:
let
  describe = import ./describe.nix { inherit lib; };
  combinators = import ./combinators.nix { inherit lib; };
  captured = import ./capture.nix { inherit lib jailNix version; };
  pieces = import ./pieces.nix { inherit lib; };
  inherit (combinators) isState snapshot;
  own = "jail.nix"; # the ID of what jail.nix does by itself

  place = o: o.id + lib.optionalString (o ? origin.file) " in ${o.origin.file}";

  # A deferred permission is tagged with the element that deferred it, so that
  # neither reset nor a lambda that reorders them can misattribute it.
  tag =
    element: s:
    s
    // {
      deferredPermissions = map (
        p: if builtins.isAttrs p && p ? __ocjailOwner then p else { __ocjailOwner = element; __functor = _: p; inner = p; }
      ) s.deferredPermissions;
    };

  # One permission on one state: the state after it, and what it did.
  apply =
    element: s:
    let
      p = element.permission;
      out = p (s // { __ocjailTrace = [ ]; __ocjailElement = place element; });
      after =
        if isState out then
          out
        else
          throw "${place element}: not a permission: it takes more arguments, or does not return jail.nix's state. Give the combinator all its arguments, in parentheses";
      noted = after.__ocjailTrace or [ ]; # reset drops it
      named = builtins.isAttrs p && p ? __ocjail;
      clean = removeAttrs after [ "__ocjailTrace" "__ocjailElement" ];
    in
    {
      state = tag element clean;
      entry =
        if named && noted != [ ] then
          lib.last noted
        else
          (if named then describe.call 6 p.__ocjail else { combinator = null; args = [ ]; })
          // {
            delta = describe.delta (snapshot s) (snapshot clean);
            children = noted;
          };
    };

  owners =
    id: before: after: old:
    lib.mapAttrs (n: v: if before ? ${n} && before.${n} == v && old ? ${n} then old.${n} else id) after;

  step =
    phase: initial: acc: element:
    let
      r = apply element acc.state;
      track =
        field:
        pieces.advance {
          inherit field;
          inherit (r) entry;
          inherit (element) id;
          initial = initial.${field};
          before = acc.state.${field};
          after = r.state.${field};
        } acc.${field};
    in
    {
      inherit (r) state;
      entries = acc.entries ++ [ (r.entry // { inherit phase; inherit (element) id; }) ];
      cmd = track "cmd";
      runtime = track "runtime";
      env = owners element.id acc.state.env r.state.env acc.env;
    };

  # jail.nix writes all variables in one step; taken one at a time, if that
  # gives the same text, each keeps the element that set it.
  finish =
    acc: f:
    let
      after = f acc.state;
      added = s: lib.removePrefix acc.state.cmd (f (acc.state // { env = s; })).cmd;
      parts = map (n: {
        id = acc.env.${n} or own;
        text = added { ${n} = acc.state.env.${n}; };
      }) (lib.reverseList (builtins.attrNames acc.state.env));
      whole = lib.removePrefix acc.state.cmd after.cmd;
      variables = lib.hasInfix "--setenv" whole && added { } == "" && pieces.join parts == whole;
    in
    if !(isState after) then
      acc // { rest = acc.rest ++ [ f ]; }
    else if acc.rest != [ ] || !(lib.hasPrefix acc.state.cmd after.cmd) then
      captured.unfit "finishes its state in another way than expected"
    else
      acc
      // {
        state = after;
        entries = acc.entries ++ [ { id = own; phase = "final"; delta = describe.delta (snapshot acc.state) (snapshot after); } ];
        cmd = acc.cmd ++ (if variables then parts else lib.optional (whole != "") { id = own; text = whole; });
        env = owners own acc.state.env after.env acc.env;
      };

  run =
    args: name: exe: elements:
    let
      c = captured.capture args name exe;
      s0 = c.initial // { __ocjailRun = true; initialState = s0; };
      initial = {
        cmd = [ { id = own; text = s0.cmd; } ];
        runtime = [ { id = own; text = s0.runtime; } ];
      };
      applied = lib.foldl' (step "apply" initial) (
        initial // { state = s0; entries = [ ]; env = { }; rest = [ ]; }
      ) elements;
      # jail.nix runs what is deferred once, at the end, and nothing that these defer.
      pending = applied.state.deferredPermissions;
      deferred = lib.foldl' (step "deferred" initial) applied (
        map (p: p.__ocjailOwner // { permission = p.inner; }) pending
      );
      start = deferred // { state = deferred.state // { deferredPermissions = [ ]; }; rest = [ ]; };
      # The first step is jail.nix's own run of the deferred list, done already.
      done = lib.foldl' (acc: f: if acc.rest == [ ] then finish acc f else acc // { rest = acc.rest ++ [ f ]; }) start c.steps;
      render = builtins.head done.rest;
    in
    {
      inherit (done) state entries cmd runtime env;
      text = render done.state;
      # first: shell code of ocjail's own, run before what the permissions add.
      # jail.nix's `override` would bring a jail without permissions.
      package =
        first:
        removeAttrs
          (lib.foldl' (v: f: f v) (render (
            done.state
            // {
              cmd = pieces.annotateCmd done.cmd;
              runtime = "${first}\n${pieces.annotateRuntime done.runtime}";
            }
          )) (builtins.tail done.rest))
          (lib.optional (exe ? override) "override");
      never = map (p: p.__ocjailOwner.id) (
        lib.drop (builtins.length pending) deferred.state.deferredPermissions
      );
    };

  # run, compared with what jail.nix makes of the same permissions.
  checked =
    args: name: exe: elements:
    let
      traced = run args name exe elements;
      real = captured.text args name exe (map (e: e.permission) elements);
      whole = field: pieces.join traced.${field} == traced.state.${field};
    in
    if traced.text == real && whole "cmd" && whole "runtime" then
      traced
    else
      captured.unfit "makes another wrapper than the one that was recorded";
in
{
  inherit (captured) baseNames;
  inherit describe;
  trace = checked;

  # The jail function of jail.nix with traceable combinators.
  # args: what jail.nix's `extend` takes, pkgs and bubblewrapPackage at least.
  mkJail =
    args:
    let
      raw = jailNix.extend args;
    in
    raw // { combinators = combinators.wrapAll raw.combinators; ocjail = { inherit args; trace = checked args; }; };
}
