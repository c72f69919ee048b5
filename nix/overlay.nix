# pkgs.jail: jail.nix with traceable combinators and the gate in bwrap's place.
{
  inputs ? { },
}:
final: prev:
let
  inherit (prev) lib;
  chosen = import ./jail-nix.nix { inherit inputs; };
  tracer = import ./tracer.nix { inherit lib; inherit (chosen) jailNix version; };
  linux = prev.stdenv.hostPlatform.isLinux;

  # Elsewhere a jail is only evaluated, for its manifest: these exist on Linux alone.
  absent = lib.genAttrs [ "bubblewrap" "shadow" "util-linux" "xdg-dbus-proxy" "xwayland-satellite" ] (
    name:
    prev.writeTextFile {
      inherit name;
      text = "${name} exists on Linux only\n";
      meta.mainProgram = name;
    }
  );
  pkgs = prev // lib.optionalAttrs (!linux) absent;
  ocjail = prev.callPackage ./package.nix { };
  jail = tracer.mkJail {
    inherit pkgs;
    bubblewrapPackage = import ./gate.nix { inherit pkgs ocjail; };
  };
in
{
  inherit ocjail;
  jail = jail // {
    ocjail = jail.ocjail // { inherit (tracer) describe baseNames; inherit (chosen) version; };
  };
}
