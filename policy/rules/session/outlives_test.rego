package ocjail.rules.session.outlives_test

import data.ocjail.fixtures
import data.ocjail.rules.session.outlives as rule

with_pid(word) := fixtures.jail({"namespaces": {"pid": word}})

test_violating if {
	every word in ["shared", "try", "a word of a later version"] {
		fixtures.brief(rule.findings) == {["error", "pid"]} with input as with_pid(word)
	}
}

test_nobody_told if {
	fixtures.brief(rule.findings) == {["error", "pid"]} with input as json.remove(fixtures.clean, ["jail/namespaces/pid"])
}

test_clean if {
	rule.findings == set() with input as fixtures.clean
}

# Other namespaces are other rules' business.
test_near_miss if {
	rule.findings == set() with input as fixtures.jail({"namespaces": {"net": "shared", "ipc": "shared"}})
}
