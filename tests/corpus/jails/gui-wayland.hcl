why     = "a browser for end-to-end tests through Wayland: wanted, and worth a warning"
machine = "fedora"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /run/user/1000/wayland-0", "fwd-env WAYLAND_DISPLAY", "set-env XDG_RUNTIME_DIR /run/user/1000"]

expect "warning" "sockets/display" {
  subject = "/run/user/1000/wayland-0"
  why     = "a person who binds it wants it, and it runs no commands"
}
