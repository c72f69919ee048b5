why  = "Ubuntu under WSL 2: the Windows disk below /mnt/c, WSLg's sockets below /mnt/wslg, no TIOCSTI sysctl"
like = ["debian"]

files = {
  "/usr/lib/os-release"                = "ID=ubuntu\n"
  "/mnt/c/Users/dev/src/app/go.mod"    = "module app\n"
  "/mnt/c/Windows/"                    = ""
  "/mnt/wslg/runtime-dir/wayland-0="   = ""
  "/run/WSL/1_interop="                = ""
  "/init*"                             = ""
  "/usr/lib/wsl/lib/libcuda.so"        = ""
  "/dev/dxg%"                          = ""
}

env = {
  WSL_INTEROP     = "/run/WSL/1_interop"
  WSL_DISTRO_NAME = "Ubuntu"
}

mounts = <<EOT
60 1 8:32 / / rw,relatime - ext4 /dev/sdc rw
61 60 0:5 / /dev rw,nosuid,relatime - devtmpfs none rw
62 60 0:20 / /proc rw,nosuid,nodev,noexec,noatime - proc proc rw
63 60 0:21 / /sys rw,nosuid,nodev,noexec,noatime - sysfs sysfs rw
64 60 0:23 / /run rw,nosuid,nodev - tmpfs tmpfs rw
65 60 0:24 / /mnt/wslg rw,relatime shared:1 - tmpfs none rw
66 60 0:64 / /mnt/c rw,noatime - 9p drvfs rw,dirsync,aname=drvfs;path=C:\134;uid=1000
67 64 0:25 / /run/user rw,nosuid,nodev,noexec,noatime - tmpfs none rw
EOT
