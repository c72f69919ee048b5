why     = "Node: husky, an .npmrc without a token, node_modules, scripts in package.json"
machine = "debian"
setup   = <<EOT
git init -q
echo '{"scripts": {"prepare": "husky"}}' > package.json
mkdir -p .husky/_ node_modules/.bin && echo npm test > .husky/pre-commit && touch .husky/_/pre-commit
git config core.hooksPath .husky/_
printf '/node_modules\n/.husky/_\n' > .gitignore
echo 'save-exact=true' > .npmrc
git add . && git commit -qm start
EOT
like    = "default-debian"
profile = "opencode"

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network", "secrets/credential-readable", "secrets/in-environment", "secrets/project-file"]
