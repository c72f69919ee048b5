# What the organisation says beside its rules. It counts as written in the file that names
# the bundle, which has the last word.

# Less trusted files may make exceptions for at most so long.
longest_waiver = "90d"

# Nobody but a person deploys: the folder is closed to every jail.
watch "~/.config/deploy" {
  class  = "secret"
  reason = "deploys to production"
}

# A new rule is first observed: launches report what breaks it and start all the same. When
# `ocjail log` shows none any more, delete the block.
#
# rule "org/production" {
#   mode = "observe"
# }
