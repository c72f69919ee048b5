# METADATA
# title: opencode's data of other projects is in the jail
# description: >-
#   ~/.local/share/opencode holds the snapshots of every project that opencode worked on: the source of one is readable
#   from another's jail, and git obeys configuration that is planted there, at the next opencode outside a jail. A data
#   folder for each project keeps them apart.
# related_resources:
#   - ref: https://opencode.ai/docs/troubleshooting/
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: bind a folder of the project's own at ~/.local/share/opencode
#   avoid:
#     given: opencode has worked on another project
#     bwrap: --bind ~/.local/share/opencode ~/.local/share/opencode
#   prefer: --bind ~/.local/share/opencode-app ~/.local/share/opencode
package ocjail.rules.agent.shared_data

import data.ocjail.lib.findings
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("the jail reaches %s (%s), %s: the snapshots of other projects, which it can read and whose git configuration other sessions of opencode obey", [w.path, w.access, findings.through(w)]),
	findings.watched("path", w),
	sprintf("bind a folder of this project's own at %s", [places.parent(w.inside)]),
) if {
	some w in watched.host_executed
	w.exists != false
	w.path == places.in_home(".local/share/opencode/snapshot")
}
