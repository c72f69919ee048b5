package ocjail.rules.secrets.logs_readable_test

import data.ocjail.fixtures
import data.ocjail.rules.secrets.logs_readable as rule

found(list) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.mounts(list)
}

test_violating if found([fixtures.bind("ro-bind", "ro", "/var/log", {})]) == {["error", "/var/log"]}

test_journal_alone if found([fixtures.bind("ro-bind", "ro", "/var/log/journal", {})]) == {["error", "/var/log/journal"]}

test_all_of_var if {
	found([fixtures.bind("ro-bind", "ro", "/var", {})]) == {["error", "/var/crash"], ["error", "/var/lib/systemd/coredump"], ["error", "/var/log"]}
}

test_dumps_alone[dir] if {
	some dir in ["/var/lib/systemd/coredump", "/var/lib/systemd", "/var/lib"]
	found([fixtures.bind("ro-bind", "ro", dir, {})]) == {["error", "/var/lib/systemd/coredump"]}
}

test_remedy if {
	v := {f.remedy.options | some f in rule.findings} with input as fixtures.mounts([fixtures.bind("ro-bind", "ro", "/run/log", {"dest": "/l"})])
	v == {["--tmpfs", "/l"]}
}

test_clean if found([fixtures.bind("ro-bind", "ro", "/var/lib/dpkg", {})]) == set()

test_near_miss if {
	found([
		fixtures.bind("ro-bind", "ro", "/var/log/app.log", {}),
		fixtures.bind("ro-bind", "ro", "/run", {}),
		fixtures.bind("tmpfs", "scratch", "", {"dest": "/run"}),
	]) == set()
}
