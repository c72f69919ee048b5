# METADATA
# title: Variables replace the settings of opencode
# description: >-
#   OPENCODE_PERMISSION is read after the files of settings, and replaces the permissions that these ask for;
#   OPENCODE_CONFIG and OPENCODE_CONFIG_DIR name other files. Whoever sets the caller's environment, such as a .env file of
#   the project that the agent wrote, decides then what the agent may do without asking (opencode's documentation, "Config").
# related_resources:
#   - ref: https://opencode.ai/docs/config/
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: write it into a file of opencode's settings instead
#   avoid: --ro-bind ~/.config/opencode ~/.config/opencode --setenv OPENCODE_PERMISSION '{}'
#   prefer: --ro-bind ~/.config/opencode ~/.config/opencode
package ocjail.rules.agent.settings_from_environment

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("opencode takes settings from the environment, which replace those of its files: %s", [list]),
	{"kind": "env", "name": list},
	"unset them, or write what they say into a file of opencode's settings",
) if {
	input.agent.runs
	count(names) > 0
	list := concat(", ", sort(names))
}

names contains v.name if {
	some v in input.jail.env.set
	v.shape != "empty"
	v.name in data.ocjail.agent.environment
}
