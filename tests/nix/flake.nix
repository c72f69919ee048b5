# The outputs of ../../flake.nix, with the inputs that the Go tests chose.
{
  lib,
  jailNix,
  ocjail ? null,
}:
let
  nixpkgsLib = import (/. + lib);
  packages = system: import ./double/packages.nix { lib = nixpkgsLib; inherit system ocjail; };
  flake = import ../../flake.nix;
  outputs = flake.outputs {
    self = { };
    nixpkgs = {
      lib = nixpkgsLib;
      legacyPackages = nixpkgsLib.genAttrs [ "x86_64-linux" "aarch64-linux" ] packages;
    };
    jail-nix = {
      lib = import (/. + "${jailNix}/lib");
      rev = "of-the-tests";
    };
  };
  here = packages builtins.currentSystem;
  nixos =
    config:
    (nixpkgsLib.evalModules {
      modules = [
        outputs.nixosModules.default
        {
          options.environment = nixpkgsLib.genAttrs [ "systemPackages" "etc" ] (_: nixpkgsLib.mkOption { type = nixpkgsLib.types.raw; });
          options.systemd = nixpkgsLib.mkOption { type = nixpkgsLib.types.raw; default = { }; };
          config = { _module.args.pkgs = here; programs.ocjail = config; };
        }
      ];
    }).config;
in
{
  inputs = nixpkgsLib.mapAttrs (_: i: i.url) flake.inputs;
  systems = nixpkgsLib.mapAttrs (_: builtins.attrNames) (nixpkgsLib.filterAttrs (n: _: builtins.elem n [ "packages" "checks" "devShells" "formatter" ]) outputs);
  names = builtins.attrNames outputs;
  package = nixpkgsLib.mapAttrs (_: p: { inherit (p.ocjail) name meta vendorHash; }) outputs.packages;
  inherit (outputs.packages.${builtins.currentSystem}) ocjail;
  source = here.runCommand "source" { } "ln -s ${(outputs.packages.${builtins.currentSystem}).ocjail.src} $out";
  checks = nixpkgsLib.mapAttrs (_: c: nixpkgsLib.mapAttrs (_: d: d.drvPath) c) outputs.checks;
  templates = nixpkgsLib.mapAttrs (_: t: { path = toString t.path; inherit (t) description; }) outputs.templates;
  devenvModule = toString outputs.devenvModules.default;
  overlay = builtins.attrNames (outputs.overlays.default { } here);
  nixos = {
    text = (nixos { enable = true; config = "protect = []\n"; }).environment.etc."ocjail/ocjail.hcl".text;
    source = toString (nixos { enable = true; config = ../../packages/ocjail.hcl; }).environment.etc."ocjail/ocjail.hcl".source;
    words = (nixos { enable = true; config = builtins.readFile ../../packages/ocjail.hcl; }).environment.etc."ocjail/ocjail.hcl".text;
    packages = map (p: p.name) (nixos { enable = true; }).environment.systemPackages;
    quiet = (nixos { enable = true; }).systemd;
    pulls = (nixos { enable = true; pull = true; }).systemd.services.ocjail-bundles.serviceConfig.ExecStart;
    when = (nixos { enable = true; pull = true; }).systemd.timers.ocjail-bundles.timerConfig.OnCalendar;
  };
  # Another program than opencode, through lib.jail.
  jail = outputs.lib.jail {
    pkgs = here;
    name = "tool";
    package = here.writeShellScriptBin "tool" ''exec ${here.runtimeShell} "$@"'';
    packages = [ here.hello ];
    permissions = c: [ (c.readonly "~/Documents") ];
  };
}
