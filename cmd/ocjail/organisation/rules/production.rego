# METADATA
# title: No credentials of production in a jail
# description: >-
#   What the agent has in its environment it can use and send away. The variables that our deployments read have no place there,
#   whoever passes them. data/org/production.json lists what their names begin with.
# related_resources:
#   - ref: https://wiki.example.org/agents/production
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: leave the variable out, and deploy from outside of the jail
#   avoid: --setenv DEPLOY_KEY x
#   prefer: ""
package ocjail.rules.org.production

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("the jail gets %s, which deployments to production read", [v.name]),
	{"kind": "env", "name": v.name},
	sprintf("leave %s out, and deploy from outside of the jail", [v.name]),
) if {
	some v in input.jail.env.set
	of_production(v.name)
}

of_production(name) if {
	some prefix in data.org.production
	startswith(upper(name), prefix)
}
