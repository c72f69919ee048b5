package ocjail.lib.watched_test

import data.ocjail.fixtures
import data.ocjail.lib.watched

list := [
	fixtures.watch("secret", "ro", "/a", {}),
	fixtures.watch("secret", "none", "/b", {}),
	fixtures.watch("secret", "rw", "/c", {"exists": false}),
	fixtures.watch("secret", "dev", "/d", {"exists": null}),
	fixtures.watch("host-executed", "rw", "/e", {"exists": false}),
	fixtures.watch("checker-state", "rw", "/f", {"exists": false}),
]

test_reached if {
	[w.path | some w in watched.reached] == ["/a", "/c", "/d", "/e", "/f"] with input as fixtures.watched(list)
}

test_by_class if {
	[w.path | some w in watched.secrets] == ["/a", "/d"] with input as fixtures.watched(list)
	[w.path | some w in watched.host_executed] == ["/e"] with input as fixtures.watched(list)
	[w.path | some w in watched.checker_state] == ["/f"] with input as fixtures.watched(list)
	watched.sockets == [] with input as fixtures.watched(list)
	watched.devices == [] with input as fixtures.watched(list)
	watched.agent_work == [] with input as fixtures.watched(list)
}
