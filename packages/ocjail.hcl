# An organisation's configuration, complete, as an example: what is here beyond the policy
# is what ocjail does without it, or a matter of taste. Copy it to /etc/ocjail/ocjail.hcl,
# as root's, put the publisher's public key beside it, and keep what you mean. Users and
# projects only tighten it. configuration.md, in docs or beside this folder, names all that
# can stand here. `ocjail config check /etc/ocjail/ocjail.hcl` looks at it,
# once `ocjail bundle pull --system` has fetched the bundle.

# The rules that you publish, signed (rollout.md there). `ocjail bundle pull --system`
# fetches them for all users of the machine.
policy "acme" {
  source       = "oci://ghcr.io/acme/policy:stable" # or https://policy.acme.example/acme.tar.gz, with token_file = "token"
  keys         = ["policy.pem"]                     # beside this file; two keys in it while one takes the place of the other
  warn_after   = "7d"                               # without a pull since then, a launch warns,
  refuse_after = "30d"                              # and from then on nothing starts
  refresh      = "background"                       # a launch fetches it again afterwards; "manual" leaves it to a timer
}

# How one rule counts. `ocjail rules` lists them.
rule "net/local-service" {
  severity = "error"                # "warning" and "info" refuse nothing
  mode     = "enforce"              # "observe": report and log, and let the jail start
  waivable = false                  # true: users and projects may loosen and waive it
  params   = { tolerated = [8888] } # what the rule can be told
}

# What matters on these machines beside what ocjail knows.
watch "~/.acme/deploy-key" {
  class  = "secret"
  reason = "deploys to production"
}

# A named exception, which ends.
waive "fs/rw-outside-home" {
  subject = "/mnt/scratch/**"
  reason  = "shared build cache, emptied each night"
  owner   = "platform@acme.example"
  expires = "2030-01-31"
}

# How long exceptions of users and projects may last.
longest_waiver = "90d"

# Looked at when a session ends, beside ocjail's own list.
review = [".acme/hooks/**"]

# protect = [".envrc"] would replace ocjail's list of what is read-only in the project;
# ocjail inspect shows it.

gate {
  mode     = "enforce"  # "observe" for the first weeks: report and log everything, refuse nothing
  timeout  = "2s"       # for all rules; no verdict by then is a refusal
  project  = []         # what a project may loosen: nothing, or ["observe"]
  review   = "report"   # or "ask", "revert", "off"
  inform   = true       # the jail is told what it may reach
  approval = "widening" # a person is asked before a jail may do more than was approved; "off": never
}

log {
  required = true # what can not be logged does not start
}
