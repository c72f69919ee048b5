package ocjail.rules.agent.shared_data_test

import data.ocjail.fixtures
import data.ocjail.rules.agent.shared_data as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.watched(list)
}

snapshots(access, more) := fixtures.watch("host-executed", access, "/home/u/.local/share/opencode/snapshot", object.union({"type": "dir"}, more))

path := "/home/u/.local/share/opencode/snapshot"

test_violating if found([snapshots("rw", {})]) == {["error", path]}

test_reading_is_enough if found([snapshots("ro", {})]) == {["error", path]}

test_remedy_names_the_folder if {
	some f in rule.findings with input as fixtures.watched([snapshots("rw", {})])
	f.remedy == "bind a folder of this project's own at /home/u/.local/share/opencode"
}

test_clean if found([snapshots("none", {})]) == set()

test_near_miss if {
	found([
		snapshots("rw", {"exists": false}),
		fixtures.watch("host-executed", "rw", "/home/u/.local/share/opencode/bin", {}),
	]) == set()
}
