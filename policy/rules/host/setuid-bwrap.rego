# METADATA
# title: bwrap runs as root
# description: >-
#   A bwrap with the setuid bit builds every user's jail as root, so that a hole in it gives root (CVE-2020-5291), and
#   ocjail can not trace it, nor confine it by Landlock. Where user namespaces work, it needs no such bit (bwrap(1)).
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2020-5291
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: allow user namespaces and take the bit away with chmod u-s
#   avoid:
#     given: bwrap has the setuid bit
#   prefer:
#     given: bwrap has no setuid bit
package ocjail.rules.host.setuid_bwrap

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("%s has the setuid bit: the jail is built as root, out of ocjail's sight", [input.host.bwrap.path]),
	{"kind": "command", "path": input.host.bwrap.path},
	sprintf("where user namespaces are allowed: chmod u-s %s", [input.host.bwrap.path]),
) if {
	input.host.bwrap.setuid == true
}
