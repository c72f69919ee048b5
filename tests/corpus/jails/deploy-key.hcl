why     = "one deploy key: narrower than ~/.ssh, and a key all the same"
machine = "debian"
files   = { "~/.ssh/deploy_ed25519" = "key\n" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly ~/.ssh/deploy_ed25519"]

expect "error" "secrets/credential-readable" {
  subject = "~/.ssh/deploy_ed25519"
  why     = "what the jail reads it can send; an agent outside that signs for one host would do"
}
