# METADATA
# title: The jail can write programs that it runs by name
# description: >-
#   A program that one session puts into a writable folder of PATH is there in the next: it runs in place of git or of the
#   agent itself, with the keys that they are given (CWE-427, uncontrolled search path). It is an info, for tools that
#   a project installs for itself work like that.
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/427.html
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: put the system's folders first in PATH, or bind these read-only
#   avoid: --bind ~/app ~/app --setenv PATH ~/app/bin:/usr/bin
#   prefer: --bind ~/app ~/app --setenv PATH /usr/bin
package ocjail.rules.env.path_writable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths

findings contains findings.new(
	sprintf("what the jail writes into %s stays, and is run by name in the next session", [names]),
	{"kind": "env", "name": "PATH"},
	"put the system's folders first in PATH, or bind these read-only",
) if {
	count(writable) > 0
	names := concat(", ", sort(writable))
}

writable contains entry if {
	some v in input.jail.env.set
	v.name == "PATH"
	some entry in split(v.value, ":")
	last := max({i | some i, m in input.jail.mounts; m.access != "none"; paths.under(entry, m.dest)})
	last in mounts.writable
}
