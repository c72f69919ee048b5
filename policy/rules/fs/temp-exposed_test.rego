package ocjail.rules.fs.temp_exposed_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.temp_exposed as rule

remedies(list) := v if {
	v := {f.subject.path: f.remedy.options | some f in rule.findings} with input as fixtures.mounts(list)
}

test_violating if remedies([fixtures.bind("ro-bind", "ro", "/tmp", {"dest": "/host"})]) == {"/tmp": ["--tmpfs", "/host"]}

test_shared_memory if remedies([fixtures.bind("ro-bind", "ro", "/dev/shm", {})]) == {"/dev/shm": ["--tmpfs", "/dev/shm"]}

test_above if remedies([fixtures.bind("ro-bind", "ro", "/var", {})]) == {"/var": ["--tmpfs", "/var/tmp"]}

test_clean if remedies([fixtures.bind("tmpfs", "scratch", "", {"dest": "/tmp"})]) == {}

test_near_miss[note] if {
	some note, list in {
		"one file": [fixtures.bind("ro-bind", "ro", "/tmp/x", {})],
		"writable, which another rule reports": [fixtures.bind("bind", "rw", "/tmp", {})],
		"hidden": [fixtures.bind("ro-bind", "ro", "/var", {}), fixtures.bind("tmpfs", "scratch", "", {"dest": "/var/tmp"})],
	}
	remedies(list) == {}
}
