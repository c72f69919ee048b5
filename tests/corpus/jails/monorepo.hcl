why     = "a monorepo with control files at several levels, started from a package's folder"
machine = "debian"
workdir = "~/app/packages/web"
setup   = <<EOT
git init -q
mkdir -p packages/web packages/api .github/workflows .vscode
echo '{}' > package.json; echo '{}' > packages/web/package.json; echo all: > Makefile; echo on: > .github/workflows/ci.yml
echo '{}' > .vscode/tasks.json; echo '{}' > opencode.json
git add . && git commit -qm start
EOT
like    = "default-debian"
profile = "opencode"
