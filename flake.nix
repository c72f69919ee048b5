{
  description = "Jails the LLM agent opencode with bubblewrap, and checks the jail before it starts";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    jail-nix.url = "sourcehut:~alexdavid/jail.nix";
  };

  outputs =
    inputs@{ nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      overlay = import ./nix/overlay.nix { inherit inputs; };
      each = f: lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: f (nixpkgs.legacyPackages.${system}.extend overlay));
      jail = import ./nix/lib.nix { inherit lib overlay; };
      template = path: description: { inherit path description; };
    in
    {
      # jail { pkgs, name, package, permissions, … }: any program in a checked jail.
      lib = { inherit jail; };

      overlays.default = overlay;
      devenvModules.default = ./module.nix;
      nixosModules.default = import ./nix/nixos.nix { inherit overlay; };

      packages = each (pkgs: {
        inherit (pkgs) ocjail;
        default = pkgs.ocjail;
      });

      checks = each (pkgs: {
        inherit (pkgs) ocjail;
        jail = jail {
          inherit pkgs;
          name = "hello";
          package = pkgs.hello;
          permissions = c: [ (c.readonly "~/Documents") ];
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          packages = with pkgs; [
            bubblewrap
            git
            gnumake
            go
            gopls
            jq
            nixfmt
            nodejs
            patchelf
            shellcheck
          ];
        };
      });

      formatter = each (pkgs: pkgs.nixfmt);

      templates = {
        default = template ./templates/default "A devenv project with opencode in a checked jail";
        rust = template ./templates/rust "A Rust project with opencode in a checked jail";
        python = template ./templates/python "A Python project with opencode in a checked jail";
        node = template ./templates/node "A Node project with opencode in a checked jail";
      };
    };
}
