# Which element wrote which part of the wrapper. A list of pieces is
# [ { id; text; } … ] whose texts, joined, are the state's `cmd` or `runtime`.
{ lib }:
let
  join = lib.concatMapStrings (p: p.text);
  has = field: e: e.delta ? ${field} && e.delta.${field} ? append;

  # An element that composes others is cut into what each of these wrote, if
  # that is all it wrote.
  split =
    id: field: entry: text:
    let
      kids = lib.filter (k: has field k.entry) (
        lib.imap0 (i: entry: { id = "${id}/${toString i}"; inherit entry; }) (entry.children or [ ])
      );
      parts = map (k: k.entry.delta.${field}.append) kids;
      cut =
        lib.foldl'
          (acc: k: {
            at = acc.at + builtins.stringLength k.entry.delta.${field}.append;
            pieces =
              acc.pieces
              ++ split k.id field k.entry (
                builtins.substring acc.at (builtins.stringLength k.entry.delta.${field}.append) text
              );
          })
          { at = 0; pieces = [ ]; }
          kids;
    in
    if kids != [ ] && lib.concatStrings parts == builtins.unsafeDiscardStringContext text then
      cut.pieces
    else
      [ { inherit id text; } ];

  # Rest of a string, with its context.
  from = n: s: builtins.substring n (builtins.stringLength s - n) s;
in
{
  inherit join;

  # pieces after an element; initial is what the field was at the very start.
  advance =
    {
      field,
      initial,
      before,
      after,
      id,
      entry,
    }:
    pieces:
    if after == before then
      pieces
    else if lib.hasPrefix before after then
      pieces ++ split id field entry (from (builtins.stringLength before) after)
    else if after == join initial then
      initial # reset
    else if lib.hasSuffix before after then
      [
        {
          inherit id;
          text = builtins.substring 0 (builtins.stringLength after - builtins.stringLength before) after;
        }
      ]
      ++ pieces
    else
      # Rewritten: who wrote what before can't be told any more.
      [ { inherit id; text = after; } ];

  # The options of cmd, each run of them behind --ocjail-origin. A piece that
  # does not begin with an option may go on with the one before: it stays its.
  annotateCmd =
    pieces:
    (lib.foldl'
      (
        acc: p:
        if p.id == acc.id || !acc.started || !(lib.any (s: lib.hasPrefix s p.text) [ " --" " $" " \"$" ]) then
          { id = if acc.started then acc.id else p.id; started = true; text = acc.text + p.text; }
        else
          {
            inherit (p) id;
            started = true;
            text = "${acc.text} --ocjail-origin ${lib.escapeShellArg p.id}${p.text}";
          }
      )
      { id = ""; started = false; text = ""; }
      pieces
    ).text;

  # RUNTIME_ARGS, which jail.nix's wrapper appends to cmd, likewise.
  annotateRuntime = lib.concatMapStrings (
    p: if p.text == "" then "" else "\nRUNTIME_ARGS+=(--ocjail-origin ${lib.escapeShellArg p.id})${p.text}"
  );
}
