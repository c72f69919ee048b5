package ocjail.lib.findings_test

import data.ocjail.fixtures
import data.ocjail.lib.findings

test_new_has_the_engine_s_keys if {
	object.keys(findings.new("m", {"kind": "session"}, "r")) == {"message", "subject", "remedy"}
}

test_lowered if findings.lowered("info", findings.new("m", {"kind": "session"}, "r")).severity == "info"

test_mount_has_its_real_path if {
	m := fixtures.bind("bind", "rw", "/real", {"source": "~/link"})
	findings.mount(0) == {"kind": "mount", "path": "/real", "index": 0} with input as fixtures.mounts([m])
}

test_mount_without_a_real_path if {
	m := fixtures.bind("bind", "rw", "", {"source": "~/x"})
	findings.mount(0).path == "~/x" with input as fixtures.mounts([m])
}

test_watched_without_a_mount_has_no_index if {
	w := fixtures.watch("secret", "ro", "/k", {"via": null})
	findings.watched("path", w) == {"kind": "path", "path": "/k"}
	findings.through(w) == "by a way that is not known"
}

test_through_names_the_way_and_the_mount if {
	w := fixtures.watch("secret", "ro", "/k", {"how": "alias"})
	text := findings.through(w) with input as fixtures.mounts([fixtures.bind("ro-bind", "ro", "/a", {"dest": "/b"})])
	text == "under another name, through --ro-bind /a /b"
}

test_through_an_unknown_way if {
	w := fixtures.watch("secret", "ro", "/k", {"how": "teleport"})
	text := findings.through(w) with input as fixtures.mounts([fixtures.bind("ro-bind", "ro", "/a", {"dest": "/b"})])
	text == "through --ro-bind /a /b"
}

# A message that cannot be put together must not swallow the finding.
test_through_a_mount_that_is_not_listed if {
	findings.through(fixtures.watch("secret", "ro", "/k", {"via": 7})) == "through a mount that is not listed" with input as fixtures.clean
}

test_through_each_way if {
	every how, phrase in {
		"mount": "through --",
		"create": "by creating it through --",
		"rename": "by renaming a directory above it, through --",
		"alias": "under another name, through --",
		"below": "in part, through --",
		"copy": "as a copy, through --",
	} {
		w := fixtures.watch("secret", "ro", "/k", {"how": how})
		text := findings.through(w) with input as fixtures.mounts([fixtures.bind("ro-bind", "ro", "/a", {})])
		startswith(text, phrase)
	}
}

test_watched_through_a_mount_has_its_index if {
	findings.watched("path", fixtures.watch("secret", "ro", "/k", {"via": 3})) == {"kind": "path", "path": "/k", "index": 3}
}

test_words_of_a_mount_without_a_source if {
	text := findings.words(0) with input as fixtures.mounts([fixtures.bind("tmpfs", "scratch", "", {"dest": "/tmp"})])
	text == "--tmpfs /tmp"
}
