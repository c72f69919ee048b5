package ocjail.rules.sockets.privileged_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.privileged as rule

found(mounts, watched) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.mounts(mounts), {"watched": watched})
}

socket(path) := fixtures.bind("ro-bind", "ro", path, {"type": "socket"})

watch(path, more) := fixtures.watch("socket", "ro", path, object.union({"type": "socket"}, more))

test_read_only_bind_does_not_help if {
	path := "/run/docker.sock"
	found([socket(path)], [watch(path, {})]) == {["error", path]}
}

test_parent_directory if {
	found([fixtures.bind("ro-bind", "ro", "/run", {})], [watch("/run/docker.sock", {})]) == {["error", "/run/docker.sock"]}
}

test_part_of_a_directory_of_sockets if {
	found([socket("/tmp/.X11-unix/X0")], [watch("/tmp/.X11-unix", {"how": "below", "type": "dir"})]) == {["error", "/tmp/.X11-unix"]}
}

test_nobody_can_tell if {
	found([socket("/run/docker.sock")], [watch("/run/docker.sock", {"exists": null})]) == {["error", "/run/docker.sock"]}
}

# sockets/display judges these.
test_screen_and_sound_are_no_privilege if {
	path := "/run/user/1000/wayland-0"
	found([socket(path)], [watch(path, {})]) == set()
}

# sockets/nix-daemon judges it.
test_nix_daemon if found([], [watch("/nix/var/nix/daemon-socket", {"type": "dir"})]) == set()

test_clean if {
	found(fixtures.default_mounts, [watch("/run/docker.sock", {"access": "none", "how": "", "via": null})]) == set()
}

test_near_miss[note] if {
	some note, tc in {
		"not running": [[fixtures.bind("ro-bind", "ro", "/run", {})], [watch("/run/docker.sock", {"exists": false})]],
		"on no list": [[socket("/run/user/1000/proxy/bus")], []],
		"hidden": [[object.union(socket("/run/x"), {"shadowed_by": 1})], []],
		"another class": [[fixtures.bind("ro-bind", "ro", "/x", {})], [fixtures.watch("device", "ro", "/x", {})]],
	}
	found(tc[0], tc[1]) == set()
}

# The bus itself is for the proxy alone, whose own socket sockets/bus-names judges.
test_bus_proxy if {
	bus := "/run/user/1000/bus"
	proxy := {"command": true, "socket": "/tmp/tmp.x/socket", "directory": "/tmp/tmp.x", "filter": true, "names": []}
	with_proxy([socket(bus)], [watch(bus, {})], proxy) == set()
	with_proxy([socket("/tmp/tmp.x/socket")], [], proxy) == set()
	with_proxy([socket(bus)], [watch(bus, {})], object.union(proxy, {"command": false})) == {["error", bus]}
	private := "/run/user/1000/systemd/private"
	with_proxy([socket(private)], [watch(private, {})], proxy) == {["error", private]}
}

with_proxy(mounts, watched, proxy) := v if {
	jail := object.union(fixtures.mounts(mounts), {"watched": watched, "jail": {"bus_proxies": [proxy]}})
	v := fixtures.brief(rule.findings) with input as jail
}
