package ocjail.rules.net.vsock_test

import data.ocjail.fixtures
import data.ocjail.rules.net.vsock as rule

found(session) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.jail({"session": session})
}

test_violating if found({"vsock_filter": false}) == {["error", "session"]}

test_clean if found({"vsock_filter": true}) == set()

test_near_miss if found({"vsock_filter": true, "tiocsti_filter": false}) == set()
