package ocjail.rules.secrets.credential_readable_test

import data.ocjail.fixtures
import data.ocjail.lib.findings
import data.ocjail.rules.secrets.credential_readable as rule

found(mounts, watched) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.mounts(mounts), {"watched": watched})
}

ro(path) := fixtures.bind("ro-bind", "ro", path, {})

ssh(more) := fixtures.watch("secret", "ro", "/home/u/.ssh", object.union({"type": "dir"}, more))

test_violating[note] if {
	some note, more in {
		"read-only": {},
		"writable": {"access": "rw"},
		"under another name": {"how": "alias"},
		"nobody can tell whether it is there": {"exists": null},
		"an access of a later version": {"access": "wx"},
		"an alias below": {"how": "below"},
		"a copy": {"how": "copy"},
	}
	found([ro("/home/u/other")], [ssh(more)]) == {["error", "/home/u/.ssh"]}
}

test_parts_of_a_directory if {
	mounts := [ro("/home/u/.ssh/id_rsa"), ro("/home/u/.ssh/known_hosts"), ro("/home/u/.ssh/work/id")]
	found(mounts, [ssh({"how": "below"})]) == {["error", "/home/u/.ssh/id_rsa"], ["error", "/home/u/.ssh/work/id"]}
}

test_writable_host_keys if {
	mounts := [fixtures.bind("bind", "rw", "/home/u/.ssh/known_hosts", {})]
	found(mounts, [ssh({"how": "below"})]) == {["error", "/home/u/.ssh/known_hosts"]}
}

test_key_file_of_root if {
	shadow := fixtures.watch("secret", "ro", "/etc/shadow", {})
	doc := object.union(fixtures.mounts([ro("/etc")]), {"watched": [shadow]})
	fixtures.brief(rule.findings) == {["warning", "/etc/shadow"]} with input as doc
	fixtures.brief(rule.findings) == {["error", "/etc/shadow"]} with input as fixtures.with_host(doc, {"uid": 0})
	fixtures.brief(rule.findings) == {["error", "/etc/shadow"]} with input as fixtures.with_host(doc, {"known": false})
}

test_clean if {
	found(fixtures.default_mounts, [ssh({"access": "none", "how": "", "via": null, "inside": ""})]) == set()
}

test_near_miss[note] if {
	some note, tc in {
		"public part only": [[ro("/home/u/.ssh/known_hosts")], [ssh({"how": "below"})]],
		"a copy of the public part": [[fixtures.bind("bind-data", "scratch", "/home/u/.ssh/known_hosts", {"source": ""})], [ssh({"how": "below"})]],
		"not there": [[ro("/home/u/x")], [ssh({"exists": false})]],
	}
	found(tc[0], tc[1]) == set()
}

# Of a folder that only root may read, parts are reported as parts.
test_parts_of_root_s_folder if {
	watched := [fixtures.watch("secret", "ro", "/etc/ssl/private", {"type": "dir", "how": "below"})]
	found([ro("/etc/ssl/private/key.pem")], watched) == {["error", "/etc/ssl/private/key.pem"]}
}

test_other_keys_in_opencode_s_folder if {
	path := "/home/u/.local/share/opencode/deploy.key"
	mounts := [fixtures.bind("bind", "rw", "/home/u/.local/share/opencode", {})]
	found(mounts, [fixtures.watch("secret", "rw", path, {})]) == {["error", path]}
}

test_part_of_opencode_s_keys if {
	path := "/home/u/.local/share/opencode/auth.json"
	found([ro(concat("/", [path, "part"]))], [fixtures.watch("secret", "ro", path, {"how": "below"})]) == {["error", concat("/", [path, "part"])]}
}

# A folder can be hidden where it is in the jail; a file can not.
test_remedy if {
	drop := "drop the mount that holds it, or bind single folders beside it"
	every tc in [
		[{"type": "dir"}, findings.add("drop the mount that holds it, or hide it", ["--tmpfs", "/home/u/.ssh"])],
		[{"type": "file"}, drop],
		[{"type": "dir", "inside": ""}, drop],
		[{"type": "file", "how": "copy"}, "open another file for it"],
	] {
		all := rule.findings with input as object.union(fixtures.mounts([ro("/home/u")]), {"watched": [ssh(tc[0])]})
		{f.remedy | some f in all} == {tc[1]}
	}
}

test_opencode_s_own_keys_are_needed if {
	path := "/home/u/.local/share/opencode/auth.json"
	mounts := [fixtures.bind("bind", "rw", "/home/u/.local/share/opencode", {})]
	found(mounts, [fixtures.watch("secret", "rw", path, {})]) == {["info", path]}
}
