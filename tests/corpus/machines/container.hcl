why  = "a CI runner: Debian in a container, everything as root, private mounts, nothing of a home"
user = "root"
uid  = 0
home = "/root"

files = {
  "/root/.profile"                             = ""
  "/usr/bin/sh*"                               = ""
  "/usr/bin/bash*"                             = ""
  "/usr/bin/git*"                              = ""
  "/usr/local/bin/opencode*"                   = "\u007fELF"
  "/usr/lib/os-release"                        = "ID=debian\n"
  "/usr/lib64/"                                = ""
  "/usr/sbin/"                                 = ""
  "/bin@"                                      = "usr/bin"
  "/sbin@"                                     = "usr/sbin"
  "/lib@"                                      = "usr/lib"
  "/lib64@"                                    = "usr/lib64"
  "/etc/group"                                 = "root:x:0:\n"
  "/etc/nsswitch.conf"                         = ""
  "/etc/hosts"                                 = "127.0.0.1 localhost\n"
  "/etc/resolv.conf"                           = "nameserver 192.0.2.1\n"
  "/etc/ssl/certs/ca-certificates.crt"         = ""
  "/etc/shadow"                                = ""
  "/builds/team/app/"                          = ""
  "/proc/sys/user/max_user_namespaces"         = "63000\n"
}

env = {
  HOME         = "/root"
  PATH         = "/usr/local/bin:/usr/bin:/bin"
  CI           = "true"
  CI_JOB_TOKEN = "glcbt-64_0123456789abcdefghij"
}

mounts = <<EOT
501 400 0:77 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
502 501 0:80 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
503 501 0:81 / /dev rw,nosuid - tmpfs tmpfs rw
504 501 0:82 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
505 501 8:1 /docker/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
506 501 8:1 /docker/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw
507 501 8:1 /builds /builds rw,relatime - ext4 /dev/sda1 rw
EOT
