# Nix values as JSON that a reader can tell apart, and without string context:
# evaluating a manifest must not build what it names.
{ lib }:
rec {
  isCallable = x: builtins.isFunction x || (builtins.isAttrs x && x ? __functor);
  isPackage = x: builtins.isAttrs x && x ? outPath;
  plain = x: builtins.unsafeDiscardStringContext (toString x);

  # A combinator's argument, one tag a node; nix/manifest.schema.json lists them.
  argument = describe 6;
  describe =
    depth: v:
    if isPackage v then
      {
        package = plain (v.name or (baseNameOf (plain v)));
        path = plain v;
      }
    else if builtins.isAttrs v && v ? _noescape then
      { noescape = plain v._noescape; } // lib.optionalAttrs (v ? __ocjailWritten) { written = v.__ocjailWritten; }
    else if builtins.isAttrs v && v ? __ocjail then
      { call = call depth v.__ocjail; }
    else if isCallable v then
      { lambda = true; }
    # Whoever hands the whole of pkgs to a combinator does not want it in JSON.
    else if depth == 0 || (builtins.isAttrs v && builtins.length (builtins.attrNames v) > 64) then
      { opaque = builtins.typeOf v; }
    else if builtins.isAttrs v then
      { attrs = lib.mapAttrs (_: describe (depth - 1)) v; }
    else if builtins.isList v then
      { list = map (describe (depth - 1)) v; }
    else if builtins.isString v || builtins.isPath v then
      { string = plain v; }
    else
      { value = v; };
  call = depth: c: {
    inherit (c) combinator;
    args = map (describe depth) c.args;
  };

  # An attribute of jail.nix's state.
  show =
    v:
    if builtins.isString v || builtins.isPath v || isPackage v then
      plain v
    else if isCallable v then
      "<function>"
    else if builtins.isList v then
      map show v
    else if builtins.isAttrs v then
      lib.mapAttrs (_: show) v
    else
      v;

  # What an attribute's change was: the smallest of append, prepend, set/unset
  # and from/to that tells it.
  change =
    before: after:
    if builtins.isString before && builtins.isString after then
      if lib.hasPrefix before after then
        { append = lib.removePrefix before after; }
      else if lib.hasSuffix before after then
        { prepend = lib.removeSuffix before after; }
      else
        replaced before after
    else if builtins.isList before && builtins.isList after then
      listChange before after
    else if builtins.isAttrs before && builtins.isAttrs after then
      {
        set = lib.filterAttrs (n: v: !(before ? ${n}) || before.${n} != v) after;
        unset = builtins.attrNames (removeAttrs before (builtins.attrNames after));
      }
    else
      replaced before after;
  replaced = from: to: { inherit from to; };
  listChange =
    before: after:
    let
      more = builtins.length after - builtins.length before;
    in
    if more >= 0 && lib.take (builtins.length before) after == before then
      { append = lib.drop (builtins.length before) after; }
    else if more >= 0 && lib.drop more after == before then
      { prepend = lib.take more after; }
    else
      replaced before after;

  # The changes of a whole state, both already shown.
  delta =
    before: after:
    lib.mapAttrs (n: v: if before ? ${n} then change before.${n} v else { to = v; }) (
      lib.filterAttrs (n: v: !(before ? ${n}) || before.${n} != v) after
    )
    // lib.genAttrs (builtins.attrNames (removeAttrs before (builtins.attrNames after))) (n: {
      from = before.${n};
    });
}
