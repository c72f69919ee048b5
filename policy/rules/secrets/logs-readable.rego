# METADATA
# title: Logs or memory dumps of the machine can be read
# description: >-
#   Logs hold what programs printed, tokens and addresses among it, and core dumps the memory of programs with their keys.
#   systemd gives each user the dumps of his own programs (coredump.conf(5)), and members of adm the logs of all
#   (CWE-532, sensitive information in log files).
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/532.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: drop the mount, or bind the one log that is needed
#   avoid: --ro-bind /var/log /var/log
#   prefer: --tmpfs /var/log
package ocjail.rules.secrets.logs_readable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("%s can be read in the jail, through %s", [place, findings.words(i)]),
	{"kind": "path", "path": place, "index": i},
	findings.add("drop the mount, or hide it", ["--tmpfs", mounts.inside(i, place)]),
) if {
	some place in {"/run/log", "/var/crash", "/var/lib/systemd/coredump", "/var/log", "/var/log/journal"}
	some i in mounts.showing(place)
	not twice(i, place)
}

# /var/log names its journal too.
twice(i, place) if {
	place == "/var/log/journal"
	i in mounts.showing("/var/log")
}
