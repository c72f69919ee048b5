package ocjail.rules.secrets.in_environment_test

import data.ocjail.fixtures
import data.ocjail.rules.secrets.in_environment as rule

jail(list) := fixtures.jail({"env": {"cleared": true, "set": list}})

variable(name, source, shape) := {"name": name, "source": source, "shape": shape}

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as jail(list)
}

test_violating if {
	found([variable("X", "set", "secret"), variable("github_token", "set", "other"), variable("LANG", "set", "other")]) == {["error", "X, github_token"]}
}

test_clean if found([variable("LANG", "set", "other"), variable("HOME", "set", "path")]) == set()

test_near_miss[note] if {
	some note, v in {
		"inherited, which another rule reports": variable("X", "inherited", "secret"),
		"empty": variable("GITHUB_TOKEN", "set", "empty"),
	}
	found([v]) == set()
}

test_expected if {
	doc := jail([variable("ANTHROPIC_API_KEY", "set", "secret"), variable("GITHUB_TOKEN", "set", "secret")])
	told := fixtures.told(doc, "secrets/in-environment", {"expected": ["ANTHROPIC_API_KEY"]})
	fixtures.brief(rule.findings) == {["error", "GITHUB_TOKEN"]} with input as told
}
