# METADATA
# title: Fixtures
# description: A jail that breaks no rule, and what tests change in it.
package ocjail.fixtures

clean := {
	"version": 1,
	"phase": "launch",
	"now": "2026-10-01T12:00:00Z",
	"jail": {
		"name": "opencode",
		"command": ["/usr/bin/opencode"],
		"mounts": [],
		"env": {"cleared": true, "set": []},
		"namespaces": {"user": "unshared", "pid": "unshared", "net": "shared"},
		"session": {"new_session": false, "die_with_parent": true, "tiocsti_filter": true, "vsock_filter": true, "terminal": true},
		"capabilities": {"add": [], "drop_all": false},
		"seccomp": [],
		"bus_proxies": [],
		"hostname": "jail",
		"disable_userns": false,
	},
	"host": {
		"known": true,
		"home": "/home/u",
		"user": "u",
		"uid": 1000,
		"project_root": "/home/u/p",
		"git_dir": "/home/u/p/.git",
		"git_common_dir": "/home/u/p/.git",
		"git_stray": [],
		"runtime_dir": "/run/user/1000",
		"bwrap": {"path": "/usr/bin/bwrap", "setuid": false},
		"legacy_tiocsti": null,
		"user_namespaces": true,
		"landlock": 7,
		"listening": [],
		"nix_trusted": null,
	},
	"agent": {"runs": true, "managed": [], "dangling": []},
	"watched": [],
	"params": {
		"fs/unbounded-memory": {"largest": 0},
		"net/local-service": {"tolerated": []},
		"secrets/in-environment": {"expected": []},
	},
}

# The documented default: the project and opencode's folders writable, the system read-only.
default_mounts := [
	bind("ro-bind", "ro", "/usr", {}),
	bind("proc", "proc", "/proc", {"source": "", "source_real": "", "exists": false}),
	bind("dev", "scratch", "/dev", {"source": "", "source_real": "", "exists": false}),
	bind("tmpfs", "scratch", "/home/u", {"source": "", "source_real": "", "exists": false}),
	bind("bind", "rw", "/home/u/.config/opencode", {}),
	bind("bind", "rw", "/home/u/p", {"covers": ["project"]}),
	bind("ro-bind-try", "none", "/etc/opencode", {"exists": false, "optional": true}),
]

bind(op, access, path, more) := object.union(
	{
		"op": op,
		"access": access,
		"source": path,
		"source_real": path,
		"dest": path,
		"type": "dir",
		"exists": true,
		"optional": false,
		"shadowed_by": null,
		"origin": "",
		"hardening": false,
		"certain": true,
		"covers": [],
		"propagates": false,
		"size": null,
		"repositories": [],
	},
	more,
)

# A watched path, reached through mount 0.
watch(class, access, path, more) := object.union(
	{
		"path": path,
		"class": class,
		"exists": true,
		"type": "file",
		"access": access,
		"how": "mount",
		"via": 0,
		"inside": path,
		"tracked": null,
		"nlink": 1,
		"protect": false,
		"reason": "it matters",
	},
	more,
)

mounts(list) := object.union(clean, {"jail": {"mounts": list}})

# The watched paths of a jail whose one mount is the project.
watched(list) := object.union(
	mounts([bind("bind", "rw", "/home/u/p", {"covers": ["project"]})]),
	{"watched": list},
)

jail(more) := object.union(clean, {"jail": more})

# What the configuration tells one rule.
told(doc, id, more) := object.union(doc, {"params": {id: more}})

with_host(doc, more) := object.union(doc, {"host": more})

# What a rule found, without the prose.
brief(findings) := {[object.get(f, "severity", "error"), object.get(f.subject, "path", object.get(f.subject, "name", f.subject.kind))] |
	some f in findings
}
