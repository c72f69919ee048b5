# Functions on lists, attribute sets, strings and packages.
{ lib }:
let
  inherit (builtins) substring stringLength isAttrs isString length genList elemAt;
  range = from: n: list: genList (i: elemAt list (from + i)) n;
  max0 = n: if n < 0 then 0 else n;
in
rec {
  id = x: x;
  flip = f: a: b: f b a;
  pipe = builtins.foldl' (x: f: f x);
  isFunction = f: builtins.isFunction f || (isAttrs f && f ? __functor);
  functionArgs = f: if isAttrs f then functionArgs (f.__functor f) else builtins.functionArgs f;
  warn = message: builtins.trace "warning: ${message}";

  optional = c: x: if c then [ x ] else [ ];
  optionals = c: xs: if c then xs else [ ];
  optionalString = c: s: if c then s else "";
  optionalAttrs = c: a: if c then a else { };

  take = n: l: range 0 (if n < length l then max0 n else length l) l;
  drop = n: l: range (if n < length l then max0 n else length l) (max0 (length l - max0 n)) l;
  last = l: elemAt l (length l - 1);
  init = l: take (length l - 1) l;
  imap0 = f: l: genList (i: f i (elemAt l i)) (length l);
  reverseList = l: genList (i: elemAt l (length l - 1 - i)) (length l);
  foldr = f: z: l: builtins.foldl' (acc: x: f x acc) z (reverseList l);
  unique = builtins.foldl' (acc: x: if builtins.elem x acc then acc else acc ++ [ x ]) [ ];
  flatten = x: if builtins.isList x then builtins.concatMap flatten x else [ x ];
  concatMap = builtins.concatMap;

  filterAttrs = p: a: removeAttrs a (builtins.filter (n: !(p n a.${n})) (builtins.attrNames a));
  mapAttrsToList = f: a: map (n: f n a.${n}) (builtins.attrNames a);
  genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
  nameValuePair = name: value: { inherit name value; };
  getAttrFromPath = path: a: builtins.foldl' (x: n: x.${n}) a path;
  setAttrByPath = path: v: foldr (n: acc: { ${n} = acc; }) v path;
  hasAttrByPath = path: a: path == [ ] || (isAttrs a && a ? ${builtins.head path} && hasAttrByPath (builtins.tail path) a.${builtins.head path});

  concatStringsSep = builtins.concatStringsSep;
  concatStrings = concatStringsSep "";
  concatMapStrings = f: l: concatStrings (map f l);
  hasPrefix = p: s: substring 0 (stringLength p) s == p;
  hasSuffix = p: s: stringLength s >= stringLength p && substring (stringLength s - stringLength p) (stringLength p) s == p;
  splitString = sep: s: builtins.filter isString (builtins.split (escapeRegex sep) s);
  hasInfix = i: s: length (splitString i s) > 1;
  removePrefix = p: s: if hasPrefix p s then substring (stringLength p) (stringLength s) s else s;
  removeSuffix = p: s: if hasSuffix p s then substring 0 (stringLength s - stringLength p) s else s;
  escapeRegex = builtins.replaceStrings (chars "\\[{()^$?*+|.") (map (c: "\\${c}") (chars "\\[{()^$?*+|."));
  chars = s: genList (i: substring i 1 s) (stringLength s);
  toUpper = builtins.replaceStrings (chars "abcdefghijklmnopqrstuvwxyz") (chars "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  toInt = builtins.fromJSON;
  escapeShellArg = x: let s = toString x; in if builtins.match "[[:alnum:],._+:@%/-]+" s == null then "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'" else s;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  concatMapStringsSep = sep: f: l: concatStringsSep sep (map f l);
  isValidPosixName = s: builtins.match "[a-zA-Z_][a-zA-Z0-9_]*" s != null;
  addContextFrom = from: s: substring 0 0 from + s;
  sanitizeDerivationName =
    s:
    let
      clean = concatMapStrings (x: if isString x then x else "-") (builtins.split "[^[:alnum:]+._?=-]+" (builtins.unsafeDiscardStringContext s));
    in
    if hasPrefix "." clean then removePrefix "." clean else clean;

  isDerivation = x: isAttrs x && x.type or "" == "derivation";
  getBin = p: p.bin or p;
  getExe' = p: name: "${getBin p}/bin/${name}";
  getExe = p: getExe' p (p.meta.mainProgram or p.pname or p.name);
  makeBinPath = ps: concatMapStringsSep ":" (p: "${getBin p}/bin") (builtins.filter (p: p != null) ps);
  makeExtensible =
    f:
    let
      self = f self // { extend = o: makeExtensible (self': let prev = f self'; in prev // o self' prev); };
    in
    self;
}
