why     = "an administrator's settings in /etc/opencode: the default jail shows them"
machine = "debian"
files   = { "/etc/opencode/opencode.json" = "{}" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
