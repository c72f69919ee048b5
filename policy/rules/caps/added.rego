# METADATA
# title: The jail has capabilities
# description: >-
#   With a capability such as CAP_SYS_ADMIN a program unmounts what hides files from it and leaves the jail
#   (capabilities(7)). Started by root, bwrap leaves every capability in the jail unless it is told to drop them (bwrap(1)).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/capabilities.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: drop --cap-add; as root, add --cap-drop ALL
#   avoid: --cap-add CAP_SYS_ADMIN
#   prefer: --cap-drop ALL
package ocjail.rules.caps.added

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("the jail is given the capability %s", [name]),
	{"kind": "capability", "name": name},
	sprintf("drop --cap-add %s", [name]),
) if {
	some name in input.jail.capabilities.add
}

findings contains findings.new(
	"root starts the jail, and bwrap leaves it every capability of root",
	{"kind": "capability", "name": "ALL"},
	"start it as an ordinary user, or add --cap-drop ALL",
) if {
	input.host.known
	keeps_root
}

findings contains findings.lowered("info", findings.new(
	"undecided: whether root starts the jail is known at launch only; as root it would keep every capability",
	{"kind": "capability", "name": "ALL"},
	"lint with the facts of a host, or add --cap-drop ALL",
)) if {
	not input.host.known
	keeps_root
}

keeps_root if {
	input.host.uid == 0
	input.jail.capabilities.drop_all == false
}
