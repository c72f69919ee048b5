why     = "the host's /tmp in the jail, for files that pass to and fro: the terminals of tmux are in it"
machine = "debian"
files   = { "/tmp/tmux-1000/default=" = "" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["rw-bind /tmp /tmp"]

expect "error" "fs/rw-outside-home" {
  subject = "/tmp"
  why     = "programs of other users and of the system put files there that they trust"
}

expect "error" "sockets/privileged" {
  subject = "/tmp/.X11-unix"
  why     = "the X server reads and types keys"
}

expect "error" "sockets/privileged" {
  subject = "/tmp/tmux-1000"
  why     = "tmux send-keys types into a shell outside the jail"
}
