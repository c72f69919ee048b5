# The options programs.opencode.*.
{ lib, pkgs, config, options }:
let
  inherit (lib) mkOption types literalExpression;
  cfg = config.programs.opencode;
  permission = import ./permission.nix { inherit lib; };
  combinators = pkgs.jail.combinators;

  # Where opencode keeps its data, in the home's order of opencode's own documentation.
  data =
    if cfg.stateDir == "shared" then
      map (p: combinators.readwrite (combinators.noescape p)) [ "~/.local/share/opencode" "~/.local/state/opencode" ]
    else
      map (n: combinators.rw-bind "${import ./data-dir.nix config.devenv.root}/${n}" "~/.local/${n}/opencode") [ "share" "state" ];

  variable = types.strMatching "[A-Za-z_][A-Za-z0-9_]*";
  inHome = types.strMatching "~/[^\n]+";
  inProject = types.strMatching "[^/~\n][^\n]*";
  tightens = "It has the project's trust, so it can only tighten: what would loosen the check is ignored, with a finding, unless the organisation's or your own ocjail.hcl allows it.";
in
{
  enable = lib.mkEnableOption "opencode in a jail that is checked before it starts";

  addProjectPackages = mkOption {
    type = types.bool;
    default = true;
    example = false;
    description = "Whether the packages of the devenv project are in the jail too.";
  };

  basePackages = mkOption {
    type = types.listOf types.package;
    default = with pkgs; [
      bashInteractive
      curl
      wget
      jq
      git
      which
      ripgrep
      gnugrep
      gawkInteractive
      ps
      findutils
      gzip
      unzip
      gnutar
      diffutils
    ];
    defaultText = literalExpression "with pkgs; [ bashInteractive curl wget jq git which ripgrep gnugrep gawkInteractive ps findutils gzip unzip gnutar diffutils ]";
    example = literalExpression "with pkgs; [ bashInteractive git ripgrep ]";
    description = "Packages that every agent needs. Replaces the list; to add, use `packages`.";
  };

  packages = mkOption {
    type = types.listOf types.package;
    default = [ ];
    example = literalExpression "[ pkgs.cargo-expand ]";
    description = "Further packages in the jail, and only there.";
  };

  opencodePackage = mkOption {
    type = types.package;
    default = pkgs.opencode;
    defaultText = literalExpression "pkgs.opencode";
    example = literalExpression "pkgs.unstable.opencode";
    description = "The opencode that runs in the jail. `programs.opencode.package` is the same option.";
  };

  baseJailCombinators = mkOption {
    type = types.listOf permission;
    default =
      with combinators;
      [
        network
        time-zone
        no-new-session
        (tmpfs "/tmp")
        (readwrite (noescape "~/.config/opencode"))
      ]
      ++ data
      ++ [ (rw-bind config.devenv.root config.devenv.root) ];
    defaultText = literalExpression ''
      with pkgs.jail.combinators; [
        network
        time-zone
        no-new-session
        (tmpfs "/tmp")
        (readwrite (noescape "~/.config/opencode"))
        (readwrite (noescape "~/.local/share/opencode"))
        (readwrite (noescape "~/.local/state/opencode"))
        (rw-bind config.devenv.root config.devenv.root)
      ]
    '';
    example = literalExpression "with pkgs.jail.combinators; [ (readonly config.devenv.root) ]";
    description = "What every opencode may do. Replaces the list; to add, use `jailCombinators`.";
  };

  jailCombinators = mkOption {
    type = types.listOf permission;
    default = [ ];
    example = literalExpression ''
      with pkgs.jail.combinators; [ (rw-bind "~/.cargo/registry" "~/.cargo/registry") ]
    '';
    description = "What opencode may do in this project besides. A leading `~/` is the home directory.";
  };

  policy = {
    enable = mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether a launch is checked against the rules. ${tightens}";
    };
    config = mkOption {
      type = types.nullOr (types.either types.path types.lines);
      default = null;
      example = literalExpression "./ocjail.hcl";
      description = "The project's own configuration: an HCL file, or its text. ${tightens}";
    };
    rules = mkOption {
      type = types.listOf (types.either types.path types.package);
      default = [ ];
      example = literalExpression "[ ./policy/no-docker.rego ]";
      description = "Further rules: `.rego` or `.wasm` files, or packages that hold such files. They can find more, never less.";
    };
    bundles = mkOption {
      type = types.listOf (types.either types.path types.package);
      default = [ ];
      example = literalExpression "[ ./acme.tar.gz ]";
      description = ''
        Bundles of rules, as `ocjail bundle build` makes them. Their rules can find more, never less. An input with
        `url = "file+https://…"` and `flake = false` is one too. ${tightens}
      '';
    };
    mode = mkOption {
      type = types.enum [ "enforce" "observe" ];
      default = "enforce";
      example = "observe";
      description = "Whether a launch that breaks a rule is refused, or reported and started. ${tightens}";
    };
    approval = mkOption {
      type = types.enum [ "off" "widening" ];
      default = "widening";
      example = "off";
      description = ''
        When a person is asked before a launch: never, or when the jail may do more than was last approved in this project.
        Without a terminal such a launch is refused; `ocjail approve` approves it. ${tightens} `"off"` counts where a more
        trusted file says `gate { approval = "off" }` itself.
      '';
    };
  };

  protectedPaths = mkOption {
    type = types.listOf inProject;
    default = [ ];
    example = [ ".envrc" ".git/hooks" ];
    description = "Paths below the project's root that are read-only while the agent runs, beside ocjail's own list.";
  };

  reviewedPaths = mkOption {
    type = types.listOf inProject;
    default = [ ];
    example = [ "devenv.nix" ".vscode/**" ];
    description = ''
      Paths below the project's root, and patterns of them, whose changes are told when the agent ends, beside ocjail's own
      list. `ocjail review` shows them.
    '';
  };

  env = mkOption {
    type = types.listOf variable;
    default = import ./variables.nix;
    defaultText = literalExpression "terminal, locale, editor, proxies, and the keys of well-known model providers";
    example = [ "ANTHROPIC_API_KEY" ];
    description = "Environment variables that are passed into the jail by name, if they are set. The values are stored nowhere.";
  };

  git.identity = mkOption {
    type = types.bool;
    default = false;
    example = true;
    description = "Whether `user.name` and `user.email` of your own git configuration are known in the jail, so that `git commit` works there.";
  };

  git.worktree = mkOption {
    type = types.bool;
    default = options.programs.opencode.baseJailCombinators.highestPrio >= (lib.mkOptionDefault null).priority;
    defaultText = literalExpression "true, unless baseJailCombinators is set";
    example = false;
    description = ''
      Whether, in a linked worktree (`git worktree add`), the repository that it belongs to is writable in the jail as the
      project is: without it git does not work there. It is looked for when opencode starts, and must name the worktree in
      return.
    '';
  };

  caches = mkOption {
    type = types.listOf inHome;
    default = [ ];
    example = [ "~/.cache/pip" "~/.npm" ];
    description = "Directories of the home that last from one jail of this project to the next, apart from the host's.";
  };

  stateDir = mkOption {
    type = types.enum [ "shared" "project" ];
    default = "shared";
    example = "project";
    description = ''
      Where opencode keeps sessions and snapshots: `"shared"` is the usual place in the home, which all projects read and
      write; `"project"` is a folder for this project alone, `~/.local/share/ocjail/projects/NAME-HASH`. Authentication
      stays in its usual place and is read-only then.
    '';
  };

  hardenGit = mkOption {
    type = types.bool;
    default = true;
    example = false;
    description = ''
      Whether git in the devenv shell, outside the jail, ignores what an agent may have planted in a repository:
      `safe.bareRepository=explicit`, `core.fsmonitor=false`, `diff.ignoreSubmodules=dirty`.
    '';
  };

  manifest = mkOption {
    type = types.package;
    readOnly = true;
    description = "JSON file that tells what the jail is made of, and which option each part comes from. Building it builds nothing else.";
  };

  finalPackage = mkOption {
    type = types.package;
    readOnly = true;
    description = "The jailed opencode.";
  };
}
