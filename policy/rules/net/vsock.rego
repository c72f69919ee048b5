# METADATA
# title: The jail can reach the hypervisor
# description: >-
#   Sockets of AF_VSOCK connect to the hypervisor and to its guests, beside every network namespace (vsock(7)). Under
#   WSL and in cloud machines services that trust the whole machine answer there.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/vsock.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: start the jail where ocjail can add its seccomp filter (x86-64, aarch64)
#   avoid:
#     given: a machine for which ocjail has no seccomp filter
#   prefer: --unshare-net
package ocjail.rules.net.vsock

import data.ocjail.lib.findings

findings contains findings.new(
	"a program in the jail can open sockets of AF_VSOCK, which no namespace keeps from the hypervisor: there is no seccomp filter",
	{"kind": "session"},
	"start it on x86-64 or aarch64, or hand bwrap a filter of your own",
) if {
	input.jail.session.vsock_filter == false
}
