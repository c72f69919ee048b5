package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
)

// step is one operation of a list, with the modifiers that belong to it. The
// word "FD" stands for a descriptor: of open, or of a file that holds data.
type step struct {
	words []string
	open  string
	data  string
}

// list is a generated command line.
type list struct {
	steps  []step
	flags  []string
	inFile [2]int // words [i:j) of all steps go into an --args file
}

// Destinations collide, nest, shadow each other and lead through the links of
// the layout and through those that --symlink makes.
var dests = []string{
	"/x", "/x", "/x", "/x/d", "/x/d", "/x/d/g", "/x/f", "/x/d/f", "/x/l", "/x/l/g", "/x/lf", "/x/new", "/x/new/er", "/x/n", "/x/n/f",
	"/y", "/y", "/y/d", "/y/d/g", "/y/l", "/y/l/f", "/y/f", "/y/hard", "/z", "/z/d", "/z/f", "/s", "/s/d", "/s/new", "/s/l/f", "/t", "/t/q",
	"/x/../y", "/x/./d/", "//x//d//g/", "/x/l/../f", "/x/d/..", "/../x", "/../q", "/x/labs", "/x/labs/d", "/x/lout", "/x/lout/d", "/x/lout/new", "/x/lup", "/x/lup/d",
	"/x/lhost", "/x/lhost/f", "/x/dang", "/x/dang/q", "/x/dangdir", "/x/loop", "/x/loop/q", "/x/f/q", "/", "/.", "/dev", "/proc", "/dev/null", "/dev/shm", "/dev/new", "/proc/sys", "/o/q",
	"/x/d/p", "/x/d/q", "/x/d/../p", "/x/d/../q", "/x/l/p", "/x/l/q", "/x/new/p", "/x/new/q", "/x/s/p", "/x/s/q", "/t/p", "/t/p/q", "/x/",
}

var sources = []string{
	"W/a", "W/a", "W/a", "W/b", "W/b", "W/a/d", "W/a/d/g", "W/b/d", "W/a/f", "W/f", "W/c", "W/u", "W", "W/a/n", "a/d", "./b//d/../f",
	"W/lnk", "W/lnk/d", "W/labs", "W/a/l", "W/a/lf", "W/b/hard", "W/nope", "W/a/dang", "W/loop", "W/f/x", "W/b/try", "W/a/new", "W/c/new",
	"W/a/", "W/a/.", "W/a/..", "W/a/d/../f", "W/a/l/../f", "W/lnk/l", "W/lnk/../b/f", "W//a//d/", "W/a/f/", "W/nope/f",
}

// opened are the sources of --bind-fd.
var opened = []string{"W/a", "W/b", "W/a/d", "W/a/f", "W/lnk/d", "W/c", "W/a/lf"}

var targets = []string{"x", "x/d", "/x", "/newroot/x", "/newroot/y/d", "/newroot", "../y", "d", "nowhere", "/oldrootW/a", "/oldrootW/c/ghost", "s", "..", ""}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// randomStep makes one operation. has tells which options this bwrap knows.
func randomStep(r *rand.Rand, root string, has func(string) bool) step {
	src := func() string { return strings.ReplaceAll(pick(r, sources), "W", root) }
	dst := pick(r, dests)
	binds := []string{"--bind", "--bind", "--bind", "--ro-bind", "--ro-bind", "--bind-try", "--ro-bind-try", "--dev-bind", "--dev-bind-try"}
	var s step
	switch n := r.IntN(100); {
	case n < 45:
		s.words = []string{pick(r, binds), src(), dst}
	case n < 50:
		s = step{words: []string{pick(r, []string{"--bind-fd", "--ro-bind-fd"}), "FD", dst}, open: strings.ReplaceAll(pick(r, opened), "W", root)}
	case n < 58:
		s.words = []string{"--tmpfs", dst}
		if r.IntN(3) == 0 {
			s.words = append([]string{"--size", "0x100000"}, s.words...)
		}
	case n < 64:
		s.words = []string{"--dir", dst}
	case n < 72:
		s = step{words: []string{pick(r, []string{"--file", "--bind-data", "--ro-bind-data"}), "FD", dst}, data: "data\n"}
	case n < 80:
		s.words = []string{"--symlink", strings.ReplaceAll(pick(r, targets), "W", root), dst}
	case n < 85 && !strings.HasPrefix(dst, "/dev"): // run by root that would change the host's devices
		s.words = []string{"--chmod", "0711", dst}
	case n < 92:
		s.words = []string{"--remount-ro", dst}
	case n < 94:
		s.words = []string{"--proc", pick(r, []string{"/proc", "/proc", dst})}
	case n < 96:
		s.words = []string{"--dev", pick(r, []string{"/dev", "/dev", dst})}
	case n < 97:
		s.words = []string{"--mqueue", dst}
	default:
		s.words = overlayStep(r, root, dst, has)
	}
	takesPerms := []string{"--tmpfs", "--dir", "--file", "--bind-data", "--ro-bind-data"}
	for _, o := range takesPerms {
		if s.words[0] == o && r.IntN(3) == 0 {
			s.words = append([]string{"--perms", "0711"}, s.words...)
		}
	}
	return s
}

func overlayStep(r *rand.Rand, root, dst string, has func(string) bool) []string {
	if !has("--overlay") {
		return []string{"--dir", dst}
	}
	layers := []string{root + "/a", root + "/b", root + "/c", root + "/a/d", root + "/lnk", root + "/nope"}
	words := []string{"--overlay-src", pick(r, layers)}
	if r.IntN(2) == 0 {
		words = append(words, "--overlay-src", pick(r, layers))
	}
	switch kind := pick(r, []string{"--tmp-overlay", "--ro-overlay", "--overlay"}); kind {
	case "--overlay":
		return append(words, kind, root+"/u", root+"/w", dst)
	case "--ro-overlay":
		return append(words, "--overlay-src", root+"/u", kind, dst)
	default:
		return append(words, kind, dst)
	}
}

// words returns all steps' words with descriptors from 3 on, and what each
// descriptor is: "/path" to open, or "=data".
func (l list) words() (words, fds []string) {
	for _, s := range l.steps {
		for _, w := range s.words {
			if w == "FD" {
				w = fmt.Sprint(3 + len(fds))
				if s.open != "" {
					fds = append(fds, s.open)
				} else {
					fds = append(fds, "="+s.data)
				}
			}
			words = append(words, w)
		}
	}
	return words, fds
}

// argv returns the arguments for bwrap: a part of the words may be in an --args
// file, which is the last descriptor.
func (l list) argv() (argv, fds []string) {
	words, fds := l.words()
	argv = append(argv, l.flags...)
	if from, to := l.inFile[0], l.inFile[1]; to > from && to <= len(words) {
		number := fmt.Sprint(3 + len(fds))
		fds = append(fds, "="+strings.Join(words[from:to], "\x00")+"\x00")
		words = append(append(append([]string{}, words[:from]...), "--args", number), words[to:]...)
	}
	return append(append(argv, words...), "--", "/probe"), fds
}

// border chooses which words go into an --args file: whole steps, or from right
// after a --perms on.
func (l *list) border(r *rand.Rand) {
	if r.IntN(3) != 0 || len(l.steps) < 2 {
		return
	}
	var cuts []int
	n := 0
	for _, s := range l.steps {
		cuts = append(cuts, n)
		if s.words[0] == "--perms" {
			cuts = append(cuts, n+2)
		}
		n += len(s.words)
	}
	from := cuts[r.IntN(len(cuts))]
	l.inFile = [2]int{from, n}
	if to := cuts[r.IntN(len(cuts))]; to > from {
		l.inFile[1] = to
	}
}

// paste writes the list so that one can run it in a shell.
func (l list) paste(bwrap string, root string) string {
	argv, fds := list{steps: l.steps, flags: l.flags}.argv()
	var b strings.Builder
	fmt.Fprintf(&b, "%s", bwrap)
	for _, w := range argv {
		fmt.Fprintf(&b, " %s", shellQuote(strings.ReplaceAll(w, root, "W")))
	}
	for i, f := range fds {
		if data, ok := strings.CutPrefix(f, "="); ok {
			fmt.Fprintf(&b, " %d<<<%s", i+3, shellQuote(strings.TrimSpace(data)))
		} else {
			fmt.Fprintf(&b, " %d<%s", i+3, strings.ReplaceAll(f, root, "W"))
		}
	}
	return b.String()
}

func shellQuote(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\n'\"\\$*") {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// queries are the paths inside that a list is asked about: every destination,
// the entries that the layout puts there, and names that are nowhere.
func (l list) queries() []string {
	seen := map[string]bool{}
	var all []string
	add := func(p string) {
		if p = path.Clean("/" + p); !seen[p] && p != "/probe" {
			seen[p] = true
			all = append(all, p)
		}
	}
	for _, s := range l.steps {
		d := s.words[len(s.words)-1]
		for _, sub := range []string{"", "..", "f", "d", "d/f", "d/g", "d/g/f", "l", "lf", "l/f", "labs", "lup", "dang", "hard", "new", "new/deeper", "n/f", "a/d/f", "b/f", "u/d", "f/under"} {
			add(path.Join(d, sub))
		}
	}
	for _, p := range []string{"/", "/x", "/x/d/f", "/y", "/s", "/s/d", "/absent", "/absent/er"} {
		add(p)
	}
	return all
}
