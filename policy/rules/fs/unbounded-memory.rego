# METADATA
# title: A file system in memory has no bound
# description: >-
#   A tmpfs takes up to half of the machine's memory, each of them, and what lies there can not be swapped out
#   everywhere (tmpfs(5)). A program that fills it makes the kernel end other programs; --size bounds it.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man5/tmpfs.5.html
# schemas:
#   - input: schema.input
# custom:
#   severity: info
#   remedy: put --size BYTES before --tmpfs
#   avoid: --tmpfs /tmp
#   prefer: --size 2147483648 --tmpfs /tmp
package ocjail.rules.fs.unbounded_memory

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("what is written to %s takes the machine's memory, without a bound but half of it each", [places]),
	{"kind": "mount", "name": places},
	"put --size BYTES before each --tmpfs",
) if {
	count(unbounded) > 0
	places := concat(", ", sort(unbounded))
}

unbounded contains m.dest if {
	some m in input.jail.mounts
	m.op == "tmpfs"
	m.size == null
	m.shadowed_by == null
}
