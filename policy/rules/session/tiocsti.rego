# METADATA
# title: The jail can type into the terminal
# description: >-
#   With the ioctl TIOCSTI a program in the jail pushes characters into the terminal that it shares, and the shell outside
#   runs them when the jail ends (CVE-2017-5226). A new session, a seccomp filter or the sysctl dev.tty.legacy_tiocsti=0
#   (Linux 6.2) stop it.
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2017-5226
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: add --new-session, or let ocjail add its seccomp filter
#   avoid:
#     given: no seccomp filter can be made
#   prefer:
#     given: no seccomp filter can be made
#     bwrap: --new-session
package ocjail.rules.session.tiocsti

import data.ocjail.lib.findings

session := input.jail.session

findings contains findings.new(
	"a program in the jail can type commands into your terminal (TIOCSTI): no new session, no seccomp filter, and the kernel allows it",
	{"kind": "session"},
	findings.add("set dev.tty.legacy_tiocsti=0, or add", ["--new-session"]),
) if {
	session.new_session == false
	session.tiocsti_filter == false
	input.host.legacy_tiocsti != false
	at_terminal
}

findings contains findings.new(
	"a program that outlives the jail keeps reading your terminal: a new session without --die-with-parent",
	{"kind": "session"},
	findings.add("add", ["--die-with-parent"]),
) if {
	session.new_session == true
	session.die_with_parent == false
}

# Only the launch knows whether there is a terminal.
at_terminal if input.phase != "launch"

at_terminal if session.terminal != false
