why     = "who wants nix build in the jail binds the daemon's socket, through which a trusted user is root"
machine = "nixos"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /nix/var/nix/daemon-socket/socket"]

expect "warning" "sockets/nix-daemon" {
  subject = "/nix/var/nix/daemon-socket"
  why     = "it builds outside of the jail; an error for whom nix.conf trusts, for they are root through it"
}
