why     = "Rust: a toolchain in the home read-only, dependencies in a cache of the jail's own"
machine = "debian"
files = {
  "~/.cargo/bin/cargo*"    = ""
  "~/.cargo/registry/"     = ""
  "~/.rustup/toolchains/"  = ""
}
setup   = "git init -q && printf '[package]\\nname = \"app\"\\n' > Cargo.toml && mkdir src target && git add Cargo.toml"
profile = <<EOT
command = ["opencode"]
system  = true
network = true
tmpfs "/tmp" {}
tmpfs "~" {}
project { access = "rw" }
caches = ["~/.cargo/registry", "~/.cargo/git"]
mount "~/.cargo/bin" { access = "ro" }
mount "~/.rustup" { access = "ro" }
mount "~/.config/opencode" { access = "ro" }
EOT

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "fs/unbounded-memory", "net/host-network"]
