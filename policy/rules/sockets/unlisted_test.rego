package ocjail.rules.sockets.unlisted_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.unlisted as rule

found(mounts, watched) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.mounts(mounts), {"watched": watched})
}

socket(path) := fixtures.bind("ro-bind", "ro", path, {"type": "socket"})

test_violating if {
	found([socket("/run/user/1000/proxy/bus")], []) == {["error", "/run/user/1000/proxy/bus"]}
}

# The folder is on the list, whose rule names it.
test_part_of_a_directory_of_sockets if {
	w := fixtures.watch("socket", "ro", "/tmp/.X11-unix", {"how": "below", "type": "dir"})
	found([socket("/tmp/.X11-unix/X0")], [w]) == set()
	found([socket("/tmp/.X11-unix2/X0")], [w]) == {["error", "/tmp/.X11-unix2/X0"]}
}

test_clean if found(fixtures.default_mounts, []) == set()

test_near_miss[note] if {
	some note, tc in {
		"another rule's": [[socket("/run/docker.sock")], [fixtures.watch("socket", "ro", "/run/docker.sock", {"type": "socket"})]],
		"name service": [[socket("/run/nscd/socket")], []],
		"hidden": [[object.union(socket("/run/x"), {"shadowed_by": 1})], []],
		"a folder": [[fixtures.bind("ro-bind", "ro", "/run/x", {})], []],
	}
	found(tc[0], tc[1]) == set()
}

test_socket_of_the_trusted_proxy if {
	proxy := {"command": false, "socket": "/tmp/tmp.x/socket", "directory": "/tmp/tmp.x", "filter": true, "names": []}
	doc := object.union(fixtures.mounts([socket("/tmp/tmp.x/socket"), socket("/tmp/other")]), {"jail": {"bus_proxies": [proxy]}})
	found := fixtures.brief(rule.findings) with input as doc
	found == {["error", "/tmp/other"]}
}
