why     = "bwrap's first example, the whole host read-only, in place of a list"
machine = "debian"
setup   = "git init -q"
argv    = "--unshare-user --unshare-pid --die-with-parent --clearenv --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --bind ~/app ~/app"

expect "error" "fs/root-exposed" {
  subject = "/"
  why     = "the cause of all others"
}

expect "error" "fs/propagation" {
  subject = "/"
  why     = "what is mounted on the host later comes in writable"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.aws"
  why     = "credentials of a cloud account, and no mask covers it"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.config/gh"
  why     = "a token of a code host, and no mask covers it"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.docker/config.json"
  why     = "may hold a registry's password, and no mask covers it"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.npmrc"
  why     = "holds a token that publishes, and no mask covers it"
}

expect "error" "secrets/credential-readable" {
  subject = "~/.ssh"
  why     = "keys that open other machines, and no mask covers it"
}

expect "error" "sockets/privileged" {
  subject = "/run/dbus/system_bus_socket"
  why     = "a read-only bind does not stop connections"
}

expect "error" "sockets/privileged" {
  subject = "/run/docker.sock"
  why     = "a read-only bind does not stop connections"
}

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/bus"
  why     = "a read-only bind does not stop connections"
}

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/gnupg"
  why     = "a read-only bind does not stop connections"
}

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/gnupg/S.gpg-agent"
  why     = "a read-only bind does not stop connections"
}

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/systemd/private"
  why     = "a read-only bind does not stop connections"
}

expect "warning" "secrets/credential-readable" {
  subject = "/etc/shadow"
  why     = "its mode keeps the user out, in the jail too"
}

expect "warning" "secrets/credential-readable" {
  subject = "/etc/ssl/private"
  why     = "its mode keeps the user out, in the jail too"
}

expect "warning" "sockets/display" {
  subject = "/run/user/1000/pipewire-0"
  why     = "screen and sound, as a warning everywhere"
}

expect "warning" "sockets/display" {
  subject = "/run/user/1000/pulse/native"
  why     = "screen and sound, as a warning everywhere"
}

expect "warning" "sockets/display" {
  subject = "/run/user/1000/wayland-0"
  why     = "screen and sound, as a warning everywhere"
}

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network", "secrets/credential-readable"]

expect "warning" "session/shared-ipc" {
  subject = "ipc"
  why     = "as without --unshare-all everywhere"
}

expect "warning" "agent/shared-data" {
  subject = "~/.local/share/opencode/snapshot"
  why     = "all other projects' snapshots, read-only here"
}
