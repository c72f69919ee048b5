why     = "opencode serve in the jail, which listens for an editor: the shared network it is"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
command = ["opencode", "serve"]
