why     = "the argv of 960 words that jail.nix made of the Nix module's default options"
machine = "nixos"
setup   = "git init -q"
saved   = "../bench/testdata/default-argv.json"

# As in default-debian, which has a key in its environment besides.
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
infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network", "secrets/credential-readable"]
