package ocjail.rules.net.abstract_sockets_test

import data.ocjail.fixtures
import data.ocjail.rules.net.abstract_sockets as rule

jail(net, abi) := fixtures.with_host(fixtures.jail({"namespaces": {"net": net}}), {"landlock": abi})

found(net, abi) := v if {
	v := fixtures.brief(rule.findings) with input as jail(net, abi)
}

test_violating if found("shared", 5) == {["error", "net"]}

test_no_landlock if found("try", 0) == {["error", "net"]}

test_clean if found("shared", 6) == set()

test_near_miss[note] if {
	some note, tc in {
		"a network of its own": ["unshared", 0],
		"nobody could tell": ["shared", null],
	}
	found(tc[0], tc[1]) == set()
}
