# One jail: the manifest that tells what it is made of, and the program in it.
{ pkgs }: # with pkgs.jail of nix/overlay.nix
let
  inherit (pkgs) lib;
  inherit (pkgs.jail.ocjail) describe baseNames version;
  c = pkgs.jail.combinators;

  # Before anything of jail.nix's, which stops with bash's own words when one of
  # these is not set.
  start = name: {
    id = "ocjail/start";
    origin.option = "ocjail";
    permission = c.add-runtime ''
      if [[ ''${HOME-} != /* ]]; then
        echo ${lib.escapeShellArg "${name}: HOME is not set to an absolute path: set it to your home directory; nothing was started"} >&2
        trap - EXIT # there is nothing to clean up yet
        exit 125
      fi
      export LANG="''${LANG-C.UTF-8}" TERM="''${TERM-dumb}"'';
  };
  base = map (n: {
    id = "jail.nix/${n}";
    origin.option = "jail.nix";
    permission = c.${n};
  }) baseNames;

  children =
    id: list:
    lib.imap0 (
      i: k:
      {
        id = "${id}/${toString i}";
        inherit (k) combinator args delta;
      }
      // lib.optionalAttrs (k.children != [ ]) { children = children "${id}/${toString i}" k.children; }
    ) list;

  element =
    traced: e:
    let
      mine = lib.filter (x: x.id == e.id) traced.steps;
      first = lib.head mine;
    in
    {
      inherit (e) id origin;
      inherit (first) combinator args;
      effects = map (x: { inherit (x) step phase delta; }) mine;
    }
    // lib.optionalAttrs (first.children != [ ]) { children = children e.id first.children; }
    // lib.optionalAttrs (builtins.elem e.id traced.never) { neverApplied = true; };

  plainPieces = map (p: { inherit (p) id; text = describe.plain p.text; });
in
{
  name, # the program's
  package, # a derivation with that program as its main one
  # [ { id; permission; origin = { option; file; index; entry; }; } … ]
  elements,
  project ? null, # absolute path, or null
  policy ? { },
  policyFiles ? [ ], # store files that policy names; the manifest keeps them
}:
let
  all = [ (start name) ] ++ base ++ elements;
  run = pkgs.jail.ocjail.trace name package all;
  traced = run // { steps = lib.imap0 (step: e: e // { inherit step; }) run.entries; };
  data = {
    version = 1;
    inherit name project policy;
    inherit (pkgs.stdenv.hostPlatform) system;
    jailNix = describe.plain version;
    elements = map (element traced) all ++ [
      {
        id = "jail.nix";
        origin.option = "jail.nix";
        combinator = null;
        args = [ ];
        effects = map (x: { inherit (x) step phase delta; }) (lib.filter (x: x.phase == "final" && x.delta != { }) traced.steps);
      }
    ];
    script = {
      cmd = plainPieces traced.cmd;
      runtime = plainPieces (lib.filter (p: p.text != "") traced.runtime);
      cleanup = map describe.plain traced.state.cleanup;
      entry = describe.plain traced.state.entry;
      argv = describe.plain traced.state.argv;
    };
    env = lib.mapAttrs (n: id: { inherit id; value = describe.plain traced.state.env.${n}; }) traced.env;
    session = { inherit (traced.state) newSession dieWithParent; };
    namespaces = lib.attrNames (lib.filterAttrs (_: v: v) traced.state.namespaces);
  };
  # jail.nix's dbus combinator waits for ever for a proxy that bash's nounset ended.
  needsBus = lib.optionalString (traced.state.dbusPermissions or [ ] != [ ]) ''

    if [[ -z ''${DBUS_SESSION_BUS_ADDRESS-} || ''${XDG_RUNTIME_DIR-} != /* ]]; then
      echo ${lib.escapeShellArg "${name}: the dbus combinator needs a session bus, and DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR is not set: start it in a session that has one, or remove the combinator; nothing was started"} >&2
      trap - EXIT
      exit 125
    fi'';
  manifest = pkgs.writeText "${name}-manifest.json" (
    lib.addContextFrom (lib.concatStrings policyFiles) (builtins.toJSON data)
  );
in
{
  inherit data manifest;
  # The text that jail.nix makes, without origins and manifest.
  inherit (traced) text;
  package = traced.package "export OCJAIL_MANIFEST=${manifest}${needsBus}";
}
