# METADATA
# title: The jail shares the host's processes
# description: >-
#   Without a PID namespace of its own the jail sees all processes of the machine with their command lines and can signal the
#   user's, and what it starts in the background lives on when the jail has ended. With one, the kernel kills all of it
#   together (pid_namespaces(7)).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: add --unshare-pid
#   avoid: ""
#   prefer: --unshare-pid
package ocjail.rules.session.outlives

import data.ocjail.lib.findings

findings contains findings.new(
	"the jail has no PID namespace of its own: it sees and can signal the host's processes, and what it starts can outlive it",
	{"kind": "namespace", "name": "pid"},
	findings.add("add", ["--unshare-pid"]),
) if {
	not input.jail.namespaces.pid == "unshared"
}
