# METADATA
# title: Places
# description: Where a watched path lies, which decides who sees a change to it.
# schemas:
#   - input: schema.input
package ocjail.lib.places

import data.ocjail.lib.paths

# The project with its git directories, also where a worktree keeps these elsewhere.
project(path) if {
	some prefix in project_prefixes
	startswith(concat("", [path, "/"]), prefix)
}

git(path) if {
	some dir in [input.host.git_dir, input.host.git_common_dir]
	paths.under(path, dir)
}

# Asked for each watched path, so made once.
project_prefixes := {paths.prefix(dir) |
	some dir in [input.host.project_root, input.host.git_dir, input.host.git_common_dir]
	dir != "/"
}

# The .git of a project: a directory, or a worktree's file that names one.
git_pointer(path) if {
	input.host.project_root != ""
	path == concat("/", [input.host.project_root, ".git"])
}

# The folders that opencode must write to work at all.
agent(path) if agent_directory(path)

agent_directory(path) := max({dir |
	some dir in agent_directories
	paths.under(path, dir)
})

# Watched paths are real ones, so where such a folder is a link, what it leads to counts.
agent_directories := named_directories | {m.source_real |
	some m in input.jail.mounts
	m.source in named_directories
}

named_directories := {in_home(name) | some name in data.ocjail.agent.directories}

in_home(name) := concat("/", [input.host.home, name]) if input.host.home != ""

# The sockets of the session's screen and sound.
display(path) if {
	some name in data.ocjail.sockets.display
	path == concat("/", [input.host.runtime_dir, name])
}

nix_daemon(path) if path == "/nix/var/nix/daemon-socket"

# The directory that an absolute path lies in.
parent(path) := concat("/", array.slice(parts, 0, count(parts) - 1)) if {
	parts := split(path, "/")
}
