# METADATA
# title: Git obeys what the jail writes in another repository
# description: >-
#   The hooks and the configuration of a repository run commands on the host, at its next git status or commit
#   (githooks(5), core.fsmonitor in git-config(1)). ocjail makes those of the project read-only; a second repository
#   that is bound writable beside it, or in a folder that is, has no such protection.
# related_resources:
#   - ref: https://git-scm.com/docs/githooks
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind the other repository read-only, or run the agent in it
#   avoid:
#     bwrap: --bind ~/lib ~/lib
#     setup: git init -q ~/lib
#   prefer:
#     bwrap: --ro-bind ~/lib ~/lib
#     setup: git init -q ~/lib
package ocjail.rules.exec.other_repository_writable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("the hooks or the configuration of the repository %s can be written in the jail, through %s", [path, findings.words(i)]),
	{"kind": "path", "path": path, "index": i},
	remedy(m, path),
) if {
	some i in mounts.writable
	m := input.jail.mounts[i]
	some path in m.repositories
}

remedy(m, path) := findings.add("bind it read-only", ["--ro-bind", path, m.dest]) if mounts.source(m) == path

else := sprintf("do not bind %s, which holds it, or bind it read-only", [mounts.source(m)])
