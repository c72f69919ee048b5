package ocjail.rules.net.abstract_sockets_test

import data.ocjail.fixtures
import data.ocjail.rules.net.abstract_sockets as rule

jail(net, abi, setuid) := fixtures.with_host(
	fixtures.jail({"namespaces": {"net": net}}),
	{"landlock": abi, "bwrap": {"path": "/usr/bin/bwrap", "setuid": setuid}},
)

found(net, abi, setuid) := v if {
	v := fixtures.brief(rule.findings) with input as jail(net, abi, setuid)
}

test_violating if found("shared", 5, false) == {["error", "net"]}

test_no_landlock if found("try", 0, false) == {["error", "net"]}

test_setuid if found("shared", 7, true) == {["error", "net"]}

test_clean if found("shared", 6, false) == set()

test_near_miss[note] if {
	some note, tc in {
		"a network of its own": ["unshared", 0, true],
		"nobody could tell": ["shared", null, null],
	}
	found(tc[0], tc[1], tc[2]) == set()
}
