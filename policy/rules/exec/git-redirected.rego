# METADATA
# title: A file of the project points git at another repository
# description: >-
#   The files .git and commondir say which folder is the project's repository (gitrepository-layout(5)), and the agent can write
#   them. Git on the host obeys the configuration of that folder, and so runs what its core.fsmonitor or hooks say, at the next
#   git status. A worktree's or submodule's folder names the project in return; this one does not.
# related_resources:
#   - ref: https://git-scm.com/docs/gitrepository-layout
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: remove the file, or let the repository name the project (core.worktree)
#   avoid:
#     setup: echo /srv/elsewhere > .git/commondir
#   prefer: --bind ~/app ~/app
package ocjail.rules.exec.git_redirected

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("%s points git at %s, which does not name the project in return: git on the host runs what the configuration there says", [stray.file, stray.target]),
	{"kind": "path", "path": stray.file},
	remedy(stray),
) if {
	some stray in input.host.git_stray
}

remedy(stray) := sprintf("remove %s: git itself makes it for worktrees only", [stray.file]) if endswith(stray.file, "/commondir")

else := sprintf(
	"remove %[1]s; or, if %[2]s is the project's repository, let it say so: git --git-dir=%[2]s config core.worktree %[3]s (of a worktree: git worktree repair, in the main one)",
	[stray.file, stray.target, input.host.project_root],
)
