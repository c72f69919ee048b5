# METADATA
# title: A socket of the host is in the jail
# description: >-
#   Whoever connects to a Unix socket asks the service behind it to act, outside the jail and with its rights: containers as
#   root, commands through systemd, keys of an ssh agent. A read-only bind does not stop connect(2), see unix(7).
# related_resources:
#   - ref: https://docs.docker.com/engine/security/#docker-daemon-attack-surface
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: do not bind the socket or a directory that holds it; for D-Bus use xdg-dbus-proxy with a list of names
#   avoid: --ro-bind /run/docker.sock /run/docker.sock
#   prefer: --tmpfs /run
package ocjail.rules.sockets.privileged

import data.ocjail.lib.findings
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains finding(w) if {
	some w in watched.sockets
	not places.display(w.path)
	not places.nix_daemon(w.path)
	not filtered(w.path)
}

finding(w) := findings.new(
	sprintf("the jail can connect to %s, %s: %s", [w.path, findings.through(w), w.reason]),
	findings.watched("socket", w),
	"drop the mount that holds the socket; a read-only bind does not stop connections",
)

# The trusted proxy must reach the bus to filter it; sockets/bus-names judges what it lets through.
filtered(path) if {
	some proxy in input.jail.bus_proxies
	proxy.command
	path == concat("/", [input.host.runtime_dir, "bus"])
}
