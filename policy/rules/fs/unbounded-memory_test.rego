package ocjail.rules.fs.unbounded_memory_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.unbounded_memory as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.mounts(list)
}

tmpfs(dest, more) := fixtures.bind("tmpfs", "scratch", "", object.union({"dest": dest}, more))

test_violating if {
	some f in rule.findings with input as fixtures.mounts([tmpfs("/tmp", {}), tmpfs("/home/u", {})])
	contains(f.message, "/home/u, /tmp takes")
}

test_one_finding_for_all if found([tmpfs("/tmp", {}), tmpfs("/home/u", {})]) == {["error", "/home/u, /tmp"]}

test_clean if found([tmpfs("/tmp", {"size": 1048576})]) == set()

test_near_miss if found([tmpfs("/tmp", {"shadowed_by": 1}), fixtures.bind("bind", "rw", "/x", {})]) == set()
