package ocjail.rules.exec.other_repository_writable_test

import data.ocjail.fixtures
import data.ocjail.rules.exec.other_repository_writable as rule

remedies(path, repositories, more) := v if {
	mount := fixtures.bind("bind", "rw", path, object.union({"repositories": repositories}, more))
	v := {f.subject.path: f.remedy | some f in rule.findings} with input as fixtures.mounts([mount])
}

test_violating if {
	remedies("/home/u/lib", ["/home/u/lib"], {}) == {"/home/u/lib": {"text": "bind it read-only", "options": ["--ro-bind", "/home/u/lib", "/home/u/lib"]}}
}

test_in_a_folder if {
	remedies("/home/u/src", ["/home/u/src/a", "/home/u/src/b"], {}) == {
		"/home/u/src/a": "do not bind /home/u/src, which holds it, or bind it read-only",
		"/home/u/src/b": "do not bind /home/u/src, which holds it, or bind it read-only",
	}
}

test_clean if remedies("/home/u/lib", [], {}) == {}

test_near_miss if remedies("/home/u/lib", ["/home/u/lib"], {"access": "ro"}) == {}
