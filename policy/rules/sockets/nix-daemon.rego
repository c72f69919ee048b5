# METADATA
# title: The Nix daemon builds outside the jail
# description: >-
#   Whoever reaches the daemon's socket has it build what they wrote, outside the jail and with a network for fixed
#   outputs, and add paths to the store that the host runs programs from. For a trusted user it also switches the build
#   sandbox off and runs programs as root (nix.conf(5), trusted-users).
# related_resources:
#   - ref: https://nix.dev/manual/nix/latest/command-ref/conf-file#conf-trusted-users
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: do not bind /nix/var; the store itself, /nix/store, read-only is enough to run programs
#   avoid: --ro-bind /nix/var /nix/var
#   prefer: --ro-bind /nix/store /nix/store
package ocjail.rules.sockets.nix_daemon

import data.ocjail.lib.findings
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("the jail can connect to the Nix daemon, %s, which trusts %s: it runs what it is told as root", [findings.through(w), user]),
	findings.watched("socket", w),
	"bind /nix/store alone, read-only; or take yourself off trusted-users in /etc/nix/nix.conf",
) if {
	some w in reached
	input.host.nix_trusted != false
}

findings contains findings.lowered("warning", findings.new(
	sprintf("the jail can connect to the Nix daemon, %s: builds run outside the jail", [findings.through(w)]),
	findings.watched("socket", w),
	"bind /nix/store alone, read-only, unless the agent is to build with Nix",
)) if {
	some w in reached
	input.host.nix_trusted == false
}

reached := [w | some w in watched.sockets; places.nix_daemon(w.path)]

user := input.host.user if input.host.nix_trusted == true

else := "perhaps this user"
