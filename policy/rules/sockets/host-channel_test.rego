package ocjail.rules.sockets.host_channel_test

import data.ocjail.fixtures
import data.ocjail.rules.sockets.host_channel as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.mounts(list)
}

pipe(more) := fixtures.bind("ro-bind", "ro", "/tmp/c/fifo", object.union({"type": "fifo", "dest": "/run/c"}, more))

test_violating if found([pipe({})]) == {["error", "/tmp/c/fifo"]}

test_clean if found(fixtures.default_mounts) == set()

test_near_miss if found([pipe({"shadowed_by": 1}), pipe({"type": "file"})]) == set()
