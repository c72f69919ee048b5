# nixpkgs' builders, as far as the module, jail.nix and devenv use them.
{
  lib,
  self,
  host,
  system,
  decorate,
  hostPath,
}:
let
  # A derivation that runs a phase in bash, with setup hooks, as stdenv does.
  stdenvBuild =
    args:
    let
      self' = decorate (derivation (
        removeAttrs args [ "meta" "passthru" "packages" "inputsFrom" "nativeBuildInputs" ]
        // {
          name = lib.strings.sanitizeDerivationName args.name;
          inherit system;
          builder = self.runtimeShell;
          args = [ "-euc" ". ${./setup.sh}" ];
          PATH = hostPath;
          nativeBuildInputs = map toString (args.nativeBuildInputs or [ ]);
        }
      )) ({
        inherit (args) name;
        meta = args.meta or { };
        inputs = args.nativeBuildInputs or [ ];
        # What nixpkgs has for building no more than the inputs.
        inputDerivation = self.writeText "${args.name}-inputs" (toString (args.nativeBuildInputs or [ ]));
      });
    in
    self';
in
{
  stdenv = rec {
    # nixpkgs' lib has all of it in lib.systems; these are what is asked for.
    hostPlatform = {
      inherit system;
      isLinux = lib.hasSuffix "-linux" system;
      isDarwin = lib.hasSuffix "-darwin" system;
    };
    buildPlatform.canExecute = p: p.system == builtins.currentSystem;
    shell = self.runtimeShell;
    override = _: stdenv;
    stdenv = self.stdenv;
  };
  lib = lib;

  mkShell =
    {
      __functor =
        _:
        {
          name ? "nix-shell",
          packages ? [ ],
          inputsFrom ? [ ],
          nativeBuildInputs ? [ ],
          shellHook ? "",
          buildPhase ? "export > $out",
          ...
        }@a:
        stdenvBuild (removeAttrs a [ "buildInputs" "hardeningDisable" ] // {
          inherit name shellHook buildPhase;
          nativeBuildInputs = packages ++ nativeBuildInputs ++ (a.buildInputs or [ ]) ++ lib.concatMap (i: i.inputs or [ ]) inputsFrom;
        });
      override = _: self.mkShell;
    };

  runCommand =
    name: env: script:
    stdenvBuild (env // { inherit name; buildPhase = script; });

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      ...
    }:
    host {
      inherit name;
      extra = { inherit meta text; };
      env = {
        inherit text;
        passAsFile = [ "text" ];
      };
      script = ''
        target="$out${destination}"
        mkdir -p "$(dirname "$target")"
        cat "$textPath" > "$target"
        ${lib.optionalString executable ''chmod +x "$target"''}
        ${checkPhase}
      '';
    };
  writeText = name: text: self.writeTextFile { inherit name text; };
  writeScript = name: text: self.writeTextFile { inherit name text; executable = true; };
  writeShellScript = name: text: self.writeScript name "#!${self.runtimeShell}\n${text}\n";
  writeShellScriptBin =
    name: text:
    self.writeTextFile {
      inherit name;
      text = "#!${self.runtimeShell}\n${text}\n";
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
  # With shellcheck, as nixpkgs has it.
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      meta ? { },
      ...
    }:
    self.writeTextFile {
      inherit name;
      executable = true;
      destination = "/bin/${name}";
      text = ''
        #!${self.runtimeShell}
        set -o errexit
        set -o nounset
        set -o pipefail

        export PATH="${lib.makeBinPath runtimeInputs}:$PATH"

        ${text}
      '';
      checkPhase = ''
        ${self.runtimeShell} -n -O extglob "$target"
        shellcheck "$target"
      '';
      meta = { mainProgram = name; } // meta;
    };

  buildEnv =
    { name, paths ? [ ], ... }:
    self.runCommand name { inherit paths; } ''
      mkdir -p $out/bin
      for p in $paths; do [ ! -d "$p/bin" ] || ln -sf "$p"/bin/* $out/bin/; done
    '';
  formats =
    lib.genAttrs [ "json" "yaml" "toml" "ini" ]
      (_: _: {
        type = lib.types.anything;
        generate = name: v: self.writeText (baseNameOf name) (builtins.toJSON v);
      });
}
