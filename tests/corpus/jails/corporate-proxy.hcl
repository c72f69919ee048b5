why     = "a proxy without a password in its address, passed by name"
machine = "fedora"
env     = { HTTPS_PROXY = "http://proxy.example.com:3128", NO_PROXY = "localhost" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
