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
