# All that the jail of programs.opencode is made of, in order, as elements with
# an ID and an origin: the module's own, the base's, the user's.
{
  lib,
  pkgs,
  config,
}:
let
  cfg = config.programs.opencode;
  c = pkgs.jail.combinators;
  root = config.devenv.root;

  # A file's name as a person knows it.
  short =
    file:
    let
      store = builtins.match "${builtins.storeDir}/[^/]+/(.*)" file;
    in
    if lib.hasPrefix "${root}/" file then
      lib.removePrefix "${root}/" file
    else if lib.hasPrefix "${toString ../.}/" file then
      "ocjail's ${lib.removePrefix "${toString ../.}/" file}"
    else if store != null then
      lib.head store
    else
      file;

  ofOption =
    option:
    lib.imap0 (index: permission: {
      id = "programs.opencode.${option}[${toString index}]";
      inherit permission;
      origin =
        permission.__ocjailOrigin
        // { option = "programs.opencode.${option}"; inherit index; }
        // { file = short permission.__ocjailOrigin.file; };
    }) cfg.${option};

  # What an option other than a list of permissions makes, and what none asks for.
  own = option: permission: {
    id = "programs.opencode.${option}";
    inherit permission;
    origin.option = "programs.opencode.${option}";
  };
  ours = name: permission: {
    id = "ocjail/${name}";
    inherit permission;
    origin.option = "ocjail";
  };
  each =
    option: f:
    lib.imap0 (index: x: {
      id = "programs.opencode.${option}[${toString index}]";
      permission = f x;
      origin = { option = "programs.opencode.${option}"; inherit index; };
    }) (lib.getAttrFromPath (lib.splitString "." option) cfg);

  # .git/config is read-only in the jail: plain `git push` needs no upstream
  # then, and `git checkout -b` does not try to record one.
  git = c.compose (
    lib.imap0 (i: s: c.compose [
      (c.set-env "GIT_CONFIG_KEY_${toString i}" s.key)
      (c.set-env "GIT_CONFIG_VALUE_${toString i}" s.value)
    ]) [
      { key = "push.default"; value = "current"; }
      { key = "branch.autoSetupMerge"; value = "false"; }
    ]
    ++ [ (c.set-env "GIT_CONFIG_COUNT" "2") ]
  );

  # Asked outside any repository, whose configuration the agent may write.
  identity = c.add-runtime ''
    for OCJAIL_KEY in name email; do
      if OCJAIL_VALUE=$(${lib.getExe pkgs.git} -C / config --get "user.$OCJAIL_KEY"); then
        RUNTIME_ARGS+=(--setenv "GIT_AUTHOR_''${OCJAIL_KEY^^}" "$OCJAIL_VALUE" --setenv "GIT_COMMITTER_''${OCJAIL_KEY^^}" "$OCJAIL_VALUE")
      fi
    done'';

  # In a linked worktree, what all worktrees of its repository share.
  worktree = c.compose [
    (c.add-runtime "${builtins.readFile ./worktree.sh}ocjail_worktree ${lib.escapeShellArg root}")
    (c.unsafe-add-raw-args "\${OCJAIL_GIT_COMMON+--bind \"$OCJAIL_GIT_COMMON\" \"$OCJAIL_GIT_COMMON\"}")
  ];

  data = import ./data-dir.nix root;

  # One directory for each project and path, which the host itself never uses.
  cache =
    path:
    let
      source = "~/.cache/ocjail/caches/${baseNameOf data}/${lib.replaceStrings [ "/" ] [ "%2F" ] path}";
    in
    c.compose [
      (c.add-runtime "(umask 077 && mkdir -p ${inHome source})")
      (c.rw-bind source path)
    ];

  # A path that begins with ~/, for the shell.
  inHome = p: "~/" + lib.escapeShellArg (lib.removePrefix "~/" p);

  # bwrap binds nothing that is absent.
  directories = c.add-runtime (
    "mkdir -p ~/.config/opencode "
    + (
      if cfg.stateDir == "shared" then
        "~/.local/share/opencode ~/.local/state/opencode"
      else
        lib.concatMapStringsSep " " inHome [ "${data}/share" "${data}/state" ]
    )
  );
  # Bound over a file: one that bwrap made itself would be empty, and last.
  authentication = c.add-runtime ''
    if [[ -f ~/.local/share/opencode/auth.json ]]; then
      touch ${inHome "${data}/share/auth.json"}
      RUNTIME_ARGS+=(--ro-bind ~/.local/share/opencode/auth.json ~/.local/share/opencode/auth.json)
    fi'';

  # `network` binds each file of /etc/ssl that it can read: for root, keys too.
  keys = c.add-runtime ''
    if [[ -d /etc/ssl/private && -r /etc/ssl/private ]]; then
      RUNTIME_ARGS+=(--tmpfs /etc/ssl/private)
    fi'';

  # devenv puts links to store files into the project, which dangle in the jail
  # unless what they name is in its closure. git-hooks' are made by its script.
  hooks = config.git-hooks or { };
  linked =
    map (f: "${f.file}") (lib.filter (f: (f.copyMode or "symlink") == "symlink") (lib.attrValues (config.files or { })))
    ++ lib.optional (hooks.enable or false && hooks ? installationScript) (
      pkgs.writeText "git-hooks" hooks.installationScript
    );
  generated = s: s // { additionalRuntimeClosures = s.additionalRuntimeClosures ++ linked; };
in
[
  (own "stateDir" directories)
  (ours "git" git)
]
++ ofOption "baseJailCombinators"
++ [ (ours "keys" keys) ]
++ lib.optional (cfg.stateDir == "project") (ours "authentication" authentication)
++ each "env" c.try-fwd-env
++ lib.optional cfg.git.worktree (own "git.worktree" worktree)
++ lib.optional cfg.git.identity (own "git.identity" identity)
++ each "caches" cache
# Managed settings of the organisation.
++ [ (ours "managed" ((c.runtime-deep-ro-bind or c.try-readonly) "/etc/opencode")) ]
++ lib.optional (linked != [ ]) { id = "files"; permission = generated; origin.option = "files"; }
++ ofOption "jailCombinators"
