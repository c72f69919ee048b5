# What the policy options say, for the manifest. What this ocjail can't do is an
# error here as it is at launch: nobody must believe that it is done.
{ lib, config }:
let
  cfg = config.programs.opencode;
  inherit (cfg.policy) rules bundles;
  unsupported =
    lib.optional (bundles != [ ]) "bundles is set, but this ocjail reads no bundles: name rules in policy.rules";
  files = map (r: "${r}") rules;
in
if unsupported != [ ] then
  throw "programs.opencode.policy.${lib.concatStringsSep "; programs.opencode.policy." unsupported}"
else
  {
    inherit files; # with their context: the manifest keeps them
    data = {
      inherit (cfg.policy) enable mode approval bundles;
      config =
        if cfg.policy.config == null then
          null
        # // begins a comment in HCL.
        else if builtins.isPath cfg.policy.config || builtins.match "/[^/].*" cfg.policy.config != null then
          { file = toString cfg.policy.config; text = builtins.readFile cfg.policy.config; }
        else
          { file = "programs.opencode.policy.config"; text = cfg.policy.config; };
      rules = map builtins.unsafeDiscardStringContext files;
      protect = cfg.protectedPaths;
      review = cfg.reviewedPaths;
    };
  }
