package ocjail.rules.caps.nested_namespaces_test

import data.ocjail.fixtures
import data.ocjail.rules.caps.nested_namespaces as rule

found(doc) := v if {
	v := fixtures.brief(rule.findings) with input as doc
}

test_violating if found(fixtures.clean) == {["error", "user"]}

test_nobody_can_tell if found(fixtures.with_host(fixtures.clean, {"user_namespaces": null})) == {["error", "user"]}

test_clean if found(fixtures.jail({"disable_userns": true})) == set()

test_near_miss if found(fixtures.with_host(fixtures.clean, {"user_namespaces": false})) == set()
