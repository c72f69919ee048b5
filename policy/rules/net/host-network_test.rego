package ocjail.rules.net.host_network_test

import data.ocjail.fixtures
import data.ocjail.rules.net.host_network as rule

found(namespaces) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.clean, {"jail": {"namespaces": namespaces}})
}

test_violating if found({"net": "shared"}) == {["error", "net"]}

test_what_is_not_said_is_shared if {
	doc := json.remove(fixtures.clean, ["/jail/namespaces/net"])
	count(rule.findings) == 1 with input as doc
}

test_clean if found({"net": "unshared"}) == set()

test_near_miss if found({"net": "unshared", "uts": "shared"}) == set()
