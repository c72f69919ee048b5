# METADATA
# title: A credential can be read
# description: >-
#   What the jail reads, the agent can send anywhere its network reaches, and a read-only bind does not stop that. Keys and
#   tokens outlive the session (MITRE ATT&CK T1552.001, credentials in files).
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1552/001/
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: do not bind it; pass one token with fwd-env where the program needs it
#   avoid: --ro-bind ~/.aws ~/.aws
#   prefer: --setenv AWS_PROFILE sandbox
package ocjail.rules.secrets.credential_readable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains finding(w) if {
	some w in watched.secrets
	count(mounts.parts(w)) == 0
	not agent_secret(w.path)
	not root_only(w.path)
}

# Of a directory only parts are bound: each is a secret, but for what is public by nature.
findings contains findings.new(
	sprintf("%s can be read in the jail, through %s: %s", [path, findings.words(i), w.reason]),
	{"kind": "path", "path": path, "index": i},
	sprintf("drop the mount of %s", [path]),
) if {
	some w in watched.secrets
	some i in mounts.parts(w)
	m := input.jail.mounts[i]
	path := mounts.source(m)
	not public(m, path)
}

findings contains findings.lowered("info", finding(w)) if {
	some w in watched.secrets
	count(mounts.parts(w)) == 0
	agent_secret(w.path)
}

findings contains findings.lowered("warning", finding(w)) if {
	some w in watched.secrets
	count(mounts.parts(w)) == 0
	root_only(w.path)
}

finding(w) := findings.new(
	sprintf("%s can be read in the jail, %s: %s", [w.path, findings.through(w), w.reason]),
	findings.watched("path", w),
	remedy(w),
)

remedy(w) := findings.add("drop the mount that holds it, or hide it", ["--tmpfs", w.inside]) if {
	w.type == "dir"
	w.inside != ""
} else := "open another file for it" if {
	w.how == "copy"
} else := "drop the mount that holds it, or bind single folders beside it"

# opencode's own keys, without which it cannot ask its model.
agent_secret(path) if {
	some name in data.ocjail.agent.secrets
	path == concat("/", [places.agent_directory(path), name])
}

# The permission bits of these keep everybody but root out, in the jail too.
root_only(path) if {
	input.host.known
	input.host.uid != 0
	some dir in data.ocjail.secrets.root_only
	paths.under(path, dir)
}

# Host keys are public; being able to write them, but for a copy, is not harmless.
public(m, path) if {
	m.access in {"ro", "scratch"}
	some name in data.ocjail.tolerated.public
	path == places.in_home(name)
}
