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

told(list, largest) := v if {
	doc := fixtures.told(fixtures.mounts(list), "fs/unbounded-memory", {"largest": largest})
	v := {f.message | some f in rule.findings} with input as doc
}

test_larger_than_allowed if {
	told([tmpfs("/tmp", {"size": 4097}), tmpfs("/x", {"size": 4096})], 4096) == {"what is written to /tmp takes the machine's memory, up to 4097 bytes; the most that is allowed here is 4096"}
}

test_any_bound_by_default if told([tmpfs("/tmp", {"size": 4097})], 0) == set()

test_hidden_or_none if {
	list := [tmpfs("/tmp", {"size": 4097, "shadowed_by": 1}), fixtures.bind("bind", "rw", "/x", {"size": 4097})]
	told(list, 1) == set()
}
