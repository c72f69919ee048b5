package ocjail.rules.exec.git_redirected_test

import data.ocjail.fixtures
import data.ocjail.rules.exec.git_redirected as rule

found(strays) := v if {
	v := rule.findings with input as fixtures.with_host(fixtures.clean, {"git_stray": strays})
}

test_commondir if {
	all := found([{"file": "/home/u/p/.git/commondir", "target": "/srv/x"}])
	fixtures.brief(all) == {["error", "/home/u/p/.git/commondir"]}
	some f in all
	startswith(f.remedy, "remove /home/u/p/.git/commondir:")
}

test_gitdir if {
	all := found([{"file": "/home/u/p/.git", "target": "/srv/x"}])
	fixtures.brief(all) == {["error", "/home/u/p/.git"]}
	some f in all
	contains(f.remedy, "git --git-dir=/srv/x config core.worktree /home/u/p ")
}

test_clean if {
	found([]) == set()
}

# A worktree's repository lies elsewhere, and names the project.
test_near_miss if {
	doc := fixtures.with_host(fixtures.clean, {"git_dir": "/srv/main/.git/worktrees/p", "git_common_dir": "/srv/main/.git"})
	rule.findings == set() with input as doc
}
