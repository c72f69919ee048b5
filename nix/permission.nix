# The option type of a permission: a function from jail.nix's state to its next.
# Merging notes where each list element was written; it stays a permission.
{ lib }:
let
  describe = import ./describe.nix { inherit lib; };
  # listOf names its elements "[definition 1-entry 2]", both counted from 1.
  position = name: builtins.match ".*definition ([0-9]+)-entry ([0-9]+).*" name;
in
lib.mkOptionType {
  name = "permission";
  description = "permission (a combinator of pkgs.jail.combinators with all its arguments, or a function from jail.nix's state to its next)";
  descriptionClass = "noun";
  check = describe.isCallable;
  merge =
    loc: defs:
    let
      one = lib.mergeOneOption loc defs;
      at = position (lib.last loc);
    in
    {
      __functor = _: one;
      __ocjailOrigin = {
        option = lib.showOption (lib.init loc);
        file = toString (lib.head defs).file;
      }
      // lib.optionalAttrs (at != null) { entry = lib.toInt (lib.last at) - 1; };
    }
    // lib.optionalAttrs (builtins.isAttrs one && one ? __ocjail) { inherit (one) __ocjail; };
}
