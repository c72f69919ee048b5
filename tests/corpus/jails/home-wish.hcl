why     = "the whole home, because it is less to write"
machine = "debian"
setup   = "git init -q"
profile = "opencode"
add     = ["readonly ~"]

expect "error" "fs/home-exposed" {
  subject = "~"
  why     = "new keys appear in a home all the time, and no list keeps up"
}

expect "error" "fs/propagation" {
  subject = "~"
  why     = "what is mounted below the home later comes in writable"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.aws"
  why     = "credentials of a cloud account, one of those in the home now"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.config/gh"
  why     = "a token of a code host, one of those in the home now"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.docker/config.json"
  why     = "may hold a registry's password, one of those in the home now"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.npmrc"
  why     = "holds a token that publishes, one of those in the home now"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.ssh"
  why     = "keys that open other machines, one of those in the home now"
}

expect "warning" "agent/shared-data" {
  subject = "~/.local/share/opencode/snapshot"
  why     = "all other projects' snapshots come with the home"
}
infos = ["caps/nested-namespaces", "fs/unbounded-memory", "net/host-network", "secrets/credential-readable", "secrets/in-environment"]
