package ocjail.rules.org.production_test

import data.ocjail.fixtures
import data.ocjail.rules.org.production as rule

jail(name) := fixtures.jail({"env": {"cleared": true, "set": [{"name": name, "source": "set", "shape": "other"}]}})

test_violating if {
	fixtures.brief(rule.findings) == {["error", "DEPLOY_KEY"]} with input as jail("DEPLOY_KEY")
}

test_other_case if {
	fixtures.brief(rule.findings) == {["error", "deploy_key"]} with input as jail("deploy_key")
}

test_clean if {
	rule.findings == set() with input as jail("EDITOR")
}

# Only what a name begins with counts.
test_near_miss if {
	rule.findings == set() with input as jail("MY_DEPLOY_KEY")
}
