package ocjail.rules.fs.home_exposed_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.home_exposed as rule

test_violating[note] if {
	some note, m in {
		"writable": fixtures.bind("bind", "rw", "/home/u", {"covers": ["home", "project"]}),
		"read-only": fixtures.bind("ro-bind", "ro", "/home/u", {"covers": ["home", "project"]}),
		"under another name": fixtures.bind("ro-bind", "ro", "/home/u", {"dest": "/mnt", "covers": ["home"]}),
		"its parent": fixtures.bind("ro-bind", "ro", "/home", {"covers": ["home-parent", "home"]}),
		"only its parent is told": fixtures.bind("ro-bind", "ro", "/home", {"covers": ["home-parent"]}),
	}
	some f in rule.findings with input as fixtures.mounts([m])
	f.subject.index == 0
}

test_masks_of_children_do_not_help if {
	list := [
		fixtures.bind("bind", "rw", "/home/u", {"covers": ["home"]}),
		fixtures.bind("tmpfs", "scratch", "/home/u/.ssh", {"source": "", "source_real": ""}),
	]
	count(rule.findings) == 1 with input as fixtures.mounts(list)
}

test_clean if {
	rule.findings == set() with input as fixtures.mounts(fixtures.default_mounts)
}

test_near_miss if {
	list := [
		fixtures.bind("bind", "rw", "/home/u/p", {"covers": ["project"]}),
		fixtures.bind("bind", "rw", "/home/u", {"covers": ["home"], "shadowed_by": 2}),
		fixtures.bind("ro-bind", "ro", "/", {"covers": ["root", "home-parent", "home"]}),
	]
	rule.findings == set() with input as fixtures.mounts(list)
}
