# METADATA
# title: The screen or the sound of the session is in the jail
# description: >-
#   A client of Wayland reads the clipboard and opens windows that look like others, one of PipeWire or PulseAudio records
#   the microphone and, where the portal is not asked, the screen (docs.pipewire.org, "Access"). They run no commands, so
#   whoever binds them may want them.
# related_resources:
#   - ref: https://docs.pipewire.org/page_access.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: drop the mount of the socket unless the program in the jail shows windows or plays sound
#   avoid:
#     bwrap: --ro-bind /run/user/1000/wayland-0 /run/user/1000/wayland-0
#     given: the user's number is 1000
#   prefer: --tmpfs /run
package ocjail.rules.sockets.display

import data.ocjail.lib.findings
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("the jail can connect to %s, %s: %s", [w.path, findings.through(w), w.reason]),
	findings.watched("socket", w),
	"drop the mount that holds the socket; a read-only bind does not stop connections",
) if {
	some w in watched.sockets
	places.display(w.path)
}
