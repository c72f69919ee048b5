package ocjail.rules.env.path_writable_test

import data.ocjail.fixtures
import data.ocjail.rules.env.path_writable as rule

jail(list, name, value) := object.union(
	fixtures.mounts(list),
	{"jail": {"env": {"cleared": true, "set": [{"name": name, "source": "set", "shape": "other", "value": value}]}}},
)

messages(list, value) := v if {
	v := {f.message | some f in rule.findings} with input as jail(list, "PATH", value)
}

project := fixtures.bind("bind", "rw", "/home/u/p", {})

test_violating if {
	messages([project], "/home/u/p/bin:/usr/bin:/home/u/p/.venv/bin") == {"what the jail writes into /home/u/p/.venv/bin, /home/u/p/bin stays, and is run by name in the next session"}
}

test_subject if {
	v := fixtures.brief(rule.findings) with input as jail([project], "PATH", "/home/u/p")
	v == {["error", "PATH"]}
}

test_clean if messages([project], "/usr/bin:/bin") == set()

test_near_miss[note] if {
	some note, list in {
		"read-only within": [project, fixtures.bind("ro-bind", "ro", "/home/u/p/bin", {})],
		"gone with the session": [project, fixtures.bind("tmpfs", "scratch", "", {"dest": "/home/u/p"})],
		"beside it": [fixtures.bind("bind", "rw", "/home/u/p/bin2", {})],
	}
	messages(list, "/home/u/p/bin") == set()
}

test_absent_mount if {
	messages([project, fixtures.bind("ro-bind-try", "none", "/home/u/p/bin", {})], "/home/u/p/bin") != set()
}

test_other_variable if {
	v := fixtures.brief(rule.findings) with input as jail([project], "TMPDIR", "/home/u/p")
	v == set()
}
