why  = "Fedora Workstation 42: btrfs subvolumes for / and /home, /tmp on tmpfs, TIOCSTI off"
like = ["debian"]

files = {
  "/usr/lib/os-release"              = "ID=fedora\n"
  "/etc/pki/tls/certs/ca-bundle.crt" = ""
  "/etc/crypto-policies/"            = ""
  "/proc/sys/dev/tty/legacy_tiocsti" = "0\n"
}

mounts = <<EOT
61 1 0:35 /root / rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,subvol=/root
62 61 0:5 / /dev rw,nosuid shared:2 - devtmpfs devtmpfs rw
63 62 0:26 / /dev/shm rw,nosuid,nodev shared:3 - tmpfs tmpfs rw
64 62 0:27 / /dev/pts rw,nosuid,noexec,relatime shared:4 - devpts devpts rw
65 61 0:25 / /sys rw,nosuid,nodev,noexec,relatime shared:5 - sysfs sysfs rw
66 61 0:24 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
67 61 0:28 / /run rw,nosuid,nodev shared:15 - tmpfs tmpfs rw
68 61 0:38 / /tmp rw,nosuid,nodev shared:40 - tmpfs tmpfs rw
69 61 0:35 /home /home rw,relatime shared:44 - btrfs /dev/nvme0n1p3 rw,subvol=/home
70 67 0:55 / /run/user/1000 rw,nosuid,nodev,relatime shared:300 - tmpfs tmpfs rw
EOT
