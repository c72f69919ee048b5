why     = "the same through X11, which hands out every key that is typed"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /tmp/.X11-unix/X0", "fwd-env DISPLAY"]

expect "error" "sockets/privileged" {
  subject = "/tmp/.X11-unix"
  why     = "X11 lets any client read and type keys, so it is more than a screen"
}
