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
#   params:
#     type: object
#     properties:
#       largest:
#         type: integer
#         description: bytes that a tmpfs may have without being reported; with 0 any bound will do
#         minimum: 0
#         default: 0
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

findings contains findings.new(
	sprintf("what is written to %s takes the machine's memory, up to %d bytes; the most that is allowed here is %d", [m.dest, m.size, largest]),
	findings.mount(i),
	sprintf("put --size %d before --tmpfs %s", [largest, m.dest]),
) if {
	largest := input.params["fs/unbounded-memory"].largest
	largest > 0
	some i, m in input.jail.mounts
	m.op == "tmpfs"
	m.size > largest
	m.shadowed_by == null
}
