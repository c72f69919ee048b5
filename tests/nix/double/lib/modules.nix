# evalModules: collects modules, merges the options that they declare with what
# they define. Without submodules, freeform types and disabledModules.
{ lib }:
let
  inherit (builtins) isAttrs isPath;
  isProperty = t: v: isAttrs v && v._type or "" == t;

  # Definitions of one place with mkIf, mkMerge, mkOverride and mkOrder undone:
  # [ { file; value; priority; order; } … ]
  discharge =
    d:
    if isProperty "merge" d.value then
      builtins.concatMap (value: discharge (d // { inherit value; })) d.value.content
    else if isProperty "if" d.value then
      if d.value.condition then discharge (d // { value = d.value.content; }) else [ ]
    else if isProperty "override" d.value then
      discharge (d // { value = d.value.content; inherit (d.value) priority; })
    else if isProperty "order" d.value then
      discharge (d // { value = d.value.content; inherit (d.value) order; })
    else
      [ d ];
  winning =
    defs:
    let
      all = builtins.concatMap discharge (map (d: { priority = 100; order = 1000; } // d) defs);
      best = builtins.foldl' (p: d: if d.priority < p then d.priority else p) 9999 all;
    in
    builtins.sort (a: b: a.order < b.order) (builtins.filter (d: d.priority == best) all);

  mergeDefinitions =
    loc: type: defs:
    let
      ds = winning defs;
      bad = builtins.filter (d: !(type.check d.value)) ds;
    in
    if bad != [ ] then
      throw "A definition for option `${lib.showOption loc}' is not of type `${type.description}'. Definition values: in `${toString (builtins.head bad).file}'"
    else
      type.merge loc ds;

  # Conditions are pushed down to the leaves, so that a tree's names are known
  # before its conditions are.
  pushDown =
    v:
    if isProperty "merge" v then
      builtins.concatMap pushDown v.content
    else if isProperty "if" v then
      map (builtins.mapAttrs (_: lib.mkIf v.condition)) (pushDown v.content)
    else if isProperty "override" v then
      map (builtins.mapAttrs (_: lib.mkOverride v.priority)) (pushDown v.content)
    else
      [ v ];

  evalOption =
    loc: opt: file: defs:
    let
      ds = winning defs;
      defaults = lib.optional (opt ? default) { inherit file; value = opt.default; };
      type = opt.type or lib.types.raw;
      value =
        if ds == [ ] && defaults == [ ] then
          throw "The option `${lib.showOption loc}' was accessed but has no value defined. Try setting the option."
        else if opt.readOnly or false && builtins.length ds > 1 then
          throw "The option `${lib.showOption loc}' is read-only, but it's set multiple times, in ${lib.concatMapStringsSep " and " (d: toString d.file) ds}"
        else
          mergeDefinitions loc type (if ds == [ ] then defaults else defs);
    in
    opt
    // {
      value = if opt ? apply then opt.apply value else value;
      definitions = ds;
      isDefined = ds != [ ];
      highestPrio = if ds == [ ] then (lib.mkOptionDefault null).priority else (builtins.head ds).priority;
      declarations = [ file ];
    };

  # One level of the tree: declared is [ { file; options; } … ], defined
  # [ { file; value; } … ]. What is defined and not declared is in `unknown`: to
  # look at it here would need the modules, which may ask what is declared.
  evalTree =
    loc: declared: defined:
    let
      names = lib.unique (builtins.concatMap (d: builtins.attrNames d.options) declared);
      flat = builtins.concatMap (d: map (value: { inherit (d) file; inherit value; }) (pushDown d.value)) defined;
      at = name: builtins.concatMap (d: lib.optional (d.value ? ${name}) { inherit (d) file; value = d.value.${name}; }) flat;
      declaredAt = name: builtins.filter (d: d.options ? ${name}) declared;
      isLeaf = name: isProperty "option" (builtins.head (declaredAt name)).options.${name};
      leaf = name: let d = builtins.head (declaredAt name); in evalOption (loc ++ [ name ]) d.options.${name} d.file (at name);
      branch = name: evalTree (loc ++ [ name ]) (map (d: { inherit (d) file; options = d.options.${name}; }) (declaredAt name)) (at name);
      branches = lib.genAttrs (builtins.filter (n: !(isLeaf n)) names) branch;
    in
    {
      options = lib.genAttrs names (n: if isLeaf n then leaf n else branches.${n}.options);
      unknown =
        builtins.concatMap (d: map (n: { inherit (d) file; name = loc ++ [ n ]; }) (builtins.attrNames (removeAttrs d.value names))) flat
        ++ builtins.concatMap (b: b.unknown) (builtins.attrValues branches);
    };

  values = builtins.mapAttrs (_: v: if isProperty "option" v then v.value else values v);

  evalModules =
    {
      modules,
      specialArgs ? { },
      ...
    }:
    let
      arguments = specialArgs // { inherit lib config options; };
      call =
        f:
        let
          given = config._module.args;
        in
        f (arguments // builtins.mapAttrs (n: _: arguments.${n} or given.${n}) (lib.filterAttrs (n: optional: arguments ? ${n} || !optional) (lib.functionArgs f)));
      load =
        m:
        let
          v = if isPath m || builtins.isString m then import m else m;
          body = if lib.isFunction v then call v else v;
          file = if isPath m || builtins.isString m then toString m else body._file or "<unknown-file>";
          plain = removeAttrs body [ "_file" "key" "imports" "options" "config" ];
        in
        builtins.concatMap load (body.imports or [ ])
        ++ [
          {
            inherit file;
            options = body.options or { };
            value = if body ? options || body ? config then body.config or { } else plain;
          }
        ];
      own = {
        file = "lib";
        options._module.args = lib.mkOption { type = lib.types.attrsOf lib.types.raw; default = { }; };
        value = { };
      };
      all = [ own ] ++ builtins.concatMap load modules;
      tree = evalTree [ ] all all;
      inherit (tree) options;
      config = values options;
      first = builtins.head tree.unknown;
    in
    {
      inherit options;
      config =
        if tree.unknown != [ ] then
          throw "The option `${lib.showOption first.name}' does not exist. Definition values: in `${toString first.file}'"
        else
          config;
    };
in
{
  inherit evalModules mergeDefinitions;
  # Whether a definition is one, and not taken away by a condition.
  isDefinition = d: winning [ d ] != [ ];
}
