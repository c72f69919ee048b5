# A stand-in for devenv's module set: the options that the module reads and writes.
{ lib, config, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    packages = mkOption { type = types.listOf types.package; default = [ ]; };
    inputsFrom = mkOption { type = types.listOf types.package; default = [ ]; };
    overlays = mkOption { type = types.listOf types.raw; default = [ ]; };
    enterShell = mkOption { type = types.lines; default = ""; };
    warnings = mkOption { type = types.listOf types.str; default = [ ]; };
    infoSections = mkOption { type = types.attrsOf (types.listOf types.str); default = { }; };
    tasks = mkOption { type = types.attrsOf types.anything; default = { }; };
    git-hooks = {
      enable = mkOption { type = types.bool; default = false; };
      hooks = mkOption { type = types.attrsOf (types.attrsOf types.anything); default = { }; };
      configPath = mkOption { type = types.str; default = ".pre-commit-config.yaml"; };
    } // lib.genAttrs [ "package" "gitPackage" "installationScript" ] (_: mkOption { type = types.raw; default = null; });
    files = mkOption { type = types.attrsOf types.anything; default = { }; };
    devenv = {
      root = mkOption { type = types.str; };
      state = mkOption { type = types.str; default = "${config.devenv.root}/.devenv/state"; };
    };
  };
}
