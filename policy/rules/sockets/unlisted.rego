# METADATA
# title: A socket that nobody judged is in the jail
# description: >-
#   Whoever connects to a Unix socket asks the service behind it to act, outside the jail and with its rights (unix(7)). This
#   one is on no list, neither of those that give the jail away nor of those that do no harm.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/unix.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: drop the mount, or add the socket to data.ocjail.tolerated.sockets in a policy of your own
#   avoid:
#     given: a service listens on /srv/app.sock
#     bwrap: --ro-bind /srv/app.sock /srv/app.sock
#   prefer: --tmpfs /srv
package ocjail.rules.sockets.unlisted

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("the jail can connect to the socket %s, through %s; what answers there is not known", [path, findings.words(i)]),
	{"kind": "socket", "path": path, "index": i},
	"drop the mount, or add the socket to data.ocjail.tolerated.sockets in a policy of your own",
) if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	m.type == "socket"
	path := mounts.source(m)
	not path in data.ocjail.tolerated.sockets
	not listed(path)
	not proxied(path)
}

# Reported by the list's reason, as itself or as a part of its directory.
listed(path) if {
	some w in watched.sockets
	paths.under(path, w.path)
}

# sockets/bus-names judges what the trusted proxy lets through.
proxied(path) if {
	some proxy in input.jail.bus_proxies
	proxy.socket == path
}
