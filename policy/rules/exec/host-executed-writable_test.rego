package ocjail.rules.exec.host_executed_writable_test

import data.ocjail.fixtures
import data.ocjail.lib.findings
import data.ocjail.rules.exec.host_executed_writable as rule

found(watched) := v if {
	v := fixtures.brief(rule.findings) with input as fixtures.watched(watched)
}

he(path, more) := fixtures.watch("host-executed", "rw", path, more)

absent := {"exists": false, "type": "", "how": "create"}

test_violating[note] if {
	some note, w in {
		"git hooks": he("/home/u/p/.git/hooks", {"type": "dir"}),
		"git hooks that a forged index tracks": he("/home/u/p/.git/hooks", {"type": "dir", "tracked": true}),
		"untracked control file": he("/home/u/p/.envrc", {"tracked": false}),
		"nobody can tell whether git tracks it": he("/home/u/p/devenv.nix", {"tracked": null}),
		"nobody can tell whether it is there": he("/home/u/p/.envrc", {"exists": null, "type": "unknown"}),
		"start-up file": he("/home/u/.bashrc", {}),
		"start-up file to be": he("/home/u/.bash_profile", absent),
		"folder to be": he("/home/u/.config/autostart", absent),
		"renamed ancestor": he("/home/u/p/.git/config", {"how": "rename"}),
		"with devices": he("/home/u/.bashrc", {"access": "dev"}),
		"an access of a later version": he("/home/u/.bashrc", {"access": "append"}),
		"hooks behind a link": he("/home/u/p/.git/hooks", {"type": "symlink"}),
		"start-up file behind a link": he("/home/u/.bashrc", {"type": "symlink"}),
		"part of a folder": he("/home/u/.local/bin", {"type": "dir", "how": "below"}),
		"opencode's configuration, unprotected": he("/home/u/.config/opencode/opencode.json", {"protect": true}),
		"the home's neighbour": he("/home/u2/.bashrc", absent),
	}
	found([w]) == {["error", w.path]}
}

test_common_directory_of_a_worktree if {
	doc := fixtures.with_host(
		fixtures.watched([he("/srv/main/.git/hooks", {}), he("/srv/main/.git/config.worktree", absent)]),
		{"git_common_dir": "/srv/main/.git"},
	)
	fixtures.brief(rule.findings) == {["error", "/srv/main/.git/hooks"], ["info", "/home/u/p"]} with input as doc
}

test_hard_link if {
	more := {"access": "ro", "protect": true, "nlink": 2}
	found([he("/home/u/p/devenv.nix", more)]) == {["error", "/home/u/p/devenv.nix"]}
	found([he("/home/u/p/devenv.nix", object.union(more, {"nlink": 1}))]) == set()
	found([he("/home/u/.config/opencode/opencode.json", more)]) == {["error", "/home/u/.config/opencode/opencode.json"]}
	found([he("/nix/store/x-pre-commit-config.json", more)]) == set()
	found([he("/home/u/p/devenv.nix", object.union(more, {"protect": false}))]) == set()
}

# One that can be written is reported for that, and not twice.
test_writable_hard_link if {
	all := rule.findings with input as fixtures.watched([he("/home/u/p/.envrc", {"protect": true, "nlink": 2, "tracked": false})])
	count(all) == 1
}

test_checker_state if {
	state := fixtures.watch("checker-state", "ro", "/home/u/.local/state/ocjail", {"type": "dir"})
	found([state]) == {["error", state.path]}
	found([object.union(state, absent)]) == {["error", state.path]}
	found([object.union(state, {"access": "none", "via": null, "how": ""})]) == set()
}

test_checker_cache if {
	cache := "/home/u/.cache/ocjail"
	w := fixtures.watch("checker-state", "rw", cache, {"how": "below"})
	caches := fixtures.bind("bind", "rw", sprintf("%s/caches/p/npm", [cache]), {})
	rules := fixtures.bind("bind", "rw", sprintf("%s/bundles", [cache]), {})
	all := fixtures.bind("bind", "rw", sprintf("%s/caches", [cache]), {})

	doc := {"watched": [w]}
	fixtures.brief(rule.findings) == set() with input as object.union(fixtures.mounts([caches]), doc)
	fixtures.brief(rule.findings) == {["error", cache]} with input as object.union(fixtures.mounts([rules, caches]), doc)
	fixtures.brief(rule.findings) == {["error", cache]} with input as object.union(fixtures.mounts([all]), doc)
	fixtures.brief(rule.findings) == {["error", cache]} with input as object.union(fixtures.mounts([]), doc)
}

# The documented default on a machine that uses opencode must start.
test_default_has_no_error if {
	watched := [
		he("/home/u/p/.git", {"type": "dir"}),
		he("/home/u/p/.git/hooks", {"type": "dir", "access": "ro", "protect": true, "nlink": 0}),
		he("/home/u/p/.envrc", absent),
		he("/home/u/p/devenv.nix", {"tracked": true}),
		he("/home/u/p/.pre-commit-config.yaml", {"type": "symlink", "tracked": false}),
		he("/home/u/.config/opencode/plugin", object.union(absent, {"protect": true})),
		he("/home/u/.config/opencode/opencode.json", {"access": "ro", "protect": true}),
		he("/home/u/.local/share/opencode/snapshot", {"type": "dir"}),
		he("/home/u/.bashrc", {"access": "none", "how": "", "via": null, "inside": ""}),
		fixtures.watch("agent-work", "rw", "/home/u/p/Makefile", {}),
	]
	found(watched) == {
		["info", "/home/u/p"],
		["warning", "/home/u/.config/opencode"],
		["warning", "/home/u/.local/share/opencode/snapshot"],
		["warning", "/home/u/p/.pre-commit-config.yaml"],
	}
}

test_one_line_a_kind if {
	watched := [
		he("/home/u/p/.envrc", absent),
		he("/home/u/p/.husky", absent),
		he("/home/u/p/devenv.nix", {"tracked": true}),
		fixtures.watch("agent-work", "rw", "/home/u/p/Makefile", {}),
	]
	found := rule.findings with input as fixtures.watched(watched)
	{f.message | some f in found} == {
		"does not exist, and the agent can create what the host runs later: .envrc, .husky",
		"run by the host and tracked by git, so that a change shows in the diff: devenv.nix",
		"the agent's work, run by the person who builds the project: Makefile",
	}
}

test_pointer_of_a_worktree if {
	found([he("/home/u/p/.git", {"type": "file"})]) == {["warning", "/home/u/p/.git"]}
	found([he("/home/u/p/.git", {"type": "dir"})]) == set()
}

test_submodule if {
	found([he("/home/u/p/lib/.git", {"type": "dir"})]) == set()
	found([he("/home/u/p/lib/.git", {"type": "file"})]) == {["error", "/home/u/p/lib/.git"]}
	found([he("/home/u/p/lib/.git", {"type": "file", "access": "ro"})]) == set()
}

# A read-only bind of a link fails, so the remedy must be another.
test_remedy_for_links_in_git if {
	every name, remedy in {"hooks": "git config core.hooksPath", "config": "cp --remove-destination"} {
		all := rule.findings with input as fixtures.watched([he(concat("/", ["/home/u/p/.git", name]), {"type": "symlink"})])
		every f in all { contains(f.remedy, remedy) }
		count(all) == 1
	}
}

test_remedy if {
	every tc in [
		[he("/home/u/p/.git/hooks", {"type": "dir", "inside": "/app/.git/hooks"}), findings.add("bind it read-only after the writable mount", ["--ro-bind", "/home/u/p/.git/hooks", "/app/.git/hooks"])],
		[he("/home/u/.bashrc", {"type": "symlink"}), findings.add("bind it read-only after the writable mount", ["--ro-bind", "/home/u/.bashrc", "/home/u/.bashrc"])],
		[he("/home/u/.bash_profile", absent), "do not bind a directory above /home/u/.bash_profile writable"],
		[he("/home/u/.local/share/opencode/snapshot", {"type": "dir"}), "look at it when the session ends, before anything runs it: ocjail review"],
		[he("/home/u/p/.pre-commit-config.yaml", {"type": "symlink", "tracked": false}), "look at it when the session ends, before anything runs it: ocjail review"],
		[he("/home/u/p/.git", {"type": "file"}), findings.add("bind it read-only after the writable mount", ["--ro-bind", "/home/u/p/.git", "/home/u/p/.git"])],
		[he("/home/u/p/.envrc", absent), "look at them when the session ends, before anything runs them: ocjail review"],
		[he("/home/u/.bashrc", {"inside": ""}), "do not bind a directory above /home/u/.bashrc writable"],
	] {
		all := rule.findings with input as fixtures.watched([tc[0]])
		{f.remedy | some f in all} == {tc[1]}
	}
}

test_project_within_a_watched_folder if {
	doc := fixtures.with_host(
		fixtures.watched([he("/home/u/.config/nvim", {"type": "dir", "how": "below"})]),
		{"project_root": "/home/u/.config/nvim/lua", "git_dir": "", "git_common_dir": ""},
	)
	fixtures.brief(rule.findings) == {["warning", "/home/u/.config/nvim"]} with input as doc
}

test_lint_without_a_host_is_undecided if {
	unknown := {"exists": null, "type": "unknown"}
	doc := object.union(fixtures.watched([he("/home/u/p/.envrc", unknown), he("/home/u/p/.git", unknown)]), {"phase": "lint"})
	fixtures.brief(rule.findings) == {["warning", "/home/u/p"]} with input as doc
}

# What lint knows of, it judges.
test_lint_of_what_is_there if {
	doc := object.union(fixtures.watched([he("/home/u/p/.envrc", {"tracked": false})]), {"phase": "lint"})
	fixtures.brief(rule.findings) == {["error", "/home/u/p/.envrc"]} with input as doc
}

test_clean if {
	found([]) == set()
}

test_near_miss[note] if {
	some note, w in {
		"read-only": he("/home/u/.bashrc", {"access": "ro"}),
		"not in the jail": he("/home/u/.bashrc", {"access": "none", "how": "", "via": null}),
		"agent's work, read-only": fixtures.watch("agent-work", "ro", "/home/u/p/Makefile", {}),
		"agent's work that is not there": fixtures.watch("agent-work", "rw", "/home/u/p/Makefile", absent),
		"another class": fixtures.watch("secret", "rw", "/home/u/.netrc", {}),
	}
	found([w]) == set()
}

# Every verdict must lead to a finding, or be the one that stands for none.
test_verdicts_are_known if {
	tables := {v | some v, _ in rule.summaries} | {v | some v, _ in rule.warnings}
	every exists in [true, false, null] {
		every type in ["dir", "file", "symlink", "unknown"] {
			every path in ["/home/u/p/.git", "/home/u/p/.envrc", "/home/u/.config/opencode/bin", "/home/u/.bashrc"] {
				every phase in ["launch", "lint"] {
					v := rule.verdict(he(path, {"exists": exists, "type": type})) with input as object.union(fixtures.clean, {"phase": phase})
					v in (tables | {"error", "nothing"})
				}
			}
		}
	}
}
