package ocjail.rules.agent.settings_from_environment_test

import data.ocjail.fixtures
import data.ocjail.rules.agent.settings_from_environment as rule

jail(list) := fixtures.jail({"env": {"cleared": true, "set": [{"name": name, "source": "set", "shape": shape} | some name, shape in list]}})

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as jail(list)
}

test_violating if {
	found({"OPENCODE_PERMISSION": "other", "OPENCODE_CONFIG": "path", "LANG": "other"}) == {["error", "OPENCODE_CONFIG, OPENCODE_PERMISSION"]}
}

test_clean if found({"OPENCODE_DISABLE_AUTOUPDATE": "other"}) == set()

test_near_miss if found({"OPENCODE_PERMISSION": "empty"}) == set()

test_no_agent if {
	doc := object.union(jail({"OPENCODE_PERMISSION": "other"}), {"agent": {"runs": false}})
	fixtures.brief(rule.findings) == set() with input as doc
}
