why     = "inside tmux, whose socket stays out"
machine = "debian"
files   = { "/tmp/tmux-1000/default=" = "" }
env     = { TMUX = "/tmp/tmux-1000/default,1234,0", TERM = "tmux-256color" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
