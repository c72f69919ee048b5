# METADATA
# title: The jail can connect to abstract sockets of the host
# description: >-
#   Abstract Unix sockets have no file that could be left out of the jail: they belong to the network namespace
#   (unix(7)). X servers and session buses listen on them. ocjail has Landlock keep the jail from the host's, which needs
#   Linux 6.12 (landlock(7), ABI 6).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/landlock.7.html
#     description: LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: use Linux 6.12 or later, or add --unshare-net
#   avoid:
#     given: the kernel is older than Linux 6.12
#   prefer: --unshare-net
package ocjail.rules.net.abstract_sockets

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf(
		"the jail shares the host's network, and with it the host's abstract Unix sockets: the kernel's Landlock is of ABI %d, and ABI 6 could forbid them",
		[abi],
	),
	{"kind": "namespace", "name": "net"},
	findings.add("use Linux 6.12 or later, or add", ["--unshare-net"]),
) if {
	input.jail.namespaces.net != "unshared"
	abi := input.host.landlock
	abi != null
	abi < 6
}
