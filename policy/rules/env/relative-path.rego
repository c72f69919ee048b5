# METADATA
# title: Programs are looked for in the working directory
# description: >-
#   A PATH with an empty entry, or one that does not begin with a slash, runs programs of whatever folder the agent stands
#   in. A cloned repository with a file called git or ls has it run (CWE-427, uncontrolled search path).
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/427.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: write absolute folders into PATH
#   avoid: '--setenv PATH .:/usr/bin'
#   prefer: '--setenv PATH /usr/bin'
package ocjail.rules.env.relative_path

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("PATH has %s, so programs of the working directory are run in place of the system's", [names]),
	{"kind": "env", "name": "PATH"},
	"write absolute folders into PATH, and no colon at its ends",
) if {
	some v in input.jail.env.set
	v.name == "PATH"
	relative := {entry | some entry in split(v.value, ":"); not startswith(entry, "/")}
	count(relative) > 0
	names := concat(", ", sort({word(entry) | some entry in relative}))
}

word("") := "an empty entry"

word(entry) := sprintf("the entry %s", [entry]) if entry != ""
