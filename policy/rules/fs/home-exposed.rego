# METADATA
# title: The home directory is in the jail
# description: >-
#   A home holds keys, tokens, browser profiles and start-up files, and new ones appear all the time: masking some of its
#   children does not help. The XDG base directory specification puts every program's configuration and state below it.
# related_resources:
#   - ref: https://specifications.freedesktop.org/basedir-spec/latest/
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind the project and the few folders that the program needs, not the home
#   avoid: --ro-bind ~ ~
#   prefer: --ro-bind ~/notes ~/notes
package ocjail.rules.fs.home_exposed

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("the home directory %s is in the jail (%s), through %s", [input.host.home, m.access, findings.words(i)]),
	findings.mount(i),
	findings.add("bind single folders below an empty one in its place", ["--tmpfs", input.host.home]),
) if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	covers_home(m)
}

# fs/root-exposed reports a bind of the whole root.
covers_home(m) if {
	not "root" in m.covers
	some place in m.covers
	place in {"home", "home-parent"}
}
