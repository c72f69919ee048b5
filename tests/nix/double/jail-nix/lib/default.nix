# A stand-in for jail.nix with the same interface: permissions are functions of a
# state, folded into a wrapper script that calls bwrap. It has the combinators
# that the module and the tests need, no more.
{
  extend =
    {
      pkgs,
      bubblewrapPackage ? pkgs.bubblewrap,
      basePermissions ? c: [ c.base c.bind-nix-store-runtime-closure c.fake-passwd ],
      additionalCombinators ? _: { },
    }:
    let
      inherit (pkgs) lib;
      builtIn = import ./combinators.nix { inherit pkgs lib jail; };
      combinators = builtIn // additionalCombinators builtIn;
      listed = p: if builtins.isFunction p then p combinators else p;

      unshare =
        s:
        builtIn.unsafe-add-raw-args (lib.concatMapStringsSep " " (n: "--unshare-${n}") (
          lib.filter (n: !(s.namespaces.${n} or false)) [ "user" "ipc" "pid" "net" "uts" "cgroup" ]
        )) s;
      path = s: if s.path == [ ] then s else builtIn.set-env "PATH" (lib.concatStringsSep ":" s.path) s;
      flag = attr: text: s: if s.${attr} then builtIn.unsafe-add-raw-args text s else s;
      variables =
        s: lib.foldr (n: builtIn.unsafe-add-raw-args "--setenv ${n} ${s.env.${n}}") s (lib.attrNames s.env);
      script = s: ''
        RUNTIME_ARGS=()
        ${lib.optionalString (s.cleanup != [ ]) ''
          cleanup() {
            ${lib.concatStringsSep "\n" s.cleanup}
          }
          trap cleanup EXIT
        ''}
        ${s.runtime}
        ${lib.optionalString (s.cleanup == [ ]) "exec "}${s.cmd} "''${RUNTIME_ARGS[@]}" -- ${s.entry} ${s.argv}
      '';

      jail =
        name: exe: permissions:
        let
          initialState = {
            inherit name initialState;
            cmd = lib.getExe bubblewrapPackage;
            entry = if builtins.isString exe then lib.escapeShellArg exe else lib.getExe exe;
            argv = "\"$@\"";
            runtime = "";
            hostname = "jail";
            newSession = true;
            dieWithParent = true;
            env = { };
            namespaces = { };
            path = [ ];
            cleanup = [ ];
            includedOnce = [ ];
            deferredPermissions = [ ];
            additionalRuntimeClosures = [ ];
            dbusPermissions = [ ];
            seccompPermissions = [ ];
          };
        in
        lib.pipe initialState (
          listed basePermissions
          ++ listed permissions
          ++ [
            (s: builtIn.compose s.deferredPermissions s)
            unshare
            path
            (flag "newSession" "--new-session")
            (flag "dieWithParent" "--die-with-parent")
            variables
            script
            (text: pkgs.writeShellApplication { inherit name text; runtimeInputs = [ pkgs.coreutils ]; })
          ]
        );
    in
    {
      inherit combinators;
      __functor = _: jail;
    };
}
