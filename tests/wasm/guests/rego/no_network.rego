# METADATA
# title: The network is shared
# description: What the agent reads it can send away.
# custom:
#   severity: warning
#   remedy: add --unshare-net
package ocjail.rules.acme.no_network

findings contains {"message": "the jail shares the host's network", "subject": {"kind": "namespace", "name": "net"}} if {
	input.jail.namespaces.net == "shared"
}
