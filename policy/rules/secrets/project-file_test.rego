package ocjail.rules.secrets.project_file_test

import data.ocjail.fixtures
import data.ocjail.rules.secrets.project_file as rule

file(path, access, more) := fixtures.watch("host-executed", access, path, more)

found(list) := v if {
	v := {f.subject.path: f.remedy.options | some f in rule.findings} with input as fixtures.watched(list)
}

test_violating if {
	found([file("/home/u/p/.env", "rw", {"inside": "/w/.env"})]) == {"/home/u/p/.env": ["--ro-bind", "/dev/null", "/w/.env"]}
}

test_clean if found([file("/home/u/p/.env", "none", {"inside": ""})]) == {}

test_near_miss[note] if {
	some note, w in {
		"absent": file("/home/u/p/.env", "rw", {"exists": false}),
		"another file": file("/home/u/p/.envrc", "rw", {}),
		"of another folder": file("/home/u/.env", "rw", {}),
		"under no name": file("/home/u/p/.env", "ro", {"inside": ""}),
	}
	found([w]) == {}
}

test_no_project if {
	doc := fixtures.with_host(fixtures.watched([file("/.env", "rw", {})]), {"project_root": ""})
	v := {f.subject.path | some f in rule.findings} with input as doc
	v == set()
}
