# Declaring options and writing definitions.
{ lib }:
let
  property = _type: content: { inherit _type content; };
in
rec {
  mkOption = a: a // { _type = "option"; };
  mkEnableOption = what: mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether to enable ${what}.";
  };
  literalExpression = text: { _type = "literalExpression"; inherit text; };
  mkOptionType =
    {
      name,
      description ? name,
      check ? _: true,
      merge ? mergeOneOption,
      ...
    }:
    { _type = "option-type"; inherit name description check merge; };

  showOption = lib.concatMapStringsSep "." (n: if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*" n == null then builtins.toJSON n else n);
  mergeOneOption =
    loc: defs:
    if builtins.length defs == 1 then
      (builtins.head defs).value
    else
      throw "The option `${showOption loc}' is defined ${toString (builtins.length defs)} times, in ${lib.concatMapStringsSep " and " (d: toString d.file) defs}";

  mkIf = condition: content: property "if" content // { inherit condition; };
  mkMerge = property "merge";
  mkOverride = priority: content: property "override" content // { inherit priority; };
  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  mkOrder = order: content: property "order" content // { inherit order; };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  mkAliasOptionModule = forward { warn = false; };
  mkRenamedOptionModule = forward { warn = true; };
  forward =
    { warn }:
    from: to:
    { config, options, ... }:
    let
      source = lib.getAttrFromPath from options;
    in
    {
      options = lib.setAttrByPath from (mkOption {
        description = "Alias of `${showOption to}`.";
        # Read, it is what it stands for; defined, its definitions go there.
        apply = _: lib.getAttrFromPath to config;
      });
      config = mkMerge [
        (lib.setAttrByPath to (mkMerge (map (d: d.value) source.definitions)))
        (lib.optionalAttrs warn {
          warnings = mkIf source.isDefined [
            "The option `${showOption from}' defined in ${lib.concatStringsSep ", " (map (d: "`${toString d.file}'") source.definitions)} has been renamed to `${showOption to}'."
          ];
        })
      ];
    };
}
