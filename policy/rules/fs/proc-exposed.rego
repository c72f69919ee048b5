# METADATA
# title: The host's /proc is in the jail
# description: >-
#   A bind of /proc shows all processes of the host with their command lines, which hold tokens, and the settings of
#   its kernel (proc(5)). --proc mounts one of the jail's own processes.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man5/proc.5.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: use --proc /proc in its place
#   avoid: --ro-bind /proc /proc
#   prefer: --proc /proc
package ocjail.rules.fs.proc_exposed

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths

findings contains findings.new(
	sprintf("%s of the host is in the jail (%s), through %s", [path, m.access, findings.words(i)]),
	findings.mount(i),
	findings.add("mount one of the jail's own in its place", ["--proc", m.dest]),
) if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	path := mounts.source(m)
	paths.under(path, "/proc")

	# Single files such as /proc/cpuinfo tell of the machine, not of its users.
	m.type != "file"
	m.op != "proc" # the host's processes are visible anyway: session/outlives reports that
}
