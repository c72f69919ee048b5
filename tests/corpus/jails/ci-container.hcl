why       = "a CI job in a container, as root and without a terminal"
machine   = "container"
project   = "/builds/team/app"
setup     = "git init -q"
terminal  = false
profile   = "opencode"

expect "warning" "exec/host-executed-writable" {
  subject = "~/.config/opencode"
  why     = "as in default-debian; that a container is thrown away is not known here"
}

expect "warning" "exec/host-executed-writable" {
  subject = "~/.local/share/opencode"
  why     = "as in default-debian"
}

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network"]
