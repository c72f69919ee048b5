# package, started with the environment of a shell that has `packages`.
{
  pkgs,
  name, # the program's, in package and in the result
  package,
  packages,
}:
let
  environment = pkgs.mkShell {
    name = "${name}-environment";
    inherit packages;
    buildPhase = builtins.readFile ./environment.sh;
  };
in
pkgs.writeShellScriptBin name ''
  source ${environment}
  exec ${pkgs.lib.getExe' package name} "$@"
''
// {
  meta.mainProgram = name;
  inherit environment;
}
