package notation_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/notation"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// every option that has a word in a notation, and what that word must make.
var every = []string{
	"--bind /a /a", "--bind /a /b", "--ro-bind ~/a ~/a", "--ro-bind /a /b", "--bind-try /a /a", "--ro-bind-try /a /b", "--tmpfs /t", "--size 2147483648 --tmpfs /t",
	"--setenv NAME value", "--unshare-net", "--new-session", "--hostname box",
}

// argv builds a jail on a host that has all of it.
func argv(t *testing.T, text string, add ...string) []sandbox.Option {
	t.Helper()
	p, err := profile.Parse("jail.hcl", []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	dir := &fstest.MapFile{Mode: os.ModeDir | 0o755}
	h := profile.Host{
		User: "u", Home: "/home/u", Project: "/home/u/p", WorkDir: "/home/u/p", CacheDir: "/home/u/.cache/ocjail",
		Lookup: func(string) (string, bool) { return "", false },
		FS: fstest.MapFS{
			"home/u/p": dir, "home/u/a": dir, "a": dir, "b": dir, "usr/bin/sh": {Mode: 0o755},
		},
	}
	words, err := p.Argv(h, add, []string{"/usr/bin/sh"})
	if err != nil {
		t.Fatalf("%s %q: %v", text, add, err)
	}
	s, err := sandbox.ParseArgv(words, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.Options
}

const least = "system = false\nproject { access = \"ro\" }\n"

// What --add and a profile are said to write for an option, they make into it.
func TestAdditionsAndProfiles(t *testing.T) {
	for _, text := range every {
		f, err := notation.Of(text)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(text, "~", "/home/u"), "-try", "")
		if f.Add != nil && !made(argv(t, least, f.Add...), want) {
			t.Errorf("%s: --add %q makes another", text, f.Add)
		}
		if f.Profile != nil && !made(argv(t, least+strings.Join(f.Profile, "\n")), want) {
			t.Errorf("%s: profile %q makes another", text, f.Profile)
		}
		if f.Add == nil && f.Profile == nil {
			t.Errorf("%s has no word but bwrap's", text)
		}
	}
}

func made(options []sandbox.Option, want string) bool {
	var words []string
	for _, o := range options {
		words = append(append(words, o.Name), o.Args...)
	}
	return strings.Contains(strings.Join(words, " ")+" ", want+" ")
}

// A size alone would bound nothing, and the tmpfs alone would be without a bound.
func TestBoundedTmpfs(t *testing.T) {
	f, err := notation.Of("--size 2147483648 --tmpfs /t")
	if err != nil {
		t.Fatal(err)
	}
	want := notation.Forms{
		Bwrap: []string{"… --size 2147483648 --tmpfs /t …"}, Profile: []string{`tmpfs "/t" { size = "2147483648" }`},
		Nix: []string{`(unsafe-add-raw-args "--size 2147483648 --tmpfs /t")`},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Each combinator is one that the Nix module describes.
func TestCombinatorsExist(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../tests/nix/double/jail-nix/lib/combinators.nix"))
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Clone(every)
	all = append(all, "--cap-add ALL")
	without := "--unshare-ipc --unshare-pid --unshare-user --unshare-net --new-session --die-with-parent"
	for _, text2 := range all {
		f, err := notation.Of(text2)
		if err != nil {
			t.Fatal(err)
		}
		known(t, string(text), f.Nix)
	}
	f, err := notation.Without(without)
	if err != nil || len(f.Nix) != 6 {
		t.Fatalf("%+v, %v", f, err)
	}
	known(t, string(text), f.Nix)
}

func known(t *testing.T, combinators string, calls []string) {
	t.Helper()
	for _, call := range calls {
		name, _, _ := strings.Cut(strings.Trim(call, "()"), " ")
		if !strings.Contains(combinators, name+" =") {
			t.Errorf("%s: no combinator of jail.nix's", call)
		}
	}
}

func TestWithout(t *testing.T) {
	f, err := notation.Without("--clearenv --unshare-net --setenv A b")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Bwrap, "|"); got != "without --clearenv and --unshare-net" {
		t.Errorf("%q", got)
	}
	if !slices.Equal(f.Add, []string{"network"}) {
		t.Errorf("%q", f.Add)
	}
	if f, err = notation.Without("--bind /a /a"); err != nil || f.Bwrap != nil {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestQuotedTilde(t *testing.T) {
	options, err := notation.Options("--ro-bind '~/a' '~/a'")
	if err != nil || options[0].Args[0] != "~/a" {
		t.Errorf("%+v, %v", options, err)
	}
	for _, wrong := range []string{"--bind /a", "--no-such", "word"} {
		if options, err := notation.Options(wrong); err == nil {
			t.Errorf("%s: %+v", wrong, options)
		}
	}
}
