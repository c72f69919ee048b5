why     = "dotfiles that are links into a repository, as stow and home-manager make them; opencode's folder is one"
machine = "debian"
files = {
  "~/dotfiles/opencode/opencode.json" = "{}\n"
  "~/dotfiles/bashrc"                 = ""
  "~/.config/opencode/opencode.json@" = "../../dotfiles/opencode/opencode.json"
}
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly ~/dotfiles"]

expect "warning" "exec/host-executed-writable" {
  subject = "~/.config/opencode/opencode.json"
  why     = "the agent can replace the link, which a bind can not hold; what it leads to is read-only"
}
