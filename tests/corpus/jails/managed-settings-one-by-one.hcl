why     = "the same as jail.nix binds them, file by file: shown all the same"
machine = "nixos"
files = {
  "/etc/opencode/opencode.json"    = "{}"
  "/etc/opencode/rules/company.md" = "be kind"
}
setup   = "git init -q"
like    = "default-debian"
argv    = "--unshare-user --unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup --die-with-parent --clearenv --proc /proc --dev /dev --tmpfs /tmp --tmpfs ~ --setenv ANTHROPIC_API_KEY sk-0123 --ro-bind /nix/store /nix/store --bind ~/app ~/app --bind ~/.config/opencode ~/.config/opencode --bind ~/.local/share/opencode ~/.local/share/opencode --ro-bind /etc/opencode/opencode.json /etc/opencode/opencode.json --ro-bind /etc/opencode/rules/company.md /etc/opencode/rules/company.md"
