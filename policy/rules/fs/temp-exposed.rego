# METADATA
# title: The temporary files of other programs are in the jail
# description: >-
#   Programs put into /tmp, /var/tmp and /dev/shm what they keep for a moment: files that an editor decrypted, answers of
#   servers, tokens in scripts, sockets. A read-only bind shows them, and those that come later
#   (CWE-377, insecure temporary file).
# related_resources:
#   - ref: https://cwe.mitre.org/data/definitions/377.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: mount a tmpfs in its place
#   avoid: --ro-bind /tmp /tmp --tmpfs /tmp/.X11-unix
#   prefer: --tmpfs /tmp
package ocjail.rules.fs.temp_exposed

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("what other programs keep in %s can be read in the jail, through %s", [place, findings.words(i)]),
	findings.mount(i),
	findings.add("mount an empty folder there", ["--tmpfs", mounts.inside(i, place)]),
) if {
	some place in {"/tmp", "/var/tmp", "/dev/shm"}
	some i in mounts.showing(place)

	# fs/rw-outside-home and fs/device-exposed report a writable one.
	input.jail.mounts[i].access in mounts.harmless
}
