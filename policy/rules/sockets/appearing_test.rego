package ocjail.rules.sockets.appearing_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.appearing as rule

socket(access, path, more) := fixtures.watch("socket", access, path, object.union({"exists": false, "type": "", "via": 0, "how": "appear"}, more))

jail(list) := object.union(fixtures.mounts([fixtures.bind("ro-bind", "ro", "/run", {}), fixtures.bind("bind", "rw", "/x", {})]), {"watched": list})

messages(list) := v if {
	v := {f.subject.index: f.message | some f in rule.findings} with input as jail(list)
}

test_violating if {
	messages([socket("ro", "/run/podman/podman.sock", {}), socket("ro", "/run/docker.sock", {}), socket("rw", "/x/y.sock", {"via": 1, "how": "create"})]) == {
		0: "services that are not running yet can be connected to once they make their sockets, through --ro-bind /run /run: /run/docker.sock, /run/podman/podman.sock",
		1: "services that are not running yet can be connected to once they make their sockets, through --bind /x /x: /x/y.sock",
	}
}

test_broad if {
	doc := object.union(
		fixtures.mounts([fixtures.bind("ro-bind", "ro", "/", {"covers": ["root", "project"]}), fixtures.bind("bind", "rw", "/x", {"covers": ["project"]})]),
		{"watched": [socket("ro", "/run/docker.sock", {}), socket("rw", "/x/y.sock", {"via": 1})]},
	)
	v := {f.subject.index | some f in rule.findings} with input as doc
	v == {1}
}

test_unknown_way if {
	v := {[f.subject.kind, f.subject.name, f.remedy] | some f in rule.findings} with input as jail([socket("ro", "/run/docker.sock", {"via": null})])
	v == {["socket", "/run/docker.sock", "drop the mount of the folder that they are made in"]}
}

test_remedy if {
	v := {f.remedy | some f in rule.findings} with input as jail([socket("ro", "/run/docker.sock", {})])
	v == {"bind what is needed below /run"}
}

test_clean if messages([socket("none", "/run/docker.sock", {"via": null})]) == {}

test_near_miss[note] if {
	some note, w in {
		"it is there, which another rule reports": socket("ro", "/run/docker.sock", {"exists": true, "how": "mount"}),
		"of the screen": socket("ro", "/run/user/1000/wayland-0", {}),
		"of X11": socket("ro", "/tmp/.X11-unix", {}),
		"of the Nix daemon": socket("ro", "/nix/var/nix/daemon-socket", {}),
		"no socket": fixtures.watch("secret", "rw", "/run/secrets", {"exists": false, "how": "create"}),
	}
	messages([w]) == {}
}
