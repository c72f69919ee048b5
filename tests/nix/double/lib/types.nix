# Option types. merge gets the definitions { file; value; } of highest priority.
{ lib }:
let
  inherit (lib) mkOptionType mergeOneOption;
  scalar = name: check: mkOptionType { inherit name check; description = name; merge = mergeEqual; };
  mergeEqual =
    loc: defs:
    let
      first = builtins.head defs;
      other = builtins.filter (d: d.value != first.value) defs;
    in
    if other == [ ] then first.value else mergeOneOption loc defs;

  # An element's value in a list, none if a condition took it away.
  mergeElement =
    type: loc: def:
    let
      merged = lib.mergeDefinitions loc type [ def ];
    in
    lib.optional (lib.isDefinition def) merged;
in
rec {
  bool = scalar "boolean" builtins.isBool;
  int = scalar "integer" builtins.isInt;
  str = scalar "string" builtins.isString;
  path = scalar "absolute path" (x: builtins.isPath x || (lib.isDerivation x) || (builtins.isString x && lib.hasPrefix "/" x));
  raw = mkOptionType { name = "raw"; };
  unspecified = raw;
  anything = raw;
  package = mkOptionType { name = "package"; check = x: lib.isDerivation x || (builtins.isString x && lib.hasPrefix builtins.storeDir x); };
  lines = mkOptionType { name = "lines"; check = builtins.isString; merge = _: defs: lib.concatStringsSep "\n" (map (d: d.value) defs); };
  strMatching = pattern: mkOptionType {
    name = "string";
    description = "string matching the pattern ${pattern}";
    check = x: builtins.isString x && builtins.match pattern x != null;
    merge = mergeEqual;
  };
  enum = values: mkOptionType {
    name = "enum";
    description = "one of ${builtins.toJSON values}";
    check = x: builtins.elem x values;
    merge = mergeEqual;
  };
  nullOr = t: mkOptionType {
    name = "nullOr";
    description = "null or ${t.description}";
    check = x: x == null || t.check x;
    merge = loc: defs: if (builtins.head defs).value == null then mergeEqual loc defs else t.merge loc defs;
  };
  either = a: b: mkOptionType {
    name = "either";
    description = "${a.description} or ${b.description}";
    check = x: a.check x || b.check x;
    merge = loc: defs: if builtins.all (d: a.check d.value) defs then a.merge loc defs else b.merge loc defs;
  };
  listOf = t: mkOptionType {
    name = "listOf";
    description = "list of ${t.description}";
    check = builtins.isList;
    merge = loc: defs: builtins.concatLists (lib.imap0 (n: d: builtins.concatLists (lib.imap0 (m: value:
      mergeElement t (loc ++ [ "[definition ${toString (n + 1)}-entry ${toString (m + 1)}]" ]) { inherit (d) file; inherit value; }
    ) d.value)) defs);
  };
  attrsOf = t: mkOptionType {
    name = "attrsOf";
    description = "attribute set of ${t.description}";
    check = builtins.isAttrs;
    # A conditional definition of one attribute is taken as it is defined.
    merge = loc: defs: builtins.mapAttrs (n: ds: lib.mergeDefinitions (loc ++ [ n ]) t ds) (
      builtins.zipAttrsWith (_: ds: ds) (map (d: builtins.mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value) defs)
    );
  };
}
