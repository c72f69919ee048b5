# What the policy options say, for the manifest.
{ lib, config }:
let
  cfg = config.programs.opencode;
  inherit (cfg.policy) rules bundles;
  stored = map (r: "${r}");
  plain = map builtins.unsafeDiscardStringContext;
  files = stored (rules ++ bundles);
in
{
  inherit files; # with their context: the manifest keeps them
  data = {
    inherit (cfg.policy) enable mode approval;
    config =
      if cfg.policy.config == null then
        null
      # // begins a comment in HCL.
      else if builtins.isPath cfg.policy.config || builtins.match "/[^/].*" cfg.policy.config != null then
        { file = toString cfg.policy.config; text = builtins.readFile cfg.policy.config; }
      else
        { file = "programs.opencode.policy.config"; text = cfg.policy.config; };
    rules = plain (stored rules);
    bundles = plain (stored bundles);
    protect = cfg.protectedPaths;
    review = cfg.reviewedPaths;
  };
}
