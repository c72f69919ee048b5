# METADATA
# title: bwrap has the setuid bit
# description: >-
#   A bwrap with the setuid bit builds every user's jail as root, so that a hole in it gives root (CVE-2020-5291). ocjail
#   starts it without that right (no_new_privs, prctl(2)); whatever else starts it does not. Where user namespaces work,
#   as ocjail needs them to, bwrap needs no such bit (bwrap(1)).
# related_resources:
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2020-5291
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: take the bit away with chmod u-s, where nothing else needs it
#   avoid:
#     given: bwrap has the setuid bit
#   prefer:
#     given: bwrap has no setuid bit
package ocjail.rules.host.setuid_bwrap

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("%s has the setuid bit: but for ocjail, whatever starts it has jails built as root", [input.host.bwrap.path]),
	{"kind": "command", "path": input.host.bwrap.path},
	sprintf("where nothing else needs it: chmod u-s %s", [input.host.bwrap.path]),
) if {
	input.host.bwrap.setuid == true
}
