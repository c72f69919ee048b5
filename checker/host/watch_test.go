package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// expand looks up paths of one class and prints them, one a line.
func expand(t *testing.T, facts Facts, class string, paths ...string) []string {
	t.Helper()
	var entries []Watch
	for _, p := range paths {
		entries = append(entries, Watch{Path: p, Class: class})
	}
	found, err := NewFS().Expand(entries, facts)
	check(t, err)
	lines := []string{}
	for _, p := range found {
		exists := "unknown"
		if p.Exists != nil {
			exists = map[bool]string{true: "exists", false: "absent"}[*p.Exists]
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %d", p.Path, exists, p.Type, p.Nlink))
		if (p.Exists != nil && *p.Exists) != (p.ID != sandbox.ID{}) {
			t.Errorf("%s: identity %v", p.Path, p.ID)
		}
	}
	return lines
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func TestExpandBases(t *testing.T) {
	w := newWorld(t)
	main := w.home + "/main"
	repository(t, main)
	git(t, main, "worktree", "add", "-q", w.project+"/wt")
	l, err := net.Listen("unix", w.dir+"/agent")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	mkdir(t, w.dir+"/set")
	mkdir(t, fmt.Sprint(w.run, "/", w.uid))
	w.project += "/wt"
	w.env = map[string]string{"SSH_AUTH_SOCK": w.dir + "/agent", "XDG_RUNTIME_DIR": w.dir + "/set"}
	facts := w.facts(t)
	wantLines(t, "all bases", expand(t, facts, "secret",
		"{home}/.bashrc", "{project}/a", "{git}/HEAD", "{git-common}/hooks", "{runtime}/bus", "{state}/log", "{cache}", "{config}/x",
		"{ssh-agent}", "/dev/null", "/", "{home}", "{home}"),
		w.home+"/.bashrc absent unknown 0",
		w.project+"/a exists file 1",
		main+"/.git/worktrees/wt/HEAD exists file 1",
		main+"/.git/hooks exists dir 0",
		w.dir+"/set/bus absent unknown 0",
		fmt.Sprint(w.run, "/", w.uid, "/bus absent unknown 0"),
		w.home+"/.local/state/ocjail/log absent unknown 0",
		w.home+"/.cache/ocjail absent unknown 0",
		w.home+"/.config/ocjail/x absent unknown 0",
		w.dir+"/agent exists socket 0",
		"/dev/null exists char-device 0",
		"/ exists dir 0",
		w.home+" exists dir 0",
	)
}

func TestExpandAbsentAndUnknownBases(t *testing.T) {
	w := newWorld(t)
	facts := w.facts(t)
	bases := []string{"{git}/hooks", "{git-common}/hooks", "{runtime}/bus", "{ssh-agent}"}
	wantLines(t, "absent bases", expand(t, facts, "socket", bases...))
	reason := errors.New("the reason")
	for _, name := range []string{"git", "runtime", "ssh-agent"} {
		facts.Unknown[name] = reason
	}
	for _, path := range bases {
		_, err := NewFS().Expand([]Watch{{Path: path}}, facts)
		if !errors.Is(err, reason) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestExpandRefusesTemplates(t *testing.T) {
	facts := newWorld(t).facts(t)
	for _, path := range []string{
		"", "relative", "~/x", "{nope}/x", "{home}x", "{home}//x", "{home}/../x", "{home}/./x", "/a/", "/a/**", "/*/*", "{home}/a\x00", "//a",
	} {
		_, err := NewFS().Expand([]Watch{{Path: path}}, facts)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestExpandFollowsLinks(t *testing.T) {
	w := newWorld(t)
	write(t, w.dir+"/dot/config/tool", "")
	check(t, os.Link(w.dir+"/dot/config/tool", w.dir+"/alias"))
	link(t, "../../dot/config", w.home+"/.config")
	link(t, w.dir+"/dot/gone", w.home+"/.bashrc")
	link(t, "loop", w.home+"/loop")
	facts := w.facts(t)
	entries := []string{"{home}/.config/tool", "{home}/.config/none", "{home}/.bashrc", "{home}/loop", "{home}/.config/tool"}
	wantLines(t, "host-executed", expand(t, facts, "host-executed", entries...),
		w.home+"/.config exists symlink 0",
		w.dir+"/dot/config/tool exists file 2",
		w.dir+"/dot/config/none absent unknown 0",
		w.home+"/.bashrc exists symlink 0",
		w.dir+"/dot/gone absent unknown 0",
		w.home+"/loop exists symlink 0",
	)
	wantLines(t, "secret", expand(t, facts, "secret", entries...),
		w.dir+"/dot/config/tool exists file 2",
		w.dir+"/dot/config/none absent unknown 0",
		w.dir+"/dot/gone absent unknown 0",
		w.home+"/loop exists symlink 0",
	)
	found, err := NewFS().Expand([]Watch{{Path: "{home}/loop"}, {Path: "{home}/.bashrc"}}, facts)
	check(t, err)
	wantUnknown(t, found[0].Err)
	if found[1].Target != w.dir+"/dot/gone" || found[1].Written != w.home+"/.bashrc" {
		t.Errorf("%+v", found[1])
	}
}

func TestExpandMerges(t *testing.T) {
	w := newWorld(t)
	link(t, "p", w.home+"/q")
	found, err := NewFS().Expand([]Watch{
		{Path: "{project}/x", Class: "secret", Reason: "first"},
		{Path: "{home}/q/x", Class: "secret", Reason: "second", Protect: true},
		{Path: "{home}/p/x", Class: "device"},
	}, w.facts(t))
	check(t, err)
	if len(found) != 2 || found[0].Reason != "first" || !found[0].Protect || found[1].Class != "device" || found[1].Protect {
		t.Errorf("%+v", found)
	}
}

func TestExpandStar(t *testing.T) {
	w := newWorld(t)
	d := w.home + "/f*x" // a base may hold a star of its own
	write(t, d+"/.one/logins", "")
	mkdir(t, d+"/two")
	write(t, d+"/profiles.ini", "")
	link(t, "two", d+"/three")
	write(t, d+"/deep/id_a", "")
	write(t, d+"/deep/id_", "")
	write(t, d+"/deep/id", "")
	facts := w.facts(t)
	facts.Home = d
	wantLines(t, "directories", expand(t, facts, "secret", "{home}/*/logins"),
		d+"/.one/logins exists file 1", d+"/deep/logins absent unknown 0", d+"/two/logins absent unknown 0")
	wantLines(t, "names", expand(t, facts, "secret", "{home}/deep/id_*", d[:len(d)-4]+"/*/p"),
		d+"/deep/id_ exists file 1", d+"/deep/id_a exists file 1", d+"/p absent unknown 0", w.project+"/p absent unknown 0")
	wantLines(t, "none", expand(t, facts, "secret", "{home}/none/*", "{home}/profiles.ini/*", "{home}/two/*"))
	if lines := expand(t, facts, "secret", "/*"); len(lines) < 5 {
		t.Errorf("below the root: %v", lines)
	}
	mkdir(t, d+"/many")
	for i := range maxNames + 1 {
		check(t, os.Symlink("x", fmt.Sprint(d, "/many/", i)))
	}
	wantLines(t, "too many", expand(t, facts, "secret", "{home}/many/*/x"), d+"/many exists dir 0")
	check(t, os.Chmod(d+"/two", 0))
	asOrdinaryUser(t, func() {
		wantLines(t, "unreadable", expand(t, facts, "secret", "{home}/two/*", "{home}/two/x"),
			d+"/two exists dir 0", d+"/two/x unknown unknown 0")
	})
	check(t, os.Chmod(d+"/two", 0o700))
}

func TestWatchJSON(t *testing.T) {
	var w Watch
	check(t, json.Unmarshal([]byte(`{"path": "p", "class": "c", "reason": "r", "protect": true}`), &w))
	if w != (Watch{"p", "c", "r", true}) {
		t.Errorf("%+v", w)
	}
}

// BenchmarkFacts is what a launch asks of the host: the facts, 211 watched
// paths, the real paths of 40 mounts, the mount table and what git tracks.
func BenchmarkFacts(b *testing.B) {
	w := newWorld(b)
	repository(b, w.project)
	var entries []Watch
	for i := range 211 {
		base := [...]string{"{home}", "{project}", "{git}", "{runtime}", "/etc", "{home}/.config"}[i%6]
		entries = append(entries, Watch{Path: fmt.Sprintf("%s/tool%d/file%d", base, i/12, i), Class: "secret"})
		if i%3 == 0 {
			write(b, fmt.Sprintf("%s/tool%d/file%d", w.project, i/12, i), "")
		}
	}
	var mounts, wanted []string
	for i := range 40 {
		mounts = append(mounts, fmt.Sprintf("%s/mnt/%d/target", w.dir, i))
		mkdir(b, mounts[i])
		wanted = append(wanted, fmt.Sprintf("tool%d", i))
	}
	for b.Loop() {
		f := NewFS()
		facts, err := w.gather(f, w.project)
		check(b, err)
		_, err = f.Expand(entries, facts)
		check(b, err)
		for _, m := range mounts {
			_, err := f.RealPath(m)
			check(b, err)
		}
		_, err = f.MountTable()
		check(b, err)
		_, err = f.TrackedOf(*facts.Git, wanted)
		check(b, err)
	}
}

// BenchmarkLookup is the choice that lookup explains.
func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		_, err := lookup("/etc/passwd")
		check(b, err)
	}
}

// Who helps has the answers be the same, and waits for nothing that does not come.
func TestExpandWithHelp(t *testing.T) {
	w := newWorld(t)
	facts := w.facts(t)
	var entries []Watch
	for i := range 200 {
		mkdir(t, fmt.Sprintf("%s/d%d", w.project, i))
		entries = append(entries, Watch{Path: fmt.Sprintf("{project}/d%d/*", i), Class: "secret"}, Watch{Path: fmt.Sprintf("{home}/absent/%d", i), Class: "secret"})
	}
	want, err := NewFS().Expand(entries, facts)
	check(t, err)
	for range 20 {
		f := NewFS()
		f.Help() // nobody expands yet
		helped := make(chan struct{})
		go func() {
			defer close(helped)
			for f.expanding.Load() == nil {
				runtime.Gosched()
			}
			f.Help()
		}()
		got, err := f.Expand(entries, facts)
		check(t, err)
		<-helped
		f.Help() // nobody does any more
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	f := NewFS()
	if _, err := f.Expand([]Watch{{Path: "{nowhere}/x"}}, facts); err == nil {
		t.Error("no error")
	}
	f.Help()
}
