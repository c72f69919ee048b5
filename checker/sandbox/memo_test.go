package sandbox_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// What is remembered while a tree is made and asked must be what looking again would
// give. These hold one against the other on a made-up host, without bwrap.

// paperHost is a host on paper: one file system, another at /m, and /bound, which
// shows /b of the first.
type paperHost struct{ stats map[string]sandbox.Stat }

func newPaperHost() *paperHost {
	h := &paperHost{map[string]sandbox.Stat{}}
	for i, entry := range []string{
		"/", "/a", "/a/d", "/a/d/g", "/b", "/b/d", "/b/d/g", "/m", "/m/d", "/c", "/u", "/w", "/bound", "/bound/d", "/bound/d/g", "/proc", "/dev",
		"/a/f =", "/a/d/f =", "/b/f =", "/b/d/f =", "/m/f =", "/bound/f =", "/bound/d/f =", "/f =",
		"/a/l -> d", "/a/lf -> d/f", "/a/up -> ../b", "/a/abs -> /newroot/x", "/a/out -> /m/d", "/a/dang -> no", "/a/dangdir -> no/where", "/a/loop -> loop",
		"/b/l -> d/g", "/m/up -> ..", "/lnk -> a", "/lm -> m/up/b", "/proc/link -> /a",
	} {
		p, target, isLink := strings.Cut(entry, " -> ")
		p, isFile := strings.CutSuffix(p, " =")
		st := sandbox.Stat{Type: sandbox.Dir, Target: target, Dev: 1, Ino: uint64(i + 1)}
		switch {
		case isLink:
			st.Type = sandbox.Symlink
		case isFile:
			st.Type = sandbox.Regular
		}
		if _, in := sandbox.Below("/m", p); in {
			st.Dev = 2
		}
		h.stats[p] = st
	}
	for p := range h.stats {
		if rest, in := sandbox.Below("/bound", p); in {
			h.stats[p] = h.stats["/b"+rest]
		}
	}
	return h
}

func (h *paperHost) Lstat(p string) (sandbox.Stat, error) {
	st, ok := h.stats[p]
	if !ok {
		return st, fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	}
	return st, nil
}

func (h *paperHost) Mounts() []sandbox.HostMount {
	return []sandbox.HostMount{
		{ID: 1, Parent: 0, Major: 1, Root: "/", Point: "/", FSType: "ext4"}, {ID: 2, Parent: 1, Major: 2, Root: "/", Point: "/m", FSType: "tmpfs"},
		{ID: 3, Parent: 1, Major: 1, Root: "/b", Point: "/bound", FSType: "ext4"}, {ID: 4, Parent: 1, Major: 4, Root: "/", Point: "/proc", FSType: "proc"},
	}
}

var paperSources = []string{
	"/", "/", "//", "/.", "/a", "/a/", "/a/.", "/a//f", "/a/f", "/a/d", "/a/d/f", "/a/d/..", "/a/d/../f", "/a/f/", "/a/f/x", "/a/l", "/a/l/f", "/a/lf", "/a/up", "/a/up/f", "/a/up/../f",
	"/a/abs", "/a/out", "/a/out/../f", "/a/dang", "/a/dang/x", "/a/loop", "/b", "/b/f", "/b/l", "/b/l/../f", "/m", "/m/f", "/m/d", "/m/up", "/m/up/b/f", "/m/..", "/m/../f", "/bound", "/bound/f", "/bound/d",
	"/lnk", "/lnk/f", "/lnk/d/f", "/lm", "/lm/f", "/c", "/u", "/f", "/no", "/no/f", "/oldroot", "/newroot", "/newroot/a", "/proc", "/proc/link", "/proc/link/f", "a", "./a/f", "../a/d", "a/l/f", ".",
}

func paperConfig() sandbox.Config {
	return sandbox.Config{Host: newPaperHost(), Strict: true, Cwd: "/b/d", Descriptor: func(int) (string, error) { return "", sandbox.ErrUnknown }}
}

func parsed(t testing.TB, words []string) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.ParseArgv(append(slices.Clone(words), "--", "true"), func(int) ([]byte, error) { return nil, nil })
	must(t, err)
	return s
}

// A source leads where it does whatever was named before it.
func TestSourcesAloneAndTogether(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var words []string
		var alone []string
		failed := -1
		for i, src := range rapid.SliceOfN(rapid.SampledFrom(paperSources), 1, 8).Draw(r, "sources") {
			words = append(words, "--bind", src, "/t"+strconv.Itoa(i))
			tree, err := parsed(t, []string{"--bind", src, "/t"}).Simulate(paperConfig())
			if err != nil {
				if failed < 0 {
					failed = i
				}
				alone = append(alone, err.Error())
				continue
			}
			alone = append(alone, tree.MountOf(0).Source)
		}
		tree, err := parsed(t, words).Simulate(paperConfig())
		if failed >= 0 {
			if err == nil || err.Error() != alone[failed] {
				r.Fatalf("%q: %v, and alone %s", words, err, alone[failed])
			}
			return
		}
		if err != nil {
			r.Fatalf("%q: %v, and alone %q", words, err, alone)
		}
		for i, want := range alone {
			if got := tree.MountOf(i).Source; got != want {
				r.Fatalf("%q: %d is %s, and alone %s", words, i, got, want)
			}
		}
	})
}

// paperSteps are operations whose destinations nest, shadow and lead through links.
func paperSteps(r *rapid.T, sources []string) [][]string {
	kinds := []string{
		"--bind", "--bind", "--ro-bind", "--bind-try", "--symlink", "--tmpfs", "--dir", "--file", "--ro-bind-data", "--remount-ro", "--chmod",
		"--proc", "--dev", "--mqueue", "--tmp-overlay", "--ro-overlay", "--overlay", "fill", "fill", "fill",
	}
	var begin [][]string
	if rapid.Bool().Draw(r, "with links") {
		begin = [][]string{{"--bind", "/a", "/x"}, {"--ro-bind", "/b", "/y"}}
	}
	return append(begin, slices.Concat(rapid.SliceOfN(rapid.Custom(func(r *rapid.T) [][]string {
		kind, dst := rapid.SampledFrom(kinds).Draw(r, "kind"), rapid.SampledFrom(paperDests).Draw(r, "destination")
		switch kind {
		case "fill": // one folder, as closures do
			return [][]string{{"--symlink", "d", dst + "/p"}, {"--dir", dst + "/q"}, {"--file", "FD", dst + "/r"}}
		case "--bind", "--ro-bind", "--bind-try":
			return [][]string{{kind, rapid.SampledFrom(sources).Draw(r, "source"), dst}}
		case "--symlink":
			return [][]string{{kind, rapid.SampledFrom([]string{"d", "..", "/newroot/x", "/newroot/y/d", "../y", "no", "/oldroot/a"}).Draw(r, "target"), dst}}
		}
		return [][]string{append(slices.Clone(paperWords[kind]), dst)}
	}), 1, 8).Draw(r, "steps")...)...)
}

// paperWords are what comes before a destination.
var paperWords = map[string][]string{
	"--tmpfs": {"--tmpfs"}, "--dir": {"--dir"}, "--remount-ro": {"--remount-ro"}, "--proc": {"--proc"}, "--dev": {"--dev"}, "--mqueue": {"--mqueue"},
	"--file": {"--file", "FD"}, "--ro-bind-data": {"--ro-bind-data", "FD"}, "--chmod": {"--chmod", "0711"},
	"--tmp-overlay": {"--overlay-src", "/a", "--tmp-overlay"}, "--ro-overlay": {"--overlay-src", "/b", "--overlay-src", "/a/d", "--ro-overlay"},
	"--overlay": {"--overlay-src", "/a", "--overlay", "/u", "/w"},
}

var paperDests = append([]string{
	"x", "x/d", "/x/l/p", "/x/l/q", "/x/l/r", "/x/up/p", "/x/up/q", "/x/", "/x//", "/x/.", "/x/d/../f", "/x/d/../", "/x/d/../new", "/x/d/../d/new", "/x/up/f", "/x/up/new", "/x/abs/f", "/x/out/new", "/x/dangdir/", "/x/dang/",
	"/x/dang/new", "/x/s/", "/x/s/new", "/x/new/s", "/x/new/s/new", "/x/new/../new2", "/t/a", "/t/b", "/t/../x/d/new", "/m/new", "/m/", "/b/d/new", "/a/d/new", "/dev/new/er", "/newroot/x", "/../newroot/x/new",
}, dests...)

// possible leaves out the steps that fail behind those before them.
func possible(t testing.TB, c sandbox.Config, steps [][]string) (kept [][]string) {
	t.Helper()
	for _, s := range steps {
		next := append(slices.Clip(kept), s)
		if _, err := parsed(t, numbered(next)).Simulate(c); err == nil {
			kept = next
		}
	}
	return kept
}

func numbered(steps [][]string, between ...string) (words []string) {
	fd := 3
	for _, s := range steps {
		words = append(words, between...)
		for _, w := range s {
			if w == "FD" {
				w, fd = strconv.Itoa(fd), fd+1
			}
			words = append(words, w)
		}
	}
	return words
}

// told is what a tree says of itself, options by their place among the operations.
func told(tree *sandbox.Tree, err error) []string {
	var setup *sandbox.SetupError
	if errors.As(err, &setup) {
		return []string{fmt.Sprintf("%s %s: %v", setup.Name, setup.Path, setup.Err)}
	}
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, l := range tree.Located() {
		lines = append(lines, fmt.Sprintf("%s %s %q %s %v %v", l.Point, l.Kind, l.Source, l.Access(), l.Implied, l.HiddenBy != nil))
	}
	for _, e := range tree.Effects {
		lines = append(lines, fmt.Sprintf("%s %s", e.Kind, e.Path))
	}
	for _, l := range tree.Links {
		lines = append(lines, "link "+l.Link)
	}
	return append(lines, fmt.Sprint(tree.Guessed(), tree.Lacks()))
}

// --dir / does nothing but have the next destination looked for from the jail's root.
func TestDestinationsLookedForAnew(t *testing.T) {
	made := 0
	rapid.Check(t, func(r *rapid.T) {
		steps := paperSteps(r, []string{"/a", "/a", "/b", "/a/d", "/a/f", "/m", "/bound", "/lnk", "/", "/no"})
		if rapid.IntRange(0, 3).Draw(r, "fails") > 0 {
			steps = possible(t, paperConfig(), steps)
		}
		tree, err := parsed(t, numbered(steps)).Simulate(paperConfig())
		anew, anewErr := parsed(t, numbered(steps, "--dir", "/.")).Simulate(paperConfig())
		if d := cmp.Diff(told(anew, anewErr), told(tree, err)); d != "" {
			r.Fatalf("%q (-anew +remembered):\n%s", numbered(steps), d)
		}
		if err == nil && len(steps) > 2 {
			made++
		}
	})
	if made < 5 {
		t.Errorf("%d of the lists made a tree", made)
	}
}

// A tree made like an earlier one is what it is without that, guesses included.
func TestLikeAnEarlierTree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		steps := paperSteps(r, append([]string{"/made", "/made", "/a/made/too", "/no", "/no/f", "/no/f"}, paperSources...))
		c := paperConfig()
		c.Strict = rapid.Bool().Draw(r, "strict")
		c.Makes = []string{"/made", "/a/made/too"}
		steps = possible(t, c, steps)
		before, err := parsed(t, numbered(steps)).Simulate(c)
		must(t, err)
		more := append(slices.Clone(steps), paperSteps(r, paperSources)...)
		tree, err := parsed(t, numbered(more)).Simulate(c)
		c.Like = before
		like, likeErr := parsed(t, numbered(more)).Simulate(c)
		if d := cmp.Diff(told(tree, err), told(like, likeErr)); d != "" {
			r.Fatalf("strict %v, %q after %q (-alone +like):\n%s", c.Strict, numbered(more), numbered(steps), d)
		}
	})
}

// A path is reached as it is whatever was asked before it.
func TestReachesAloneAndTogether(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		steps := paperSteps(r, []string{"/a", "/b", "/b/d", "/a/d", "/a/f", "/m", "/bound", "/bound/d", "/"})
		s := parsed(t, numbered(possible(t, paperConfig(), steps)))
		tree, err := s.Simulate(paperConfig())
		must(t, err)
		var paths []string
		for p := range newPaperHost().stats {
			paths = append(paths, p, path.Join(p, "new"), path.Join(p, "new/er"))
		}
		slices.Sort(paths)
		paths = rapid.Permutation(paths).Draw(r, "paths")
		for _, p := range paths {
			tree.HostAccess(p)
		}
		for _, p := range paths[:9] {
			alone, err := s.Simulate(paperConfig())
			must(t, err)
			if d := cmp.Diff(ways(alone, p), ways(tree, p)); d != "" {
				r.Fatalf("%q: %s (-alone +together):\n%s", s.Words(), p, d)
			}
		}
	})
}

func ways(tree *sandbox.Tree, p string) (lines []string) {
	for _, w := range tree.HostAccess(p) {
		lines = append(lines, fmt.Sprintf("%d %s %s %s %v %s", slices.Index(tree.Mounts(), w.Mount), w.Access, w.Inside, w.Host, w.Exists, w.How))
	}
	return lines
}
