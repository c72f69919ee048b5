why     = "data on another disk, read-only"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly /mnt/data"]
