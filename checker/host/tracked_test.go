package host

import "testing"

func TestHasDotGit(t *testing.T) {
	for path, want := range map[string]bool{
		".git": true, ".git/config": true, "a/.git": true, "a/.GIT/b": true, "/a/.Git": true, "a.b/.c/.git/d": true,
		"": false, ".": false, "..": false, ".gi": false, "git": false, "a.git": false, "a/b.git/c": false, ".gitignore": false, ".github/x": false, "a/..git": false, ".git.": false,
	} {
		if got := HasDotGit(path); got != want {
			t.Errorf("%q: %t", path, got)
		}
	}
}
