# Where a project's own data lies in the home, from the project's root.
root: "~/.local/share/ocjail/projects/${baseNameOf root}-${builtins.substring 0 16 (builtins.hashString "sha256" root)}"
