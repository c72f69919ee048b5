package sandbox_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// reachCase is a jail, a host path, the widest way to it, and an attack on it.
type reachCase struct {
	name   string
	argv   string // "@" is the directory that holds the files
	host   string
	access sandbox.Access
	how    sandbox.How
	attack string // requests to the probe, parted by ";"
	works  bool   // whether the attack changes the host's file
}

const rename = "rename /p/g /p/away;mkdir /p/g;mkdir /p/g/h;create /p/g/h/f evil"

var reachCases = []reachCase{
	{"writable", "--bind @/p /p", "@/p/f", "rw", "mount", "append /p/f evil", true},
	{"read-only", "--ro-bind @/p /p", "@/p/f", "ro", "mount", "append /p/f evil", false},
	{"leaf after its parent", "--bind @/p /p --ro-bind @/p/f /p/f", "@/p/f", "ro", "mount", "append /p/f evil;unlink /p/f;create /p/f evil", false},
	{"leaf before its parent", "--ro-bind @/p/f /p/f --bind @/p /p", "@/p/f", "rw", "mount", "append /p/f evil", true},
	{"same source twice", "--ro-bind @/p /p --bind @/p /q", "@/p/f", "rw", "mount", "append /q/f evil", true},
	{"part of the source twice", "--ro-bind @/p /p --bind @/p/g/h /q", "@/p/g/h/f", "rw", "mount", "append /q/f evil", true},
	{"through a link to the source", "--bind @/link /q", "@/p/f", "rw", "mount", "append /q/f evil", true},
	{"ancestor that can be moved", "--bind @/p /p --ro-bind @/p/g/h /p/g/h", "@/p/g/h/f", "rw", "rename", rename, true},
	{"the same, pinned", "--bind @/p /p --bind @/p/g /p/g --ro-bind @/p/g/h /p/g/h", "@/p/g/h/f", "ro", "mount", rename, false},
	{"pin appended after the leaf", "--bind @/p /p --ro-bind @/p/g/h /p/g/h --bind @/p/g /p/g", "@/p/g/h/f", "rw", "mount", "append /p/g/h/f evil", true},
	{"ancestor below a read-only mount", "--ro-bind @/p /p --ro-bind @/p/g/h /p/g/h", "@/p/g/h/f", "ro", "mount", rename, false},
	{"absent", "--bind @/p /p", "@/p/new", "rw", "create", "create /p/new evil", true},
	{"absent with its parents", "--bind @/p /p", "@/p/x/y/new", "rw", "create", "mkdir /p/x;mkdir /p/x/y;create /p/x/y/new evil", true},
	{"absent below a file", "--bind @/p /p", "@/p/f/new", "rw", "create", "unlink /p/f;mkdir /p/f;create /p/f/new evil", true},
	{"absent below read-only", "--ro-bind @/p /p", "@/p/new", "none", "", "create /p/new evil", false},
	{"absent below a mask", "--bind @/p /p --tmpfs /p/g", "@/p/g/new", "none", "", "create /p/g/new evil", false},
	{"mask that can be moved", "--bind @/p /p --tmpfs /p/g/h", "@/p/g/h/f", "rw", "rename", rename, true},
	{"mask, pinned", "--bind @/p /p --bind @/p/g /p/g --tmpfs /p/g/h", "@/p/g/h/f", "none", "", rename, false},
	{"covered entirely", "--bind @/p /p --tmpfs /p", "@/p/f", "none", "", "append /p/f evil", false},
	{"not mounted", "--bind @/q /q", "@/p/f", "none", "", "append /p/f evil", false},
	{"a neighbour with a longer name", "--bind @/p /p", "@/pp/f", "none", "", "append /pp/f evil", false},
	{"part of it", "--bind @/p/g /g", "@/p", "rw", "below", "append /g/h/f evil", false},
	{"remounted", "--bind @/p /p --remount-ro /p", "@/p/f", "ro", "mount", "append /p/f evil", false},
	{"remounted, but not what is below", "--bind @/p /p --bind @/p/g /p/g --remount-ro /p", "@/p/g/h/f", "rw", "mount", "append /p/g/h/f evil", true},
	{"buried, and dug out through another name", "--bind @/p /w --bind @/q /w/g/h/m --tmpfs /w/g --bind @/p /v", "@/q/f", "rw", "rename", "rename /v/g/h /v/out;append /w/out/m/f evil", true},
	{"buried for good", "--bind @/p /w --bind @/q /w/g/h/m --tmpfs /w/g", "@/q/f", "none", "", "append /w/g/h/m/f evil", false},
	{"upper layer", "--overlay-src @/p --overlay @/u @/work /o", "@/u/f", "rw", "mount", "append /o/f evil", true},
	{"lower layer", "--overlay-src @/p --overlay @/u @/work /o", "@/p/f", "ro", "mount", "append /o/f evil", false},
	{"absent in the upper layer", "--overlay-src @/p --overlay @/u @/work /o", "@/u/new", "rw", "create", "create /o/new evil", true},
	{"layer in memory", "--overlay-src @/p --tmp-overlay /o", "@/p/f", "ro", "mount", "append /o/f evil", false},
}

func TestHostAccess(t *testing.T) {
	base := publicDir(t)
	probe := buildProbe(t, base)
	for _, bwrap := range bwraps(t) {
		for _, c := range reachCases {
			t.Run(c.name, func(t *testing.T) { c.run(t, bwrap, probe) })
		}
	}
}

func (c reachCase) run(t *testing.T, bwrap, probe string) {
	if strings.Contains(c.argv, "overlay") && !knows(t, bwrap)("--overlay") {
		return // an older one: nothing to hold the model against
	}
	dir := publicDir(t)
	for _, d := range []string{"p/g/h/m", "pp", "q", "u", "work"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	for _, f := range []string{"p/f", "p/g/h/f", "pp/f", "q/f", "u/f"} {
		must(t, os.WriteFile(filepath.Join(dir, f), []byte("good"), 0o644))
	}
	must(t, os.Symlink("p", filepath.Join(dir, "link")))
	at := func(s string) string { return strings.ReplaceAll(s, "@", dir) }
	argv := strings.Fields(at(c.argv))
	s, err := sandbox.ParseArgv(append(slices.Clone(argv), "/probe"), nil)
	must(t, err)
	tree, err := s.Simulate(sandbox.Config{Host: newLiveFS(t, dir), Strict: true, Cwd: "/"})
	must(t, err)
	if got := tree.Widest(at(c.host)); got.Access != c.access || got.How != c.how {
		t.Errorf("%s by %q, not %s by %q", got.Access, got.How, c.access, c.how)
	}
	j := open(t, bwrap, probe, argv, nil)
	for request := range strings.SplitSeq(c.attack, ";") {
		_, _, err := j.ask(strings.Fields(request)...)
		must(t, err)
	}
	data, err := os.ReadFile(at(c.host))
	if changed := err == nil && strings.HasSuffix(string(data), "evil"); changed != c.works {
		t.Errorf("after the attack %s holds %q (%v)", c.host, data, err)
	}
}

// TestSocket: a socket below a read-only mount is reachable, whatever rules make
// of that.
func TestSocket(t *testing.T) {
	dir := publicDir(t)
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	must(t, err)
	defer l.Close()
	for _, argv := range [][]string{{"--ro-bind", dir, "/d"}, {"--ro-bind", dir + "/socket", "/s"}} {
		s, err := sandbox.ParseArgv(append(slices.Clone(argv), "/probe"), nil)
		must(t, err)
		tree, err := s.Simulate(sandbox.Config{Host: newLiveFS(t, dir), Strict: true, Cwd: "/"})
		must(t, err)
		if got := tree.Widest(dir + "/socket"); got.Access != sandbox.ReadOnly || !got.Exists {
			t.Errorf("%q: %+v", argv, got)
		}
	}
}
