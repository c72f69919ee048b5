why     = "public host keys for git over ssh, without any key"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly ~/.ssh/known_hosts"]
