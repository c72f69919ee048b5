# METADATA
# title: A credential is in the jail's environment
# description: >-
#   Every program that runs in the jail reads its environment, and passes it on: a test, a package's install script, what
#   an agent was talked into. What is passed by name is a decision; this lists it, so that no key is in more jails than
#   need it (environ(7); CWE-526, sensitive information in environment variables).
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/526.html
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: pass a key that can do less, or none
#   params:
#     type: object
#     properties:
#       expected:
#         type: array
#         description: names of variables that may hold a credential
#         items: {type: string}
#         default: []
#   avoid: --setenv DEPLOY_TOKEN 0123456789
#   prefer: --setenv LANG C.UTF-8
package ocjail.rules.secrets.in_environment

import data.ocjail.lib.findings
import data.ocjail.lib.variables

findings contains findings.new(
	sprintf("every program in the jail can read %s", [names]),
	{"kind": "env", "name": names},
	"pass a key that can do less, or none; names that are meant to be there go into the rule's parameter expected",
) if {
	count(credentials) > 0
	names := concat(", ", sort(credentials))
}

# env/inherited reports what nobody named.
credentials contains v.name if {
	some v in input.jail.env.set
	v.source == "set"
	v.shape != "empty"
	telling(v)
	not v.name in input.params["secrets/in-environment"].expected
}

telling(v) if v.shape == "secret"

telling(v) if variables.secret(upper(v.name))
