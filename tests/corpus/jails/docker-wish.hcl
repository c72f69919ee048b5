why     = "who wants docker in the jail binds its socket, which is root on the host: must be refused"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["rw-bind /run/docker.sock /run/docker.sock"]

expect "error" "sockets/privileged" {
  subject = "/run/docker.sock"
  why     = "whoever starts containers is root on the host"
}
