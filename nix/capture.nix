# jail.nix's own initial state and finishing steps. It exports neither, but hands
# both to pkgs.lib.pipe: a pkgs whose pipe returns what it is given shows them,
# whatever version of jail.nix this is.
{
  lib,
  jailNix, # the input's lib: { extend, … }
  version, # of the input, for messages
}:
let
  inherit (import ./combinators.nix { inherit lib; }) isState;
  unfit = what: throw ''
    ocjail: jail.nix ${version} ${what}, so what its combinators do can't be recorded.
    Pin the jail-nix input to a revision that this ocjail knows (its flake.lock has one), or update ocjail.'';

  # The finishing steps use pipe too, on states that carry the tracer's mark.
  run =
    args: name: exe:
    let
      pipe =
        v: fs: if isState v && !(v ? __ocjailRun) then { initial = v; steps = fs; } else args.pkgs.lib.pipe v fs;
      pkgs = args.pkgs // { lib = args.pkgs.lib // { inherit pipe; }; };
      got = (jailNix.extend (args // { inherit pkgs; })) name exe [ ];
    in
    if builtins.isAttrs got && got ? initial && got ? steps then
      got
    else
      unfit "does not make its state as expected";

  # What `base` below must be: as many as jail.nix applies by itself.
  baseNames = [ "base" "bind-nix-store-runtime-closure" "fake-passwd" ];
in
{
  inherit baseNames unfit;
  capture =
    args: name: exe:
    let
      bare = run (args // { basePermissions = _: [ ]; }) name exe;
      own = builtins.length (run (removeAttrs args [ "basePermissions" ]) name exe).steps - builtins.length bare.steps;
    in
    if own != builtins.length baseNames then
      unfit "has ${toString own} base permissions instead of ${toString (builtins.length baseNames)}"
    else
      bare;

  # The text that jail.nix itself makes of these permissions, and nothing else.
  text =
    args: name: exe: permissions:
    let
      pkgs = args.pkgs // { writeShellApplication = a: a; };
    in
    ((jailNix.extend (args // { inherit pkgs; basePermissions = _: [ ]; })) name exe permissions).text;
}
