# METADATA
# title: What is mounted on the host later appears in the jail
# description: >-
#   A folder on a shared mount passes on what is mounted below it later: a disk that is plugged in, a network share, another
#   user's encrypted home (mount_namespaces(7)). bwrap makes read-only what is mounted when it starts; what comes later is
#   writable, below --ro-bind too. Reported are the folders that such mounts go into.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind the mounted folder itself in place of the one that holds mount points
#   avoid: --ro-bind /mnt /mnt
#   prefer: --ro-bind /mnt/data /mnt/data
package ocjail.rules.fs.propagation

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths

findings contains findings.new(
	sprintf("what is mounted below %s on the host from now on can be written in the jail, though --%s says read-only", [mounts.source(m), m.op]),
	findings.mount(i),
	remedy(m),
) if {
	some i in receiving
	m := input.jail.mounts[i]
	m.access in mounts.harmless
}

findings contains findings.lowered("warning", findings.new(
	sprintf("what is mounted below %s on the host from now on can be written in the jail, through %s", [mounts.source(m), findings.words(i)]),
	findings.mount(i),
	remedy(m),
)) if {
	some i in receiving
	m := input.jail.mounts[i]
	not m.access in mounts.harmless
}

remedy(m) := sprintf("bind the folder below %s that is needed", [mounts.source(m)])

receiving contains i if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	m.propagates
	not m.hardening # repeats what the mount below it is reported for
	some holder in holders
	paths.under(holder, mounts.source(m))
}

holders contains dir if some dir in data.ocjail.mountpoints.holders

holders contains dir if some dir in [input.host.home, input.host.runtime_dir]

# udisks mounts there what the user plugs in.
holders contains concat("/", [dir, input.host.user]) if some dir in data.ocjail.mountpoints.of_users
