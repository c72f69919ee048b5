package ocjail.rules.sockets.display_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.display

found(list) := v if {
	v := fixtures.brief(display.findings) with input as fixtures.watched(list)
}

socket(access, path) := fixtures.watch("socket", access, path, {"type": "socket"})

test_violating if {
	found([
		socket("ro", "/run/user/1000/wayland-0"),
		socket("rw", "/run/user/1000/pulse/native"),
	]) == {["error", "/run/user/1000/wayland-0"], ["error", "/run/user/1000/pulse/native"]}
}

test_clean if count(found([socket("none", "/run/user/1000/wayland-0")])) == 0

# X11 lets a client type keys into other windows, a manager rewires others' streams.
test_near_miss if {
	count(found([
		socket("ro", "/tmp/.X11-unix"),
		socket("ro", "/run/user/1000/pipewire-0-manager"),
		socket("ro", "/run/user/1001/wayland-0"),
	])) == 0
}
