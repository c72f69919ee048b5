# jail: any program of a package in a jail that ocjail checks before it starts.
{
  lib,
  overlay,
}:
{
  pkgs,
  name, # the program's, in package
  package,
  permissions, # a list, or a function from combinators to one
  packages ? [ ], # further ones in the jail
  project ? null, # absolute path of the project it works on
  policy ? { }, # as nix/manifest.schema.json has it
}:
let
  extended = if pkgs ? ocjail && pkgs ? jail.ocjail then pkgs else pkgs.extend overlay;
  list = if builtins.isList permissions then permissions else permissions extended.jail.combinators;
  made = import ./jail.nix { pkgs = extended; } {
    inherit name project policy;
    package = import ./environment.nix {
      pkgs = extended;
      inherit name package packages;
    };
    elements = lib.imap0 (index: permission: {
      id = "permissions[${toString index}]";
      inherit permission;
      origin = { option = "permissions"; inherit index; };
    }) list;
  };
in
made.package // { inherit (made) manifest; }
