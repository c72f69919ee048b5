# METADATA
# title: The jail can make user namespaces
# description: >-
#   In a user namespace of its own a program has all capabilities towards the kernel's code, in which many holes of the
#   last years lay that only these reach (user_namespaces(7)). --disable-userns closes them (bwrap(1)); sandboxes,
#   containers and Nix builds in the jail then do not work.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: add --unshare-user --disable-userns where nothing in the jail makes containers
#   avoid: ""
#   prefer: --unshare-user --disable-userns
package ocjail.rules.caps.nested_namespaces

import data.ocjail.lib.findings

findings contains findings.new(
	"programs in the jail can make user namespaces, and reach more of the kernel with them",
	{"kind": "namespace", "name": "user"},
	findings.add("unless something in the jail makes containers or sandboxes, add, beside --unshare-user", ["--disable-userns"]),
) if {
	input.jail.disable_userns == false
	input.host.user_namespaces != false
}
