# METADATA
# title: A file that the host runs later can be written
# description: >-
#   A git hook, a shell start-up file or a direnv file that the agent writes runs outside the jail, with all that the user
#   may do, at the next commit, login or cd (githooks(5), bash(1)). A jail that can write such a file holds no longer than that.
# related_resources:
#   - ref: https://git-scm.com/docs/githooks
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind it read-only, or name it in protect of ocjail.hcl so that the gate does
#   avoid: --bind ~/.bashrc ~/.bashrc
#   prefer: --ro-bind ~/.bashrc ~/.bashrc
package ocjail.rules.exec.host_executed_writable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths
import data.ocjail.lib.places
import data.ocjail.lib.watched

findings contains findings.new(
	sprintf("%s can be written in the jail, %s: %s", [w.path, findings.through(w), w.reason]),
	findings.watched("path", w),
	remedy(w),
) if {
	some ["error", w] in judged
}

findings contains findings.lowered("warning", findings.new(
	sprintf("%s can be written in the jail, %s: %s; %s", [w.path, findings.through(w), w.reason, why]),
	findings.watched("path", w),
	advice(kind, w),
)) if {
	some [kind, w] in judged
	why := warnings[kind]
}

findings contains findings.lowered(severity, findings.new(
	sprintf("%s: %s", [text, concat(", ", sort(names))]),
	{"kind": "path", "path": place},
	look("them"),
)) if {
	some [kind, place], names in groups
	[severity, text] := summaries[kind]
}

# What holds the checker's verdicts is no business of the jail's, to read it included.
findings contains findings.new(
	sprintf("%s is reachable in the jail (%s), %s: %s", [w.path, w.access, findings.through(w), w.reason]),
	findings.watched("path", w),
	sprintf("drop the mount that holds %s, or bind a narrower one", [w.path]),
) if {
	some w in watched.checker_state
	not only_jail_caches(w)
}

# A profile's caches are folders of the jail's own within ocjail's.
only_jail_caches(w) if {
	parts := mounts.parts(w)
	count(parts) > 0
	every i in parts {
		paths.strictly_under(mounts.source(input.jail.mounts[i]), concat("/", [w.path, "caches"]))
	}
}

# A hard link that was made before shares the file behind the read-only bind.
# Elsewhere than where the jail writes, hard links are harmless and common: a
# Nix store is full of them.
findings contains findings.new(
	sprintf("%s is read-only in the jail but has %d names; written under another name it changes too", [w.path, w.nlink]),
	findings.watched("path", w),
	sprintf("make it a file of its own: cp -p %[1]s %[1]s.new && mv %[1]s.new %[1]s", [w.path]),
) if {
	some w in watched.host_executed
	w.protect
	w.access == "ro"
	w.nlink > 1
	jail_writes(w.path)
}

jail_writes(path) if places.project(path)

jail_writes(path) if places.agent(path)

judged := [[verdict(w), w] |
	some w in watched.host_executed
	not w.access in mounts.harmless
]

# One line a place for what is many and expected.
groups[[kind, place]] contains trim_prefix(w.path, concat("", [place, "/"])) if {
	some [kind, w] in judged
	summaries[kind]
	place := subject(kind, w)
}

groups[["agent-work", input.host.project_root]] contains trim_prefix(w.path, concat("", [input.host.project_root, "/"])) if {
	some w in watched.agent_work
	not w.access in mounts.harmless
	w.exists != false
}

summaries := {
	"absent": ["info", "does not exist, and the agent can create what the host runs later"],
	"agent-absent": ["warning", "the agent can create what an opencode outside the jail runs later"],
	"agent-work": ["info", "the agent's work, run by the person who builds the project"],
	"tracked": ["info", "run by the host and tracked by git, so that a change shows in the diff"],
	"undecided": ["warning", "undecided without a host: an error where these exist and git does not track them"],
}

warnings := {
	"agent-own": "opencode writes it itself, so it cannot be protected",
	"link": "it is a symbolic link, which a bind cannot protect",
	"pointer": "it names the git directory of a worktree",
	"subject": "the project is part of it",
}

subject("agent-absent", w) := places.agent_directory(w.path)

subject(kind, _) := input.host.project_root if kind != "agent-absent"

verdict(w) := in_project(w) if {
	places.project(w.path)
} else := in_agent(w) if {
	places.agent(w.path)
} else := "subject" if {
	paths.under(input.host.project_root, w.path)
} else := "error"

# The agent can write an index that claims to track .git/hooks; git never does.
in_project(w) := "tracked" if {
	w.tracked == true
	not places.git(w.path)
} else := "absent" if {
	w.exists == false
} else := "nothing" if {
	directory_of_git(w)
} else := pointer(w) if {
	places.git_pointer(w.path)
} else := "undecided" if {
	undecided(w)
} else := "link" if {
	w.type == "symlink"
	not places.git(w.path)
} else := "error"

# The parts of a .git directory, a submodule's too, are watched one by one.
directory_of_git(w) if {
	w.type == "dir"
	endswith(w.path, "/.git")
}

pointer(w) := "undecided" if undecided(w)

else := "pointer"

in_agent(w) := "agent-absent" if {
	w.exists == false
} else := "undecided" if {
	undecided(w)
} else := "link" if {
	w.type == "symlink"
} else := "agent-own" if {
	not w.protect
} else := "error"

undecided(w) if {
	w.exists == null
	input.phase != "launch"
}

look(what) := sprintf("look at %[1]s when the session ends, before anything runs %[1]s: ocjail review", [what])

# Of what no bind can hold.
advice(kind, w) := look("it") if kind in {"agent-own", "link"}

else := remedy(w)

remedy(w) := sprintf("a bind cannot hold a link: let git find the hooks where it leads: git config core.hooksPath \"$(readlink -f %[1]s)\" && rm %[1]s", [w.path]) if {
	in_git_as_link(w)
	endswith(w.path, "/hooks")
}

else := sprintf("a bind cannot hold a link: put the file in its place: cp --remove-destination \"$(readlink -f %[1]s)\" %[1]s", [w.path]) if {
	in_git_as_link(w)
}

else := findings.add("bind it read-only after the writable mount", ["--ro-bind", w.path, w.inside]) if {
	w.how != "create"
	w.inside != ""
}

else := sprintf("do not bind a directory above %s writable", [w.path])

in_git_as_link(w) if {
	w.type == "symlink"
	places.git(w.path)
}
