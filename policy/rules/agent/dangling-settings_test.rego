package ocjail.rules.agent.dangling_settings_test

import data.ocjail.fixtures
import data.ocjail.rules.agent.dangling_settings as rule

found(agent) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.clean, {"agent": agent})
}

link := {"path": "/home/u/.config/opencode/opencode.json", "target": "/home/u/dotfiles/opencode.json"}

test_violating if found({"dangling": [link]}) == {["error", link.path]}

test_clean if found({"dangling": []}) == set()

test_near_miss if found({"runs": false, "dangling": [link]}) == set()
