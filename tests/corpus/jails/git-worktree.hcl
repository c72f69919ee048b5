why     = "a worktree: git's common directory lies in the main one, and is bound"
machine = "debian"
project = "~/app-feature"
files   = { "~/app/" = "" }
setup   = <<EOT
git init -q ../app && cd ../app && git commit -q --allow-empty -m start
rmdir ../app-feature && git worktree add -q ../app-feature
EOT
like    = "default-debian"
profile = "opencode"
