why     = "the host's own cargo registry, writable: what the agent puts there the host builds later"
machine = "debian"
files   = { "~/.cargo/registry/" = "" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["rw-bind ~/.cargo/registry ~/.cargo/registry"]

expect "warning" "exec/shared-cache" {
  subject = "~/.cargo/registry"
  why     = "cargo on the host builds what the agent put there"
}
