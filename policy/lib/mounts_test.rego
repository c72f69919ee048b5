package ocjail.lib.mounts_test

import data.ocjail.fixtures
import data.ocjail.lib.mounts

test_shown_and_writable if {
	list := [
		fixtures.bind("bind", "rw", "/a", {}),
		fixtures.bind("ro-bind", "ro", "/b", {}),
		fixtures.bind("dev-bind", "dev", "/c", {}),
		fixtures.bind("bind", "rw", "/hidden", {"shadowed_by": 4}),
		fixtures.bind("tmpfs", "scratch", "", {}),
		fixtures.bind("bind-try", "none", "/absent", {"exists": false}),
		fixtures.bind("bind", "rw", "/unsure", {"exists": false, "certain": false}),
		fixtures.bind("bind", "rw", "/gone", {"exists": false}),
		fixtures.bind("later", "word-of-a-later-version", "/d", {}),
		fixtures.bind("bind-try", "none", "/absent", {"exists": false, "certain": false}),
		fixtures.bind("tmp-overlay", "scratch", "/in-memory", {}),
		fixtures.bind("later", "proc", "/proc", {}),
	]
	mounts.shown == {0, 1, 2, 6, 8, 10, 11} with input as fixtures.mounts(list)
	mounts.writable == {0, 2, 6, 8} with input as fixtures.mounts(list)
}

test_parts if {
	list := [
		fixtures.bind("ro-bind", "ro", "/home/u/.ssh/id", {}),
		fixtures.bind("ro-bind", "ro", "/home/u/.ssh2/id", {}),
		fixtures.bind("ro-bind", "ro", "/home/u/.ssh/known_hosts", {}),
		fixtures.bind("ro-bind", "ro", "/home/u/.ssh/hidden", {"shadowed_by": 4}),
	]
	w := fixtures.watch("secret", "ro", "/home/u/.ssh", {"how": "below"})
	mounts.parts(w) == {0, 2} with input as fixtures.mounts(list)
	mounts.parts(object.union(w, {"how": "mount"})) == set() with input as fixtures.mounts(list)
}

list := [
	fixtures.bind("ro-bind", "ro", "/var", {"dest": "/host"}),
	fixtures.bind("ro-bind", "ro", "/var/log", {}),
	fixtures.bind("ro-bind", "ro", "/", {"dest": "/root"}),
]

test_showing if mounts.showing("/var/log") == {0, 1} with input as fixtures.mounts(list)

test_showing_hidden[note] if {
	some note, tc in {
		"by what lies there": [fixtures.bind("tmpfs", "scratch", "", {"dest": "/host/log"}), {1}],
		"by what lies above": [fixtures.bind("tmpfs", "scratch", "", {"dest": "/host"}), {1}],
		"in part": [fixtures.bind("tmpfs", "scratch", "", {"dest": "/host/log/x"}), {0, 1}],
		"not, by an absent one": [fixtures.bind("ro-bind-try", "none", "/x", {"dest": "/host/log"}), {0, 1}],
	}
	mounts.showing("/var/log") == tc[1] with input as fixtures.mounts(array.concat(list, [tc[0]]))
}

test_showing_not_shown if {
	hidden := fixtures.bind("ro-bind", "ro", "/var", {"shadowed_by": 1})
	mounts.showing("/var/log") == set() with input as fixtures.mounts([hidden])
}

test_inside if mounts.inside(0, "/var/log") == "/host/log" with input as fixtures.mounts(list)
