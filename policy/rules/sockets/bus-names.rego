# METADATA
# title: A service on the session bus acts outside the jail
# description: >-
#   xdg-dbus-proxy(1) lets through what its --talk, --own, --call and --broadcast name. Some services on the session bus
#   start commands or hand out passwords for whoever may talk to them; without --filter all of them answer.
# related_resources:
#   - ref: https://github.com/flatpak/xdg-dbus-proxy#readme
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: take the name off the dbus combinator's lists
package ocjail.rules.sockets.bus_names

import data.ocjail.lib.findings

findings contains findings.new(
	"the bus proxy does not filter, so every service on the session bus answers the jail",
	{"kind": "socket", "path": proxy.socket},
	"start xdg-dbus-proxy with --filter and the names that are needed",
) if {
	some proxy in input.jail.bus_proxies
	not proxy.filter
}

findings contains finding(proxy, opened, name, reason) if {
	some proxy in input.jail.bus_proxies
	some opened in proxy.names
	opened.policy != "see"
	some name, reason in data.ocjail.bus.errors
	covers(opened.name, name)
}

findings contains findings.lowered("warning", finding(proxy, opened, name, reason)) if {
	some proxy in input.jail.bus_proxies
	some opened in proxy.names
	opened.policy != "see"
	some name, reason in data.ocjail.bus.warnings
	covers(opened.name, name)
}

finding(proxy, opened, name, reason) := findings.new(
	sprintf("the jail can reach %s on the session bus, through --%s=%s: %s", [name, opened.policy, opened.name, reason]),
	{"kind": "socket", "path": proxy.socket},
	sprintf("take %s off the dbus combinator's list %s", [opened.name, opened.policy]),
)

covers(opened, name) if opened == name

covers(opened, name) if {
	endswith(opened, ".*")
	startswith(sprintf("%s.", [name]), trim_suffix(opened, "*"))
}
