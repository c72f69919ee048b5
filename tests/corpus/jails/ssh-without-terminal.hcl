why      = "ssh host 'ocjail run …', without a terminal"
machine  = "debian"
terminal = false
setup    = "git init -q"
like     = "default-debian"
profile  = "opencode"
