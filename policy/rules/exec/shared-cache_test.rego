package ocjail.rules.exec.shared_cache_test

import data.ocjail.fixtures
import data.ocjail.rules.exec.shared_cache as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.watched(list)
}

cache(access, more) := fixtures.watch("shared-cache", access, "/home/u/.npm", object.union({"type": "dir"}, more))

test_violating if found([cache("rw", {})]) == {["error", "/home/u/.npm"]}

test_absent_ones_can_be_made if {
	some f in rule.findings with input as fixtures.watched([cache("rw", {"exists": false, "how": "create"})])
	startswith(f.remedy, "do not bind a directory above /home/u/.npm writable")
}

test_remedy_names_the_place_in_the_jail if {
	some f in rule.findings with input as fixtures.watched([cache("rw", {"inside": "/npm"})])
	f.remedy.options == ["--ro-bind", "/home/u/.npm", "/npm"]
}

test_clean if found([cache("ro", {}), cache("none", {})]) == set()

test_near_miss if found([cache("scratch", {}), cache("rw", {"how": "below"})]) == set()
