# METADATA
# title: The host's root is in the jail
# description: >-
#   A bind of / shows every secret that the user can read, every socket and every file that appears later; masks on top
#   hide only what somebody thought of. bubblewrap starts from an empty root so that a jail lists what it needs (bwrap(1)).
# related_resources:
#   - ref: https://github.com/containers/bubblewrap#sandboxing
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind the folders that the program needs, such as /usr and /etc/ssl, each read-only
#   avoid: --ro-bind / /
#   prefer: --ro-bind /usr /usr
package ocjail.rules.fs.root_exposed

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("the whole host file system is in the jail (%s), through %s", [m.access, findings.words(i)]),
	findings.mount(i),
	findings.add("bind what is needed in its place, such as", ["--ro-bind", "/usr", "/usr"]),
) if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	some place in m.covers
	place == "root"
}
