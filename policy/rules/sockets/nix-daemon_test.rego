package ocjail.rules.sockets.nix_daemon_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.nix_daemon as rule

found(list, trusted) := v if {
	doc := fixtures.with_host(fixtures.watched(list), {"nix_trusted": trusted})
	v := fixtures.brief(rule.findings) with input as doc
}

daemon(access) := [fixtures.watch("socket", access, "/nix/var/nix/daemon-socket", {"type": "dir"})]

path := "/nix/var/nix/daemon-socket"

test_violating if found(daemon("ro"), true) == {["error", path]}

test_nobody_can_tell if found(daemon("ro"), null) == {["error", path]}

test_a_user_who_is_not_trusted if found(daemon("rw"), false) == {["warning", path]}

test_says_whom_it_trusts if {
	doc := fixtures.with_host(fixtures.watched(daemon("ro")), {"nix_trusted": true})
	some f in rule.findings with input as doc
	contains(f.message, "which trusts u:")
}

test_says_that_nobody_knows if {
	doc := fixtures.with_host(fixtures.watched(daemon("ro")), {"nix_trusted": null})
	some f in rule.findings with input as doc
	contains(f.message, "which trusts perhaps this user:")
}

test_clean if found(daemon("none"), null) == set()

test_near_miss if found([fixtures.watch("socket", "ro", "/nix/var/nix/daemon-socket2", {})], true) == set()
