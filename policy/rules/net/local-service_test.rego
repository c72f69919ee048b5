package ocjail.rules.net.local_service_test

import data.ocjail.fixtures
import data.ocjail.rules.net.local_service as rule

found(net, ports) := v if {
	doc := object.union(fixtures.jail({"namespaces": {"net": net}}), {"host": object.union(fixtures.clean.host, {"listening": ports})})
	v := fixtures.brief(rule.findings) with input as doc
}

test_violating if found("shared", [22, 2375, 4096]) == {["error", "2375"], ["error", "4096"]}

test_clean if found("shared", [22, 443, 8080]) == set()

test_near_miss[note] if {
	some note, tc in {
		"a network of its own": ["unshared", [2375]],
		"nobody could tell": ["shared", null],
		"nothing listens": ["shared", []],
	}
	found(tc[0], tc[1]) == set()
}

test_tolerated if {
	doc := object.union(fixtures.jail({"namespaces": {"net": "shared"}}), {"host": object.union(fixtures.clean.host, {"listening": [2375, 4096]})})
	told := fixtures.told(doc, "net/local-service", {"tolerated": [80, 4096]})
	fixtures.brief(rule.findings) == {["error", "2375"]} with input as told
}
