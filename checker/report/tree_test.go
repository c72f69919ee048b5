package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var (
	own  = Cause{}
	line = func(s string) Cause { return Cause{Option: "--bind", Origin: s} }
)

func treeMounts() []Mount {
	dev := Cause{Option: "--dev", Origin: "x.hcl"}
	return []Mount{
		{Path: "/", Access: "scratch", Kind: "tmpfs", Cause: own},
		{Path: "/dev", Access: "scratch", Kind: "tmpfs", Cause: dev},
		{Path: "/dev/null", Access: "dev", Kind: "host", Source: "/dev/null", Implied: true, Cause: dev},
		{Path: "/dev/pts", Access: "proc", Kind: "kernel", Implied: true, Cause: dev},
		{Path: "/home/u/p", Access: "rw", Kind: "host", Source: "/home/u/p", Cause: line("x.hcl:3")},
		{Path: "/home/u/p/.git/hooks", Access: "ro", Kind: "host", Source: "/home/u/p/.git/hooks",
			Cause: Cause{Option: "--ro-bind", Origin: "x.hcl:3", Added: "the host runs it"}},
		{Path: "/home/u/p/net", Access: "ro", Kind: "host", Source: "/home/u/p/net", Implied: true, Cause: line("x.hcl:3")},
		{Path: "/home/u/p/same", Access: "rw", Kind: "host", Source: "/home/u/p/same", Implied: true, Cause: line("x.hcl:3")},
		{Path: "/srv/a\nb", Access: "ro", Kind: "host", Source: "/home/u/data", Cause: line("--add[0]")},
	}
}

func TestTree(t *testing.T) {
	var b bytes.Buffer
	p := &printer{w: &b}
	p.tree(mountTree(treeMounts()).rows(places{home: "/home/u", project: "/home/u/p"}))
	want := strings.TrimPrefix(`
scratch /                            bwrap's own root
scratch ├─ dev                       x.hcl, with 2 mounts inside it
rw      ├─ home/u/p                  x.hcl:3, with 1 mount inside it
ro      │  ├─ .git/hooks             protects: the host runs it
ro      │  └─ net                    x.hcl:3
ro      └─ srv/a\nb       is ~/data  --add[0]
`, "\n")
	if diff := cmp.Diff(want, b.String()); p.err != nil || diff != "" {
		t.Error(p.err, diff)
	}
}

func TestTreeFitsTheTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 200} {
		var b bytes.Buffer
		p := &printer{w: &b, style: Style{Width: width}}
		p.tree(mountTree(treeMounts()).rows(places{}))
		for l := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > width {
				t.Errorf("%d columns in %d: %s", n, width, l)
			}
		}
	}
}

func TestShort(t *testing.T) {
	at := places{home: "/home/u", project: "/home/u/p"}
	for path, want := range map[string]string{
		"/home/u/p": ".", "/home/u/p/x": "./x", "/home/u/px": "~/px", "/home/u": "~", "/home/us": "/home/us", "/": "/", "/a\x1b": `/a\x1b`,
	} {
		if got := at.short(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
	if got := (places{home: "/", project: "/"}).short("/etc"); got != "/etc" {
		t.Errorf("below a home of /: got %q", got)
	}
}

func TestSharedNetworkAndCapabilitiesAreNamed(t *testing.T) {
	v := &View{Namespaces: map[string]string{"user": "unshared", "net": "shared", "ipc": "try"}}
	v.Capabilities.Add = []string{"CAP_SYS_ADMIN"}
	var b bytes.Buffer
	if err := v.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"own: user; own where the kernel can: ipc; the host's: net\n",
		"network       the host's, so every service on 127.0.0.1 too\n",
		"added: CAP_SYS_ADMIN\n",
		"undecided     this host lacks something",
		"environment   inherited from the caller: 0 variables\n",
		"may outlive its launcher\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// A terminal of 40 columns gets lines of 40 columns, unless a word is longer; and
// without colour not one escape.
func TestViewFitsFortyColumns(t *testing.T) {
	v := &View{
		Name: "x", Command: []string{"sh"}, Home: "/home/u", Project: "/p", Certain: true, Mounts: treeMounts(), Hidden: 12,
		Links: []Link{{Path: "/bin"}, {Path: "/etc/a"}}, Namespaces: map[string]string{"net": "shared"},
		Hardening: []Hardening{{"launch", "an empty session keyring, no core dumps, and what not"}},
		Watched:   []Watched{{Path: "/p/.envrc", Class: "host-executed", Access: "rw", How: "create"}},
	}
	var b bytes.Buffer
	if err := v.Text(&b, Style{Width: 40}); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > 40 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape without colour")
	}
}
