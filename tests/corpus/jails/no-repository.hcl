why     = "a project that devenv.nix marks, before git init"
machine = "debian"
files   = { "~/app/devenv.nix" = "{ }\n" }
like    = "default-debian"
profile = "opencode"
