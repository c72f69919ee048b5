# What jail.nix calls instead of bwrap: one and the same for all jails, for one
# that knew its manifest would be needed to make it. The real bwrap is named
# here and not looked up in PATH, which a project may change.
{ pkgs, ocjail }:
pkgs.writeTextFile {
  name = "ocjail-gate";
  executable = true;
  destination = "/bin/bwrap";
  text = ''
    #!${pkgs.runtimeShell}
    set -euo pipefail
    gate=(${pkgs.lib.getExe ocjail} gate --require-manifest --bwrap ${pkgs.bubblewrap}/bin/bwrap --bus-proxy ${pkgs.xdg-dbus-proxy}/bin/xdg-dbus-proxy --)
    ${builtins.readFile ./gate.sh}'';
  meta.mainProgram = "bwrap";
}
