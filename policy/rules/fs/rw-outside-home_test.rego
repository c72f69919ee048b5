package ocjail.rules.fs.rw_outside_home_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.rw_outside_home as rule

test_violating[note] if {
	some note, m in {
		"system folder": fixtures.bind("bind", "rw", "/etc", {}),
		"shared disk": fixtures.bind("bind-try", "rw", "/mnt/scratch", {}),
		"another user's home": fixtures.bind("bind", "rw", "/home/u2", {}),
		"the parent of the home": fixtures.bind("bind", "rw", "/home", {}),
		"the root": fixtures.bind("bind", "rw", "/", {}),
		"with devices": fixtures.bind("dev-bind", "dev", "/srv", {}),
		"through a link": fixtures.bind("bind", "rw", "/srv", {"source": "/home/u/link"}),
		"unresolved": fixtures.bind("bind", "rw", "", {"source": "/srv"}),
		"nobody could tell": fixtures.bind("bind", "rw", "/srv", {"exists": false, "certain": false}),
		"memory shared with the host": fixtures.bind("bind", "rw", "/dev/shm", {}),
		"an access of a later version": fixtures.bind("bind", "rwx", "/srv", {}),
	}
	some f in rule.findings with input as fixtures.mounts([m])
	f.subject.index == 0
}

test_clean if {
	rule.findings == set() with input as fixtures.mounts(fixtures.default_mounts)
}

test_near_miss[note] if {
	some note, m in {
		"read-only": fixtures.bind("ro-bind", "ro", "/etc", {}),
		"in the home": fixtures.bind("bind", "rw", "/home/u/.cache/x", {}),
		"hidden": fixtures.bind("bind", "rw", "/etc", {"shadowed_by": 1}),
		"absent and optional": fixtures.bind("bind-try", "none", "/srv", {"exists": false}),
		"one device": fixtures.bind("dev-bind", "dev", "/dev/dri", {}),
		"a socket": fixtures.bind("bind", "rw", "/run/user/1000/proxy/bus", {"type": "socket"}),
		"a pin of ocjail's": fixtures.bind("bind", "rw", "/srv/x", {"hardening": true}),
	}
	rule.findings == set() with input as fixtures.mounts([m])
}

test_project_and_common_directory_elsewhere if {
	doc := fixtures.mounts([fixtures.bind("bind", "rw", "/srv/w", {}), fixtures.bind("bind", "rw", "/srv/main/.git", {})])
	rule.findings == set() with input as fixtures.with_host(doc, {"project_root": "/srv/w", "git_common_dir": "/srv/main/.git"})
}

test_unknown_or_root_home_owns_nothing if {
	doc := fixtures.mounts([fixtures.bind("bind", "rw", "/etc", {})])
	every home in ["", "/"] {
		count(rule.findings) == 1 with input as fixtures.with_host(doc, {"home": home, "project_root": home})
	}
}

test_tolerated if {
	list := [fixtures.bind("bind", "rw", "/mnt/scratch/x", {}), fixtures.bind("bind", "rw", "/mnt/scratch2", {})]
	found := rule.findings with input as fixtures.mounts(list)
		with data.ocjail.tolerated.writable as ["/mnt/scratch"]
	fixtures.brief(found) == {["error", "/mnt/scratch2"]}
}

# The directory of the trusted bus proxy's socket, when nothing else is in it.
test_bus_proxy_s_directory if {
	m := fixtures.bind("bind", "rw", "/tmp/tmp.x", {})
	proxy := {"command": false, "socket": "/tmp/tmp.x/socket", "directory": "/tmp/tmp.x", "filter": true, "names": []}
	rule.findings == set() with input as object.union(fixtures.mounts([m]), {"jail": {"bus_proxies": [proxy]}})
	shared := object.union(proxy, {"directory": ""})
	count(rule.findings) == 1 with input as object.union(fixtures.mounts([m]), {"jail": {"bus_proxies": [shared]}})
}

# What a manifest leaves open is judged when the jail starts, whatever its name.
test_undecided if {
	m := fixtures.bind("bind", "rw", "/undecided/$X", {})
	count(rule.findings) == 1 with input as fixtures.mounts([m])
	rule.findings == set() with input as object.union(fixtures.mounts([m]), {"phase": "lint"})
	decided := fixtures.mounts([fixtures.bind("bind", "rw", "/srv", {})])
	count(rule.findings) == 1 with input as object.union(decided, {"phase": "lint"})
}
