why  = "Debian 12 with systemd, which shares / with every mount below; one ext4 disk"
like = ["home"]

files = {
  "/usr/bin/sh*"                                   = ""
  "/usr/bin/bash*"                                 = ""
  "/usr/bin/git*"                                  = ""
  "/usr/bin/env*"                                  = ""
  "/usr/local/bin/opencode*"                       = "\u007fELF"
  "/usr/lib/os-release"                            = "ID=debian\n"
  "/usr/lib64/"                                    = ""
  "/usr/sbin/"                                     = ""
  "/usr/share/zoneinfo/Europe/Paris"               = ""
  "/bin@"                                          = "usr/bin"
  "/sbin@"                                         = "usr/sbin"
  "/lib@"                                          = "usr/lib"
  "/lib64@"                                        = "usr/lib64"
  "/etc/alternatives/"                             = ""
  "/etc/ld.so.cache"                               = ""
  "/etc/group"                                     = "dev:x:1000:\n"
  "/etc/nsswitch.conf"                             = "hosts: files dns\n"
  "/etc/hosts"                                     = "127.0.0.1 localhost\n"
  "/etc/os-release@"                               = "../usr/lib/os-release"
  "/etc/ssl/certs/ca-certificates.crt"             = ""
  "/etc/ssl/openssl.cnf"                           = ""
  "/etc/ssl/private/key.pem"                       = ""
  "/etc/shadow"                                    = ""
  "/etc/resolv.conf@"                              = "../run/systemd/resolve/stub-resolv.conf"
  "/run/systemd/resolve/stub-resolv.conf"          = "nameserver 127.0.0.53\n"
  "/run/systemd/resolve/io.systemd.Resolve="       = ""
  "/etc/localtime@"                                = "/usr/share/zoneinfo/Europe/Paris"
  "/etc/timezone"                                  = "Europe/Paris\n"
  "/etc/opencode/"                                 = ""
}

mounts = <<EOT
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
24 22 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:2 - sysfs sysfs rw
25 22 0:5 / /dev rw,nosuid,relatime shared:8 - devtmpfs udev rw
26 25 0:23 / /dev/pts rw,nosuid,noexec,relatime shared:9 - devpts devpts rw
27 22 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:11 - tmpfs tmpfs rw
28 25 0:25 / /dev/shm rw,nosuid,nodev shared:10 - tmpfs tmpfs rw
29 27 0:48 / /run/user/1000 rw,nosuid,nodev,relatime shared:200 - tmpfs tmpfs rw
30 22 8:17 / /mnt/data rw,relatime shared:40 - ext4 /dev/sdb1 rw
EOT
