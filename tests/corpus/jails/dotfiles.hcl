why     = "read-only dotfiles, so that the editor and the shell are as one knows them"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readonly ~/.bashrc", "readonly ~/.gitconfig", "readonly ~/.config/nvim", "readonly ~/notes"]
