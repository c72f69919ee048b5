why     = "Go: the module cache read-only, a build cache of the jail's own"
machine = "debian"
files = {
  "~/go/pkg/mod/cache/download/" = ""
  "~/.cache/go-build/"           = ""
}
setup   = "git init -q && printf 'module app\\n' > go.mod && git add go.mod"
profile = <<EOT
command = ["opencode"]
system  = true
network = true
tmpfs "/tmp" {}
tmpfs "~" {}
project { access = "rw" }
caches = ["~/.cache/go-build"]
mount "~/go/pkg/mod" { access = "ro" }
EOT

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network"]
