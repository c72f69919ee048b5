package ocjail.rules.sockets.bus_names_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.bus_names as rule

found(change) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.clean, {"jail": {"bus_proxies": [object.union(proxy, change)]}})
}

socket := "/tmp/tmp.x/socket"

proxy := {"command": false, "socket": socket, "directory": "/tmp/tmp.x", "filter": true, "names": [talk("org.freedesktop.Notifications")]}

talk(name) := {"policy": "talk", "name": name}

test_clean if {
	rule.findings == set() with input as fixtures.clean
	found({}) == set()
}

test_unfiltered if found({"filter": false}) == {["error", socket]}

test_names[note] if {
	some note, name in {
		"itself": "org.freedesktop.systemd1",
		"all below a name": "org.freedesktop.*",
		"the name and all below it": "org.freedesktop.systemd1.*",
		"everything": "org.*",
	}
	["error", socket] in found({"names": [talk(name)]})
}

test_policies[policy] if {
	some policy in ["talk", "own", "call", "broadcast"]
	found({"names": [{"policy": policy, "name": "org.freedesktop.secrets"}]}) == {["error", socket]}
}

test_the_proxys_own_jail if found({"command": true, "names": [talk("org.freedesktop.systemd1")]}) == {["error", socket]}

test_settings_are_a_warning if found({"names": [talk("ca.desrt.dconf")]}) == {["warning", socket]}

test_near_miss[note] if {
	some note, name in {
		"seen only": {"policy": "see", "name": "org.freedesktop.systemd1"},
		"settings seen only": {"policy": "see", "name": "ca.desrt.dconf"},
		"a name above it": talk("org.freedesktop"),
		"longer name": talk("org.freedesktop.systemd10"),
		"wildcard beside it": talk("org.freedesktop.systemd.*"),
		"below it": talk("org.freedesktop.systemd1.Unit"),
	}
	found({"names": [name]}) == set()
}
