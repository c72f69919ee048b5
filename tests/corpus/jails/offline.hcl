why     = "a local model on a socket file of the project's, and no network"
machine = "debian"
setup   = "git init -q"
profile = "opencode"
add     = ["no-network"]

# As default-debian, but for the network.
expect "warning" "exec/host-executed-writable" {
  subject = "~/.config/opencode"
  why     = "opencode must write there (its .gitignore, at the least), and an opencode outside the jail runs plugins from it"
}
expect "warning" "exec/host-executed-writable" {
  subject = "~/.local/share/opencode"
  why     = "opencode downloads programs into bin, which an opencode outside the jail runs"
}
expect "warning" "exec/host-executed-writable" {
  subject = "~/.local/share/opencode/snapshot"
  why     = "git repositories of opencode's own, of all projects; it writes them all the time"
}
expect "warning" "agent/shared-data" {
  subject = "~/.local/share/opencode/snapshot"
  why     = "the same folder as another project's jail sees it: its snapshots can be read"
}
infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "secrets/credential-readable", "secrets/in-environment"]
