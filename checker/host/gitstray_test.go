package host

import (
	"slices"
	"testing"
)

// The agent writes .git and, in the project, commondir. What these name does not
// become the project's by that; nor do folders that the agent makes look so.
func TestFindGitTellsStrays(t *testing.T) {
	d := tempDir(t)
	foreign := d + "/foreign"
	repository(t, foreign)
	git(t, foreign, "worktree", "add", "-q", "../other")
	for name, plant := range map[string]func(root string) Stray{
		"gitdir": func(root string) Stray {
			write(t, root+"/.git", "gitdir: "+foreign+"/.git\n")
			return Stray{root + "/.git", foreign + "/.git"}
		},
		"gitdir of another's worktree": func(root string) Stray {
			write(t, root+"/.git", "gitdir: "+foreign+"/.git/worktrees/other\n")
			return Stray{root + "/.git", foreign + "/.git/worktrees/other"}
		},
		"commondir": func(root string) Stray {
			write(t, root+"/.git/commondir", foreign+"/.git\n")
			return Stray{root + "/.git/commondir", foreign + "/.git"}
		},
		"commondir in the project": func(root string) Stray {
			write(t, root+"/evil/worktrees/x/gitdir", root+"/.git\n")
			write(t, root+"/.git/commondir", "../evil\n")
			return Stray{root + "/.git/commondir", root + "/evil"}
		},
		"commondir that names the project": func(root string) Stray {
			write(t, d+"/named/config", "[core]\nworktree = "+root+"\n")
			write(t, root+"/.git/commondir", d+"/named\n")
			return Stray{root + "/.git/commondir", d + "/named"}
		},
		"worktrees": func(root string) Stray { // two folders up from .git is outside
			write(t, root+"/.git/commondir", "../..\n")
			return Stray{root + "/.git/commondir", d}
		},
		"link": func(root string) Stray {
			mkdir(t, root)
			link(t, foreign+"/.git", root+"/.git")
			return Stray{root + "/.git", foreign + "/.git"}
		},
	} {
		root := d + "/" + name
		s := plant(root)
		if g := findGit(t, root); !slices.Equal(g.Stray, []Stray{s}) || g.CommonDir != "" || within(g.Dir, foreign) {
			t.Errorf("%s: %+v", name, g)
		}
		_, err := NewFS().TrackedOf(findGit(t, root), []string{"a"})
		wantUnknown(t, err)
	}
}
