# METADATA
# title: The jail shares the host's network
# description: >-
#   Whatever listens on 127.0.0.1 takes the jail for the host (databases, debuggers, a web server's admin page), and so
#   does the local network behind its firewall. Many of these services ask for no password because nobody else was
#   thought to reach them (network_namespaces(7)).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/network_namespaces.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: add --unshare-net where the program needs no network
#   avoid: ""
#   prefer: --unshare-net
package ocjail.rules.net.host_network

import data.ocjail.lib.findings

findings contains findings.new(
	"the jail shares the host's network: it reaches every service on 127.0.0.1 and in the local network",
	{"kind": "namespace", "name": "net"},
	findings.add("keep what listens on 127.0.0.1 behind passwords, or add", ["--unshare-net"]),
) if {
	not input.jail.namespaces.net == "unshared"
}
