package ocjail.rules.fs.propagation_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.propagation as rule

shared(op, access, path, more) := fixtures.bind(op, access, path, object.union({"propagates": true}, more))

found(m) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.mounts([m])
}

test_read_only_becomes_writable if {
	every path in ["/", "/mnt", "/media", "/media/u", "/run", "/run/media/u", "/run/user/1000", "/home", "/home/u", "/srv", "/var"] {
		found(shared("ro-bind", "ro", path, {})) == {["error", path]}
	}
}

test_writable if {
	found(shared("bind", "rw", "/mnt", {})) == {["warning", "/mnt"]}
}

# Debian with systemd shares "/", and so all below it: its default jail must start without a word.
test_clean if {
	all := array.concat(
		[object.union(m, {"propagates": m.type == "dir"}) | some m in fixtures.default_mounts],
		[shared("ro-bind", "ro", path, {}) | some path in ["/etc/ssl", "/usr/local", "/lib64", "/nix/store"]],
	)
	rule.findings == set() with input as fixtures.mounts(all)
}

test_near_miss[note] if {
	some note, m in {
		"private": fixtures.bind("ro-bind", "ro", "/mnt", {}),
		"one disk": shared("ro-bind", "ro", "/mnt/data", {}),
		"one stick": shared("ro-bind", "ro", "/media/u/stick", {}),
		"the project": shared("bind", "rw", "/home/u/p", {}),
		"a name that begins alike": shared("ro-bind", "ro", "/mnt2", {}),
		"hidden": shared("ro-bind", "ro", "/mnt", {"shadowed_by": 1}),
		"a pin of ocjail's": shared("bind", "rw", "/mnt", {"hardening": true}),
		"not there": shared("ro-bind-try", "none", "/mnt", {"exists": false}),
	}
	found(m) == set()
}
