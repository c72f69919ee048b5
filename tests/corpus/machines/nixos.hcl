why  = "NixOS: programs in the store, which is a read-only mount of its own; nearly nothing in /usr"
like = ["home"]

files = {
  "/nix/store/sh-bash/bin/bash*"                       = ""
  "/nix/store/sh-bash/bin/sh@"                         = "bash"
  "/nix/store/cu-coreutils/bin/env*"                   = ""
  "/nix/store/oc-opencode/bin/opencode*"               = "\u007fELF"
  "/nix/store/et-etc/etc/hosts"                        = "127.0.0.1 localhost\n"
  "/nix/store/et-etc/etc/nsswitch.conf"                = ""
  "/nix/store/et-etc/etc/os-release"                   = "ID=nixos\n"
  "/nix/store/ca-cacert/etc/ssl/certs/ca-bundle.crt"   = ""
  "/nix/store/tz-tzdata/share/zoneinfo/Europe/Paris"   = ""
  "/nix/store/sy-system/sw/bin/opencode@"              = "/nix/store/oc-opencode/bin/opencode"
  "/nix/store/sy-system/sw/bin/bash@"                  = "/nix/store/sh-bash/bin/bash"
  "/nix/var/nix/daemon-socket/socket="                 = ""
  "/run/current-system@"                               = "/nix/store/sy-system"
  "/etc/static@"                                       = "/nix/store/et-etc/etc"
  "/etc/hosts@"                                        = "/etc/static/hosts"
  "/etc/nsswitch.conf@"                                = "/etc/static/nsswitch.conf"
  "/etc/os-release@"                                   = "/etc/static/os-release"
  "/etc/ssl/certs/ca-bundle.crt@"                      = "/nix/store/ca-cacert/etc/ssl/certs/ca-bundle.crt"
  "/etc/ssl/certs/ca-certificates.crt@"                = "/nix/store/ca-cacert/etc/ssl/certs/ca-bundle.crt"
  "/etc/localtime@"                                    = "/nix/store/tz-tzdata/share/zoneinfo/Europe/Paris"
  "/etc/resolv.conf"                                   = "nameserver 192.0.2.1\n"
  "/etc/group"                                         = "dev:x:1000:\n"
  "/etc/opencode/"                                     = ""
  "/bin/sh@"                                           = "/nix/store/sh-bash/bin/bash"
  "/usr/bin/env@"                                      = "/nix/store/cu-coreutils/bin/env"
}

env = {
  PATH = "/run/current-system/sw/bin"
}

bwrap = "/run/wrappers/bin/bwrap"

mounts = <<EOT
25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
26 25 259:2 /nix/store /nix/store ro,nosuid,nodev,relatime shared:2 - ext4 /dev/nvme0n1p2 rw
27 25 0:5 / /dev rw,nosuid shared:5 - devtmpfs devtmpfs rw
28 25 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:9 - proc proc rw
29 25 0:23 / /run rw,nosuid,nodev shared:10 - tmpfs tmpfs rw
30 29 0:24 / /run/wrappers rw,nodev,relatime shared:20 - tmpfs tmpfs rw
31 29 0:50 / /run/user/1000 rw,nosuid,nodev,relatime shared:90 - tmpfs tmpfs rw
EOT
