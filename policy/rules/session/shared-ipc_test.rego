package ocjail.rules.session.shared_ipc_test

import data.ocjail.fixtures
import data.ocjail.rules.session.shared_ipc as rule

found(namespaces) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.jail({"namespaces": namespaces})
}

test_violating if found({"ipc": "shared"}) == {["error", "ipc"]}

test_what_is_not_said_is_shared if {
	doc := json.remove(fixtures.clean, ["/jail/namespaces/ipc"])
	count(rule.findings) == 1 with input as doc
}

test_clean if found({"ipc": "unshared"}) == set()

test_near_miss if found({"ipc": "unshared", "net": "shared"}) == set()
