why     = "one of an administrator's files is missing in the jail: opencode would run without what it forbids"
machine = "debian"
files = {
  "/etc/opencode/opencode.json"    = "{}"
  "/etc/opencode/rules/company.md" = "be kind"
}
setup   = "git init -q"
base    = true
argv    = "--ro-bind ~/.config/opencode ~/.config/opencode --ro-bind /etc/opencode/opencode.json /etc/opencode/opencode.json"

expect "error" "agent/managed-settings" {
  subject = "/etc/opencode"
  why     = "half of what an administrator says may be the half that allows"
}
infos = ["caps/nested-namespaces", "exec/host-executed-writable", "net/host-network"]
