package ocjail.rules.fs.proc_exposed_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.proc_exposed as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.mounts(list)
}

test_violating if {
	found([
		fixtures.bind("ro-bind", "ro", "/proc", {"dest": "/host/proc"}),
		fixtures.bind("bind", "rw", "/proc/sys", {}),
		fixtures.bind("ro-bind", "ro", "/proc/1", {}),
	]) == {["error", "/proc"], ["error", "/proc/sys"], ["error", "/proc/1"]}
}

test_clean if found(fixtures.default_mounts) == set()

test_near_miss[note] if {
	some note, m in {
		"a single file": fixtures.bind("ro-bind", "ro", "/proc/cpuinfo", {"type": "file"}),
		"hidden": fixtures.bind("ro-bind", "ro", "/proc", {"shadowed_by": 3}),
		"another folder": fixtures.bind("ro-bind", "ro", "/process", {}),
		"the jail's own": fixtures.bind("proc", "proc", "/proc", {}),
	}
	found([m]) == set()
}
