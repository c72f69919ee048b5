# METADATA
# title: A file of the project that is made for secrets can be read
# description: >-
#   Keys for databases and services are kept in .env and in the configuration of package managers. The agent reads what the
#   jail shows, and what it reads goes to its model; an empty file in its place hides it
#   (The Twelve-Factor App, "Config").
# related_resources:
#   - ref: https://12factor.net/config
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: mount an empty file over it, where the agent does not need it
#   avoid:
#     bwrap: --bind ~/app ~/app
#     setup: touch .env
#   prefer:
#     bwrap: --bind ~/app ~/app --ro-bind /dev/null ~/app/.env
#     setup: touch .env
package ocjail.rules.secrets.project_file

import data.ocjail.lib.findings
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("the agent can read %s", [w.path]),
	findings.watched("path", w),
	findings.add("if it need not, mount an empty file over it", ["--ro-bind", "/dev/null", w.inside]),
) if {
	some w in watched.reached
	w.path in files
	w.exists
	w.inside != ""
}

files := {concat("/", [input.host.project_root, name]) |
	input.host.project_root != ""
	some name in data.ocjail.secrets.project
}
