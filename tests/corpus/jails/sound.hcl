why     = "sound through PipeWire, for a game"
machine = "fedora"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /run/user/1000/pipewire-0"]

expect "warning" "sockets/display" {
  subject = "/run/user/1000/pipewire-0"
  why     = "the microphone and the screen come with it, which a person may want"
}
