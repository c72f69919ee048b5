# METADATA
# title: A cache that the host builds from can be written
# description: >-
#   Package managers trust what lies in their caches: the host's next build compiles or runs what the agent put there,
#   in every project. A folder of the jail's own costs a download and closes this (MITRE ATT&CK T1195.001, software
#   dependencies).
# related_resources:
#   - ref: https://attack.mitre.org/techniques/T1195/001/
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: bind it read-only, or give the jail a cache of its own (caches in a profile)
#   avoid: --bind ~/.cargo/registry ~/.cargo/registry
#   prefer: --ro-bind ~/.cargo/registry ~/.cargo/registry
package ocjail.rules.exec.shared_cache

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("%s can be written in the jail, %s: %s, on the host too", [w.path, findings.through(w), w.reason]),
	findings.watched("path", w),
	remedy(w),
) if {
	some w in watched.shared_caches
	not w.access in mounts.harmless
	w.how != "below"
}

remedy(w) := findings.add("bind a folder that only this jail uses in its place, or this one read-only", ["--ro-bind", w.path, w.inside]) if w.how != "create"

else := sprintf("do not bind a directory above %s writable; bind a folder that only this jail uses at %s", [w.path, w.inside])
