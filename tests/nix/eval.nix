# A devenv project's configuration, from the inputs that the Go tests chose.
{
  lib, # folder of nixpkgs' lib
  jailNix, # folder of jail.nix
  devenv, # folder of devenv, or of its double
  ocjail ? null, # a built ocjail, for what is launched
  system ? builtins.currentSystem,
  root ? "/home/dev/project", # where the project will be
  dir, # where its devenv.nix is now
  module ? ../../module.nix,
  withJailNix ? true, # whether the project has an input of that name
  plainJailNix ? false, # as `flake: false` gives it
  anyLanguage ? false, # whether options languages.* exist in the double of devenv
}:
let
  nixpkgsLib = import (/. + lib);
  real = builtins.pathExists (/. + "${devenv}/src/modules/top-level.nix");
  inputs = nixpkgsLib.optionalAttrs withJailNix {
    jail-nix =
      if plainJailNix then
        { outPath = jailNix; }
      else
        {
          lib = import (/. + "${jailNix}/lib");
          rev = "of-the-tests";
          outPath = jailNix;
        };
  };
  mkPkgs = overlays: import ./double/packages.nix { lib = nixpkgsLib; inherit system overlays ocjail; };
  # What devenv's own bootstrap gives its modules.
  bootstrap =
    if real then
      {
        imports = [ (/. + "${devenv}/src/modules/top-level.nix") ];
        config = {
          _module.args = { secretspec = null; devenvPrimops = { }; self = root; };
          devenv = { dotfile = "${root}/.devenv"; tmpdir = "/tmp"; cli.version = "2.2.0"; };
        };
      }
    else
      { imports = [ (/. + devenv) ]; };
  evaluated = nixpkgsLib.evalModules {
    specialArgs = { inherit inputs; };
    modules = [
      bootstrap
      (
        { config, ... }:
        {
          config = {
            _module.args.pkgs = (mkPkgs [ ]).appendOverlays config.overlays;
            devenv.root = root;
          };
        }
      )
      module
      { options = nixpkgsLib.optionalAttrs anyLanguage { languages = nixpkgsLib.mkOption { type = nixpkgsLib.types.raw; }; }; }
      (
        args@{ pkgs, lib, config, ... }:
        let
          m = import (/. + "${dir}/devenv.nix");
        in
        (if builtins.isFunction m then m args else m) // { _file = "${root}/devenv.nix"; }
      )
    ];
  };
  cfg = evaluated.config.programs.opencode;
  pkgs = mkPkgs evaluated.config.overlays;
in
{
  inherit pkgs;
  inherit (evaluated) config options;
  inherit cfg;
  lib = nixpkgsLib;
  manifest = builtins.fromJSON (builtins.unsafeDiscardStringContext cfg.manifest.text);
  # Whether reading the manifest would build something.
  manifestContext = builtins.attrNames (builtins.getContext cfg.manifest.text);
  wrapper = cfg.finalPackage.text;
  gate = pkgs.jail.ocjail.args.bubblewrapPackage;
  baseNames = map (p: p.pname or p.name) cfg.basePackages;
  # The links that devenv would put into the project.
  links = nixpkgsLib.mapAttrs (_: f: "${f.file}") evaluated.config.files;
  shellPackages = map (p: p.name) (builtins.concatMap (i: i.inputs) evaluated.config.inputsFrom);
  shellInputs = map (p: p.name) (cfg.finalPackage.environment or { inputs = [ ]; }).inputs;

  # Options that lack something a reader needs. A read-only one has no example,
  # a renamed one only its description.
  undocumented =
    let
      leaves = path: o: if o._type or "" == "option" then [ { inherit path o; } ] else builtins.concatMap (n: leaves (path ++ [ n ]) o.${n}) (builtins.attrNames o);
      lacking =
        { path, o }:
        !(o ? description) || !(o ? apply || o ? type) || !(o ? apply || o.readOnly or false || (o ? default && o ? example));
    in
    map (l: builtins.concatStringsSep "." l.path) (builtins.filter lacking (leaves [ ] evaluated.options.programs.opencode));
}
