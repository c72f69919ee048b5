package review

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// What is kept names the same files when it is read again.
func TestNamesAreKept(t *testing.T) {
	for _, s := range []string{"", "a", "\xff", "\xffff", "a\x00b", "\x00", "é\xc3", "\ufffd", "\xed\xa0\x80/\n"} {
		e := Entry{Type: sandbox.Symlink, Target: s, Content: []byte(s)}
		want := record{
			Version: 1, Plan: Plan{Project: s, Areas: []string{s}, Git: &host.Git{Dir: s}}, Entries: map[string]Entry{s: e},
			Repositories: []string{s}, Started: moment{Wall: 1, Boot: "b"},
		}
		data, err := octets.Marshal(&want)
		check(t, err)
		var got record
		check(t, octets.Unmarshal(data, &got))
		if len(s) == 0 {
			got.Entries[s], want.Entries[s] = Entry{}, Entry{}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", s, got)
		}
		c := Change{Path: s, Since: time.Unix(1, 2).UTC(), Before: e}
		data, err = octets.Marshal(c)
		check(t, err)
		var back Change
		check(t, octets.Unmarshal(data, &back))
		if back.Path != s || !back.Since.Equal(c.Since) {
			t.Errorf("%q: %+v", s, back)
		}
	}
}

// A flood of changes does not wash the last ones away: when the others have been
// put back, something is left.
func TestFloodOfChanges(t *testing.T) {
	f := newFolder(t)
	p := &Project{store: storeOf(t.TempDir(), f.dir)}
	check(t, p.make())
	var changes []Change
	for i := range maxChanges + 7 {
		name := f.path(fmt.Sprintf("%05d", i))
		check(t, os.WriteFile(name, nil, 0o644))
		changes = append(changes, Change{Path: name, What: New, Level: finding.Warning})
	}
	kept := &pending{Version: 1, Project: f.dir}
	kept.merge(f.plan, changes[:maxChanges+3])
	kept.merge(f.plan, changes[maxChanges+3:])
	check(t, p.put(pendingFile, kept))
	n, _, err := p.Revert(func(Change) bool { return true })
	if n != maxChanges-1 || err == nil || !strings.Contains(err.Error(), "look at the folder yourself") {
		t.Errorf("%d reverted: %v", n, err)
	}
	if left := p.Changes(); len(left) != 1 || left[0].What != Many || left[0].Path != f.dir || left[0].Count != 8 {
		t.Errorf("left: %+v", left)
	}
	if n, err := p.Accept(func(Change) bool { return true }); n != 1 || err != nil || len(p.Changes()) != 0 {
		t.Errorf("%d accepted: %v", n, err)
	}
}

// A repository in a path that is longer than anybody can name is told, and does not
// end the review.
func TestTooLong(t *testing.T) {
	f := newFolder(t)
	r := f.take()
	fd, err := unix.Open(f.dir, unix.O_DIRECTORY, 0)
	check(t, err)
	for _, name := range append(slices.Repeat([]string{strings.Repeat("n", 250)}, 20), ".git") {
		check(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_DIRECTORY, 0)
		check(t, err)
		unix.Close(fd)
		fd = next
	}
	unix.Close(fd)
	if got := f.changed(r); len(got) != 1 || !strings.HasPrefix(got[0], "many nnn") {
		t.Errorf("%q", got)
	}
}

// However much else lies in a folder, a repository stays one.
func TestCrowdedRepository(t *testing.T) {
	f := newFolder(t)
	defer func(most int) { maxYoung = most }(maxYoung)
	maxYoung = 100
	for i := range 3000 { // several of getdents' buffers
		f.write(fmt.Sprintf("lib/%d", i), "")
	}
	f.git("init", "-q", "--bare", "lib")
	p := &pending{Project: f.dir, Areas: []string{f.dir}, Changes: []Change{{Path: f.path("lib"), What: Repository}}}
	if _, err := p.settle(); err != nil || len(p.Changes) != 1 {
		t.Errorf("%+v, %v", p.Changes, err)
	}
}

// A hook of a repository that the user made between two sessions is written in
// place, which no folder's time tells.
func TestHookWrittenInPlace(t *testing.T) {
	f := newFolder(t)
	f.git("init", "-q", "lib")
	f.write("lib/.git/hooks/pre-commit", "mine")
	f.write("lib/.git/modules/m/hooks/post-merge", "mine")
	f.git("init", "-q", "--bare", "lib/.git/modules/m")
	time.Sleep(300 * time.Millisecond) // beyond the grain of files' times
	r := f.take(filepath.Join(f.dir, "known/.git"))
	f.want(r)
	for _, name := range []string{"lib/.git/hooks/pre-commit", "lib/.git/modules/m/hooks/post-merge"} {
		f.write(name, "evil")
		f.want(r, "repository lib/.git")
		r = f.takeLater()
	}
}

func (f *folder) takeLater() *record {
	time.Sleep(300 * time.Millisecond)
	return f.take(filepath.Join(f.dir, "known/.git"))
}

// A program that can be run and not read is told by its inode and times.
func TestUnreadable(t *testing.T) {
	a := Entry{Type: unreadable, Mode: 0o111, Size: 4, Ctime: 1}
	b := a
	if b.Ctime = 2; a.same(b) || !a.same(a) {
		t.Error("the same, or another than itself")
	}
}
