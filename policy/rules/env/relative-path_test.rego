package ocjail.rules.env.relative_path_test

import data.ocjail.fixtures
import data.ocjail.rules.env.relative_path as rule

messages(name, value) := v if {
	doc := fixtures.jail({"env": {"cleared": true, "set": [{"name": name, "source": "set", "shape": "other", "value": value}]}})
	v := {f.message | some f in rule.findings} with input as doc
}

test_violating if {
	messages("PATH", "/usr/bin:.:bin:") == {"PATH has an empty entry, the entry ., the entry bin, so programs of the working directory are run in place of the system's"}
}

test_empty if count(messages("PATH", "")) == 1

test_clean if messages("PATH", "/usr/bin:/bin") == set()

test_near_miss if messages("TMPDIR", "tmp") == set()

test_subject if {
	v := fixtures.brief(rule.findings) with input as fixtures.jail({"env": {"cleared": true, "set": [{"name": "PATH", "source": "set", "shape": "other", "value": "."}]}})
	v == {["error", "PATH"]}
}
