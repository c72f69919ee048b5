# METADATA
# title: The settings of the machine's owner are not in the jail
# description: >-
#   opencode reads /etc/opencode last, so that an administrator's "bash: deny" wins (opencode's documentation, managed
#   settings). In a jail that does not show that folder, opencode runs without it, and nobody notices.
# related_resources:
#   - ref: https://opencode.ai/docs/config/
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind /etc/opencode read-only
#   avoid:
#     given: the machine has an /etc/opencode
#     bwrap: --ro-bind ~/.config/opencode ~/.config/opencode
#   prefer: --ro-bind /etc/opencode /etc/opencode
package ocjail.rules.agent.managed_settings

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("opencode does not see %s in the jail, the settings of this machine's owner, and would run without what they forbid", [settings.path]),
	{"kind": "path", "path": settings.path},
	findings.add("add", ["--ro-bind", settings.path, settings.path]),
) if {
	input.agent.runs
	some settings in input.agent.managed
	settings.shown == false
}
