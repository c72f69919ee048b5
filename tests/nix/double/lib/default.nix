# A stand-in for nixpkgs' lib: what this repository's Nix code uses of it, for
# machines that have nix and no network.
let
  lib =
    builtins
    // import ./basic.nix { inherit lib; }
    // import ./options.nix { inherit lib; }
    // import ./modules.nix { inherit lib; }
    // {
      types = import ./types.nix { inherit lib; };
      strings = lib;
      trivial = lib;
      licenses.asl20.spdxId = "Apache-2.0";
    };
in
lib
