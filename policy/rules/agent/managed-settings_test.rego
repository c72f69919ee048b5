package ocjail.rules.agent.managed_settings_test

import data.ocjail.fixtures
import data.ocjail.rules.agent.managed_settings as rule

found(agent) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.clean, {"agent": agent})
}

test_violating if found({"managed": [{"path": "/etc/opencode", "shown": false}]}) == {["error", "/etc/opencode"]}

test_clean if found({"managed": [{"path": "/etc/opencode", "shown": true}]}) == set()

test_near_miss if found({"runs": false, "managed": [{"path": "/etc/opencode", "shown": false}]}) == set()
