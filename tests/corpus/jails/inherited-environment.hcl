why     = "the same without --clearenv: tokens come along"
machine = "debian"
setup   = "git init -q"
argv    = "--unshare-user --unshare-pid --die-with-parent --proc /proc --dev /dev --ro-bind /usr /usr --symlink usr/bin /bin --bind ~/app ~/app"

expect "error" "env/inherited" {
  subject = "ANTHROPIC_API_KEY"
  why     = "passed by nobody's decision; named, it would pass"
}

expect "error" "env/inherited" {
  subject = "GITHUB_TOKEN"
  why     = "a token of the person's, with which the agent could push anywhere"
}

expect "warning" "env/inherited" {
  subject = "env"
  why     = "what else will be in it tomorrow is not known"
}

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "net/host-network"]

expect "warning" "session/shared-ipc" {
  subject = "ipc"
  why     = "a flag that costs nothing, and shared memory of other programs"
}
