package ocjail.rules.host.setuid_bwrap_test

import data.ocjail.fixtures
import data.ocjail.rules.host.setuid_bwrap as rule

found(bwrap) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.with_host(fixtures.clean, {"bwrap": bwrap})
}

test_violating if found({"path": "/usr/bin/bwrap", "setuid": true}) == {["error", "/usr/bin/bwrap"]}

test_clean if found({"path": "/usr/bin/bwrap", "setuid": false}) == set()

test_near_miss if found({"path": "", "setuid": null}) == set()
