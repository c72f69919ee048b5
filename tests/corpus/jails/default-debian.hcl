why     = "the default jail in a project of git's, on the most usual machine: must start without a word"
machine = "debian"
setup   = "git init -q && echo 'a' > a && git add a && git commit -qm a"
profile = "opencode"

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
# Weak spots that a person may want to know of: nested namespaces, control files
# that are absent, memory without a bound, the shared network, opencode's own keys,
# which it needs.
infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network", "secrets/credential-readable", "secrets/in-environment"]
