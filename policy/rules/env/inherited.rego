# METADATA
# title: The jail inherits the environment
# description: >-
#   A shell's environment carries tokens, and variables such as LD_PRELOAD, BASH_ENV or GIT_SSH_COMMAND that make programs
#   run other code (ld.so(8), bash(1), git(1)). bwrap hands all of it on unless --clearenv comes first (bwrap(1)).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man8/ld.so.8.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: add --clearenv and pass the variables that are needed by name
#   avoid: ""
#   prefer: --clearenv --setenv LANG C.UTF-8
package ocjail.rules.env.inherited

import data.ocjail.lib.findings
import data.ocjail.lib.variables

findings contains finding(v, "its value looks like a secret") if {
	some v in inherited
	v.shape == "secret"
}

findings contains finding(v, "its name is that of a secret") if {
	some v in inherited
	not v.shape in {"secret", "empty"}
	variables.secret(upper(v.name))
}

findings contains finding(v, "it makes programs run or trust something else") if {
	some v in inherited
	dangerous(v.name)
}

findings contains findings.lowered("warning", findings.new(
	sprintf("the jail inherits the caller's environment, %d variables", [count(inherited)]),
	{"kind": "env"},
	"add --clearenv and --setenv what is needed",
)) if {
	not input.jail.env.cleared
}

# What was set by name is the person's decision.
inherited contains v if {
	some v in input.jail.env.set
	v.source != "set"
}

finding(v, why) := findings.new(
	sprintf("the variable %s is inherited, and %s", [v.name, why]),
	{"kind": "env", "name": v.name},
	sprintf("add --clearenv or --unsetenv %s; to pass it knowingly, name it (fwd-env %s)", [v.name, v.name]),
)

dangerous(name) if name in data.ocjail.environment.names

dangerous(name) if {
	some prefix in data.ocjail.environment.prefixes
	startswith(name, prefix)
}
