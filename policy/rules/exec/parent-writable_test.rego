package ocjail.rules.exec.parent_writable_test

import data.ocjail.fixtures
import data.ocjail.rules.exec.parent_writable as rule

found(access, path, more) := v if {
	doc := fixtures.with_host(fixtures.mounts([fixtures.bind("bind", access, path, more)]), {"project_root": "/home/u/src/p"})
	v := fixtures.brief(rule.findings) with input as doc
}

test_violating if found("rw", "/home/u/src", {"covers": ["project"]}) == {["error", "/home/u/src"]}

test_clean if found("rw", "/home/u/src/p", {"covers": ["project"]}) == set()

test_near_miss[note] if {
	some note, tc in {
		"read-only": ["ro", "/home/u/src", {"covers": ["project"]}],
		"another folder": ["rw", "/home/u/other", {}],
		"another name of the project": ["rw", "/mnt/p", {"covers": ["project"]}],
		"the home, which another rule reports": ["rw", "/home/u", {"covers": ["home", "project"]}],
		"of the gate's own": ["rw", "/home/u/src", {"covers": ["project"], "hardening": true}],
		"hidden": ["rw", "/home/u/src", {"covers": ["project"], "shadowed_by": 1}],
	}
	found(tc[0], tc[1], tc[2]) == set()
}
