# A stand-in for nixpkgs' packages, for machines that have nix and no network.
# Programs are this machine's own, copied with their libraries so that their
# closure lies in the store, as a nixpkgs package's does; builders are raw
# derivations. Needs patchelf, jq and shellcheck on the machine, and nix's own
# build sandbox switched off.
{
  lib,
  system ? builtins.currentSystem,
  overlays ? [ ],
  ocjail ? null, # path of a built ocjail, which stands for what buildGoModule makes
}:
let
  hostPath = "${builtins.getEnv "PATH"}:/usr/sbin:/usr/bin:/sbin:/bin";
  # What nixpkgs gives every derivation.
  decorate = d: extra: let self = d // { meta = { }; passthru = { }; overrideAttrs = _: self; } // extra; in self;

  host =
    {
      name,
      script,
      env ? { },
      extra ? { },
    }:
    decorate (derivation (
      {
        name = lib.strings.sanitizeDerivationName name;
        inherit system;
        builder = "/bin/sh";
        args = [ "-euc" script ];
        PATH = hostPath;
      }
      // env
    )) ({ inherit name; } // extra);

  # Copies of host programs with every library they need. What the host lacks
  # becomes a program that says so.
  relocated =
    pname: bins: after:
    host {
      name = pname;
      extra = {
        inherit pname;
        version = "host";
        meta.mainProgram = lib.head bins;
      };
      env.bins = toString bins;
      script = ''
        mkdir -p $out/bin $out/lib
        # command -v would find the shell's own printf, test, …
        on_path() { ( IFS=:; for d in $PATH; do if [ -x "$d/$1" ]; then echo "$d/$1"; break; fi; done ); }
        for b in $bins; do
          src=$(on_path "$b")
          if [ -z "$src" ]; then
            printf '#!/bin/sh\necho "%s: absent on this host" >&2\nexit 127\n' "$b" > $out/bin/$b
            chmod +x $out/bin/$b
            continue
          fi
          src=$(readlink -f "$src")
          cp "$src" $out/bin/$b
          chmod u+w,a+rx $out/bin/$b
          case "$(od -An -tx1 -N4 "$src" | tr -d ' ')" in 7f454c46) ;; *) continue ;; esac
          interp=$(patchelf --print-interpreter "$src" 2>/dev/null) || continue
          ldd "$src" > ldd.txt
          [ -e $out/lib/ld.so ] || cp -L "$interp" $out/lib/ld.so
          sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' ldd.txt | while read -r l; do
            [ -e "$out/lib/$(basename "$l")" ] || cp -L "$l" "$out/lib/"
          done
          patchelf --set-interpreter $out/lib/ld.so --force-rpath --set-rpath $out/lib $out/bin/$b
        done
        ${after}
      '';
    };
  programs = lib.mapAttrs (name: bins: relocated name bins "") {
    coreutils = lib.splitString " " "base64 basename cat chmod cp cut date dirname echo env false head id install ln ls mkdir mkfifo mktemp mv printf pwd readlink realpath rm rmdir seq sha256sum sleep sort stat sync tail tee test timeout touch tr true uname wc whoami";
    findutils = [ "find" "xargs" ];
    gnugrep = [ "grep" ];
    gnused = [ "sed" ];
    gnutar = [ "tar" ];
    gzip = [ "gzip" ];
    diffutils = [ "diff" ];
    gawkInteractive = [ "awk" ];
    ps = [ "ps" ];
    which = [ "which" ];
    jq = [ "jq" ];
    git = [ "git" ];
    curl = [ "curl" ];
    wget = [ "wget" ];
    unzip = [ "unzip" ];
    ripgrep = [ "rg" ];
    util-linux = [ "flock" ];
    shadow = [ "nologin" ];
    dbus = [ "dbus-send" ];
    xdg-dbus-proxy = [ "xdg-dbus-proxy" ];
    xwayland-satellite = [ "xwayland-satellite" ];
    help2man = [ "help2man" ];
  };

  # bwrap and nix run outside of jails: calling the host's will do.
  calling =
    pname: program:
    host {
      name = pname;
      extra = {
        inherit pname;
        version = "host";
        meta.mainProgram = program;
      };
      script = ''
        mkdir -p $out/bin
        printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v ${program})" > $out/bin/${program}
        chmod +x $out/bin/${program}
      '';
    };

  base =
    self:
    programs
    // (import ./builders.nix { inherit lib self host system decorate hostPath; })
    // {
      inherit lib system;
      config = { };
      path = "/var/empty";
      overlays = [ ];
      appendOverlays = lib.foldl' (p: o: p.extend o) self;
      callPackage = f: args: let fn = if lib.isFunction f then f else import f; in fn (builtins.intersectAttrs (lib.functionArgs fn) self // args);

      bash = relocated "bash" [ "bash" ] "ln -s bash $out/bin/sh";
      bashInteractive = self.bash;
      runtimeShell = "${self.bash}/bin/bash";
      bubblewrap = calling "bubblewrap" "bwrap";
      nix = calling "nix" "nix-store";
      cargo-expand = self.writeShellScriptBin "cargo-expand" "exit 1";
      hello = self.writeShellScriptBin "hello" "echo 'Hello, world!'";
      glibcLocalesUtf8 = null;
      pkg-config = self.writeShellScriptBin "pkg-config" "exit 1";
      # An opencode that does what it is told to: `opencode -c 'commands'`.
      opencode = self.writeShellScriptBin "opencode" ''exec ${self.runtimeShell} "$@"'';

      # A program of this machine as it is: some break when they are patched.
      programAt =
        name: path:
        host {
          inherit name;
          extra.meta.mainProgram = name;
          # With what lies beside it, as in a package.
          env.programs = "${/. + dirOf path}";
          script = "mkdir -p $out/bin; ln -s $programs/${baseNameOf path} $out/bin/${name}";
        };

      # The program that was given, with what the package installs beside it.
      buildGoModule =
        a:
        self.runCommand a.pname
          {
            inherit (a) nativeBuildInputs;
            program = if ocjail == null then throw "the double of nixpkgs was given no ocjail" else "${/. + ocjail}";
            inherit (a) meta;
          }
          ''
            mkdir -p $out/bin
            ln -s $program $out/bin/${a.pname}
            ${a.postInstall or ""}
          ''
        // { inherit (a) pname version meta vendorHash src; };
      # Takes what the package gives it, where nixpkgs puts it.
      installShellFiles = self.runCommand "install-shell-files" { } ''
        mkdir -p $out/nix-support
        cat >$out/nix-support/setup-hook <<'EOF'
        installManPage() { mkdir -p "$out/share/man/man1"; cp "$1" "$out/share/man/man1/"; }
        installShellCompletion() {
          local to
          case $3 in
            --bash) to=bash-completion/completions/$2.bash ;;
            --fish) to=fish/vendor_completions.d/$2.fish ;;
            --zsh) to=zsh/site-functions/_$2 ;;
          esac
          mkdir -p "$out/share/''${to%/*}"; cp "$4" "$out/share/$to"
        }
        EOF
      '';
    }
    // lib.optionalAttrs (lib.hasSuffix "-darwin" system) (
      lib.genAttrs [ "bubblewrap" "shadow" "util-linux" "xdg-dbus-proxy" "xwayland-satellite" ] (
        name: throw "Package ‘${name}’ is not available on the requested hostPlatform ${system}"
      )
    );
in
lib.foldl' (p: o: p.extend o) (lib.makeExtensible base) overlays
