# A project as devenv's own command evaluates it: `imports: - opencode` in
# devenv.yaml, this repository as the input of that name.
{
  lib,
  jailNix,
  devenv,
  nixpkgs, # a folder that stands for nixpkgs
  dir, # the project
}:
let
  inputs = {
    nixpkgs = { outPath = nixpkgs; lib = import (/. + lib); };
    devenv = { outPath = devenv; modules = /. + "${devenv}/src/modules"; };
    jail-nix = { outPath = jailNix; lib = import (/. + "${jailNix}/lib"); };
    opencode = { outPath = toString ../..; };
  };
  bootstrap = import (/. + "${devenv}/devenv-nix-backend/bootstrap/bootstrapLib.nix") { inherit inputs; };
  project = bootstrap.mkDevenvForSystem {
    version = "2.2.0";
    system = builtins.currentSystem;
    devenv_root = dir;
    devenv_dotfile = "${dir}/.devenv";
    devenv_dotfile_path = "${dir}/.devenv";
    devenv_tmpdir = "/tmp";
    devenv_runtime = "/tmp";
    devenv_direnvrc_latest_version = 1;
    hostname = "host";
    username = "dev";
    devenv_imports = [ "opencode" ];
    cli_options = { };
  };
in
{
  inherit (project.config) shell;
  program = project.config.programs.opencode.finalPackage;
  manifest = builtins.fromJSON project.config.programs.opencode.manifest.text;
}
