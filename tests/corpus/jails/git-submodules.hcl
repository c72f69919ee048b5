why     = "a submodule, whose repository lies in .git/modules"
machine = "debian"
files   = { "~/lib/" = "" }
setup   = <<EOT
git init -q ../lib && git -C ../lib commit -q --allow-empty -m start
git init -q && git -c protocol.file.allow=always submodule --quiet add "$ROOT/home/dev/lib" lib && git commit -qm start
EOT
like    = "default-debian"
profile = "opencode"
