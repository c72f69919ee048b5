# METADATA
# title: A socket of the host appears in the jail when its service starts
# description: >-
#   A bound folder shows what is put into it later: the socket of Docker, or of the session's bus, that is not there when
#   the jail starts can be connected to as soon as its service makes it. A read-only bind does not stop that: unix(7) asks
#   for write permission on the socket, which such a mount leaves.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/unix.7.html
#     description: Pathname socket ownership and permissions
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind what is needed of the folder
#   avoid:
#     bwrap: --ro-bind ~/.1password ~/.1password
#     setup: mkdir ~/.1password
#   prefer: --tmpfs /run
package ocjail.rules.sockets.appearing

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("services that are not running yet can be connected to once they make their sockets, through %s: %s", [findings.words(i), names]),
	subject(i, names),
	remedy(i),
) if {
	some i, paths in appearing
	not broad(i)
	names := concat(", ", sort(paths))
}

subject(null, names) := {"kind": "socket", "name": names}

subject(i, _) := findings.mount(i)

remedy(null) := "drop the mount of the folder that they are made in"

remedy(i) := sprintf("bind what is needed below %s", [mounts.source(input.jail.mounts[i])])

appearing[i] := {w.path | some w in absent; w.via == i} if {
	some i in {w.via | some w in absent}
}

# fs/home-exposed and fs/root-exposed report these.
broad(i) if {
	some place in input.jail.mounts[i].covers
	place != "project"
}

# A socket of the screen is made when the session begins, and a Nix without a daemon has none.
absent contains w if {
	some w in watched.of("socket")
	w.how in {"appear", "create"}
	not places.display(w.path)
	not places.nix_daemon(w.path)
	w.path != "/tmp/.X11-unix"
}
