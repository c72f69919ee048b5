why     = "git push over ssh by the agent of the keys, which signs whatever it is asked to"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /run/user/1000/gnupg/S.gpg-agent", "fwd-env SSH_AUTH_SOCK"]

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/gnupg"
  why     = "the folder of the sockets of gpg, of which one is in the jail"
}

expect "error" "sockets/privileged" {
  subject = "/run/user/1000/gnupg/S.gpg-agent"
  why     = "the very socket: an agent signs for whoever asks"
}
