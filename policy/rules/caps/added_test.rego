package ocjail.rules.caps.added_test

import data.ocjail.fixtures
import data.ocjail.rules.caps.added as rule

caps(add, drop_all, uid) := fixtures.with_host(
	fixtures.jail({"capabilities": {"add": add, "drop_all": drop_all}}),
	{"uid": uid},
)

found(doc) := v if {
	v := fixtures.brief(rule.findings) with input as doc
}

test_added if {
	found(caps(["CAP_SYS_ADMIN"], false, 1000)) == {["error", "CAP_SYS_ADMIN"]}
	found(caps(["CAP_NET_RAW"], true, 1000)) == {["error", "CAP_NET_RAW"]}
	found(caps(["ALL"], false, 1000)) == {["error", "ALL"]}
}

test_root_keeps_all if {
	found(caps([], false, 0)) == {["error", "ALL"]}
}

test_lint_without_a_host_is_undecided if {
	doc := fixtures.with_host(caps([], false, 0), {"known": false})
	found(doc) == {["info", "ALL"]}
}

test_clean if {
	found(fixtures.clean) == set()
}

test_near_miss if {
	found(caps([], true, 0)) == set()
	found(caps([], true, 1000)) == set()
	found(fixtures.with_host(caps([], true, 0), {"known": false})) == set()
}
