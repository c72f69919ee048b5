# The devenv module: programs.opencode.*, an opencode in a jail of jail.nix that
# ocjail checks before it starts.
{
  pkgs,
  lib,
  config,
  options,
  inputs ? { },
  ...
}:
let
  cfg = config.programs.opencode;
  linux = pkgs.stdenv.hostPlatform.isLinux;
  root = config.devenv.root;

  policy = import ./nix/policy.nix { inherit lib config; };
  opencode = import ./nix/environment.nix {
    inherit pkgs;
    name = "opencode";
    package = cfg.opencodePackage;
    packages = cfg.basePackages ++ cfg.packages ++ lib.optionals cfg.addProjectPackages config.packages;
  };
  jail = import ./nix/jail.nix { inherit pkgs; } {
    name = "opencode";
    package = opencode;
    project =
      if lib.hasPrefix "/" root then
        root
      else
        throw "devenv.root is ${builtins.toJSON root}, not an absolute path, so programs.opencode can't bind the project: evaluate with devenv, or with --no-pure-eval when you use flakes";
    elements = import ./nix/permissions.nix { inherit lib pkgs config; };
    policy = policy.data;
    policyFiles = policy.files;
  };

  stub = pkgs.writeShellScriptBin "opencode" ''
    echo "opencode: the jail needs bubblewrap, and so Linux: use devenv in a Linux machine or container; nothing was started" >&2
    exit 125
  '';
  path = [ "programs" "opencode" ];
in
{
  imports = [
    # As the module's first README spelt it.
    (lib.mkRenamedOptionModule (path ++ [ "addProjetPackages" ]) (path ++ [ "addProjectPackages" ]))
    (lib.mkAliasOptionModule (path ++ [ "package" ]) (path ++ [ "opencodePackage" ]))
  ];

  options.programs.opencode = import ./nix/options.nix { inherit lib pkgs config options; };

  config = lib.mkMerge [
    {
      programs.opencode.manifest = jail.manifest;
      programs.opencode.finalPackage = if linux then jail.package // { inherit (opencode) environment; } else stub;
    }
    (lib.mkIf cfg.enable (
      {
        overlays = [ (import ./nix/overlay.nix { inherit inputs; }) ];

        # Not in `packages`, which the jail itself is made of.
        inputsFrom = [ (pkgs.mkShell { packages = [ cfg.finalPackage pkgs.ocjail ]; }) ];

        enterShell = lib.mkMerge [
          (lib.mkIf cfg.hardenGit (builtins.readFile ./nix/harden-git.sh))
          # For `ocjail lint` and its like, which evaluate nothing by themselves.
          "export OCJAIL_PROJECT_MANIFEST=${cfg.manifest} OCJAIL_PROJECT_SINCE=$EPOCHSECONDS"
          (
            if linux then
              "echo \"opencode: jailed, ${toString (builtins.length (cfg.baseJailCombinators ++ cfg.jailCombinators))} permissions, checked by ocjail at each start\""
            else
              "echo \"opencode: not available here, its jail needs Linux\""
          )
        ];
      }
      // lib.optionalAttrs (options ? infoSections) {
        infoSections.opencode = [
          "jail: ${if linux then "on, checked by ocjail (${cfg.policy.mode})" else "not on this system"}"
          "manifest: ${cfg.manifest}"
        ];
      }
      # A condition on pkgs may only stand inside: pkgs is made with the overlays above.
      // lib.optionalAttrs (options ? tasks) {
        tasks."opencode:lint" = lib.mkIf linux {
          description = "Check the jail of programs.opencode against the rules";
          exec = "${lib.getExe pkgs.ocjail} lint ${cfg.manifest}";
          before = [ "devenv:enterTest" ];
        };
      }
      # Off unless the project turns it on. It names no manifest, which would be that
      # of the shell: ocjail finds it, and refuses when the files are newer.
      // lib.optionalAttrs (options ? git-hooks) {
        git-hooks.hooks.ocjail-lint = {
          enable = lib.mkDefault false;
          name = "ocjail lint";
          description = "Check the jail of programs.opencode against the rules";
          entry = "${lib.getExe pkgs.ocjail} lint";
          files = "^(devenv\\..*|ocjail\\.hcl)$";
          pass_filenames = false;
        };
      }
    ))
  ];
}
