why     = "devenv: its files are tracked, .devenv and .direnv are not, .pre-commit-config.yaml is a link into the store"
machine = "nixos"
files   = { "/nix/store/pc-pre-commit-config.json" = "{}" }
setup   = <<EOT
git init -q
echo '{ }' > devenv.nix; echo 'inputs:' > devenv.yaml; echo '{}' > devenv.lock; echo 'use devenv' > .envrc
mkdir -p .devenv/state .direnv
ln -s /nix/store/pc-pre-commit-config.json .pre-commit-config.yaml
printf '.devenv*\n.direnv\n.pre-commit-config.yaml\n' > .gitignore
git add devenv.nix devenv.yaml devenv.lock .envrc .gitignore && git commit -qm start
EOT
like    = "default-debian"
profile = "opencode"

expect "warning" "exec/host-executed-writable" {
  subject = "~/app/.pre-commit-config.yaml"
  why     = "a link that git does not track: a bind can not hold it, the review at the end can"
}
