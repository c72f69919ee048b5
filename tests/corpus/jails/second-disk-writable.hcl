why     = "the same, writable: outside of home and project, so a person has to say that it is meant"
machine = "debian"
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
add     = ["readwrite /mnt/data"]

expect "error" "fs/rw-outside-home" {
  subject = "/mnt/data"
  why     = "outside of home and project; a policy of one's own names the places where it is meant"
}
