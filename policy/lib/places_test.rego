package ocjail.lib.places_test

import data.ocjail.fixtures
import data.ocjail.lib.places

test_project if {
	places.project("/home/u/p/x") with input as fixtures.clean
	places.project("/srv/main/.git/hooks") with input as fixtures.with_host(fixtures.clean, {"git_common_dir": "/srv/main/.git"})
	not places.project("/home/u/p2/x") with input as fixtures.clean
}

test_root_is_no_project if {
	not places.project("/etc") with input as fixtures.with_host(fixtures.clean, {"project_root": "/", "git_dir": "", "git_common_dir": ""})
}

test_git if {
	places.git("/home/u/p/.git/hooks") with input as fixtures.clean
	not places.git("/home/u/p/.gitmodules") with input as fixtures.clean
	not places.git("/x") with input as fixtures.with_host(fixtures.clean, {"git_dir": "", "git_common_dir": ""})
}

test_git_pointer if {
	places.git_pointer("/home/u/p/.git") with input as fixtures.clean
	not places.git_pointer("/home/u/p/sub/.git") with input as fixtures.clean
	not places.git_pointer("/.git") with input as fixtures.with_host(fixtures.clean, {"project_root": ""})
}

test_agent_behind_a_link if {
	m := fixtures.bind("bind", "rw", "/home/u/dotfiles/opencode", {"source": "/home/u/.config/opencode"})
	places.agent("/home/u/dotfiles/opencode/plugin") with input as fixtures.mounts([m])
	not places.agent("/home/u/dotfiles/bin") with input as fixtures.mounts([m])
}

# Mounting something else there does not make it opencode's.
test_agent_s_place_in_the_jail_is_not_enough if {
	m := fixtures.bind("bind", "rw", "/home/u/.local", {"dest": "/home/u/.config/opencode"})
	not places.agent("/home/u/.local/bin") with input as fixtures.mounts([m])
}

test_agent if {
	places.agent("/home/u/.config/opencode/plugin") with input as fixtures.clean
	places.agent_directory("/home/u/.config/opencode/plugin") == "/home/u/.config/opencode" with input as fixtures.clean
	not places.agent("/home/u/.config/opencode2") with input as fixtures.clean
	not places.agent("/.config/opencode/plugin") with input as fixtures.with_host(fixtures.clean, {"home": ""})
}

test_display if {
	places.display("/run/user/1000/wayland-0") with input as fixtures.clean
	not places.display("/run/user/1000/bus") with input as fixtures.clean
}

test_nix_daemon if {
	places.nix_daemon("/nix/var/nix/daemon-socket")
	not places.nix_daemon("/nix/var/nix")
}

test_parent if places.parent("/home/u/.npm") == "/home/u"

# A worktree's own directory and the common one may lie apart from each other and from the project.
test_git_directories_apart if {
	doc := fixtures.with_host(fixtures.clean, {"git_dir": "/srv/own", "git_common_dir": "/srv/common"})
	every path in ["/srv/own/config.worktree", "/srv/common/hooks"] {
		places.git(path) with input as doc
		places.project(path) with input as doc
	}
}
