package ocjail.rules.fs.root_exposed_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.root_exposed as rule

everything := ["root", "home-parent", "home", "project"]

test_violating if {
	list := [
		fixtures.bind("bind", "rw", "/", {"covers": everything}),
		fixtures.bind("ro-bind", "ro", "/", {"covers": everything, "dest": "/host"}),
		fixtures.bind("dev-bind", "dev", "/", {"covers": everything, "dest": "/h2"}),
	]
	found := rule.findings with input as fixtures.mounts(list)
	{f.subject.index | some f in found} == {0, 1, 2}
}

test_masks_do_not_help if {
	list := [
		fixtures.bind("ro-bind", "ro", "/", {"covers": everything}),
		fixtures.bind("tmpfs", "scratch", "/home", {"source": "", "source_real": ""}),
	]
	count(rule.findings) == 1 with input as fixtures.mounts(list)
}

test_clean if {
	rule.findings == set() with input as fixtures.mounts(fixtures.default_mounts)
}

test_near_miss if {
	list := [
		fixtures.bind("ro-bind", "ro", "/home", {"covers": ["home-parent", "home", "project"]}),
		fixtures.bind("ro-bind", "ro", "/", {"covers": everything, "shadowed_by": 2}),
	]
	rule.findings == set() with input as fixtures.mounts(list)
}
