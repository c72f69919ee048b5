package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// filesFrom returns what ParseArgv reads: descriptors count from 3.
func filesFrom(fds []string) sandbox.ReadArgs {
	return func(fd int) ([]byte, error) {
		if fd < 3 || fd-3 >= len(fds) {
			return nil, fmt.Errorf("bad file descriptor")
		}
		return []byte(fds[fd-3][1:]), nil
	}
}

// What bwrap itself does with an argv that ParseArgv refuses.
type fate string

const (
	dies   fate = "dies"   // an error of bwrap's
	exits  fate = "exits"  // 0, starting nothing
	drops  fate = "drops"  // starts, part of the options unread
	starts fate = "starts" // starts; refused here for the reason that the case gives
)

func data(words ...string) string { return "=" + strings.Join(words, "\x00") }

func refusals() []struct {
	name string
	argv []string
	fds  []string
	want fate
} {
	many := slices.Repeat([]string{"--unshare-ipc"}, 9000)
	long := strings.Repeat("/a", 2048)
	return []struct {
		name string
		argv []string
		fds  []string
		want fate
	}{
		{"unknown option", []string{"--no-such", "--", "/probe"}, nil, dies},
		{"single dash", []string{"-x", "/probe"}, nil, dies},
		{"truncated", []string{"--bind", "/probe"}, nil, dies},
		{"no operand", []string{"--chdir"}, nil, dies},
		{"no command", []string{"--unshare-ipc"}, nil, dies},
		{"no command after border", []string{"--"}, nil, dies},
		{"empty command", []string{"--", ""}, nil, dies},
		{"nothing", nil, nil, dies},
		{"help", []string{"--unshare-ipc", "--help", "--", "/probe"}, nil, exits},
		{"version", []string{"--version", "/probe"}, nil, exits},
		{"descriptor with letters", []string{"--bind-data", "3x", "/a", "/probe"}, nil, dies},
		{"negative descriptor", []string{"--bind-data", "-3", "/a", "/probe"}, nil, dies},
		{"no descriptor", []string{"--bind-data", "", "/a", "/probe"}, nil, dies},
		{"plus sign: a reader of the argv sees another word", []string{"--bind-data", "+3", "/a", "/probe"}, []string{"=x"}, starts},
		{"leading space", []string{"--bind-data", " 3", "/a", "/probe"}, []string{"=x"}, starts},
		{"leading zero", []string{"--bind-data", "03", "/a", "/probe"}, []string{"=x"}, starts},
		{"descriptor wraps around", []string{"--bind-data", "4294967299", "/a", "/probe"}, []string{"=x"}, starts},
		{"perms not octal", []string{"--perms", "0789", "--dir", "/a", "/probe"}, nil, dies},
		{"perms too large", []string{"--perms", "10000", "--dir", "/a", "/probe"}, nil, dies},
		{"perms empty", []string{"--perms", "", "--dir", "/a", "/probe"}, nil, dies},
		{"perms twice", []string{"--perms", "0700", "--perms", "0700", "--dir", "/a", "/probe"}, nil, dies},
		{"perms for nothing", []string{"--perms", "0700", "--unshare-ipc", "/probe"}, nil, dies},
		{"perms for a bind", []string{"--perms", "0700", "--bind", "/", "/a", "/probe"}, nil, dies},
		{"perms before the command: bwrap overlooks it", []string{"--perms", "0700", "/probe"}, nil, starts},
		{"perms before the border", []string{"--perms", "0700", "--", "/probe"}, nil, starts},
		{"size zero", []string{"--size", "0", "--tmpfs", "/a", "/probe"}, nil, dies},
		{"size negative", []string{"--size", "-1", "--tmpfs", "/a", "/probe"}, nil, dies},
		{"size with unit", []string{"--size", "1M", "--tmpfs", "/a", "/probe"}, nil, dies},
		{"size too large", []string{"--size", "9223372036854775808", "--tmpfs", "/a", "/probe"}, nil, dies},
		{"size for a directory", []string{"--size", "10", "--dir", "/a", "/probe"}, nil, dies},
		{"uid negative", []string{"--unshare-user", "--uid", "-1", "/probe"}, nil, dies},
		{"uid empty", []string{"--unshare-user", "--uid", "", "/probe"}, nil, dies},
		{"variable without name", []string{"--setenv", "", "x", "/probe"}, nil, dies},
		{"variable with =", []string{"--setenv", "A=B", "x", "/probe"}, nil, dies},
		{"unset without name", []string{"--unsetenv", "", "/probe"}, nil, dies},
		{"bad --args descriptor", []string{"--args", "77", "/probe"}, nil, dies},
		{"--args in a file", []string{"--args", "3", "/probe"}, []string{data("--args", "4"), data("--unshare-ipc")}, dies},
		{"truncated in a file", []string{"--args", "3", "/probe"}, []string{data("--bind", "/")}, dies},
		{"unknown in a file", []string{"--args", "3", "/probe"}, []string{data("--no-such")}, dies},
		{"trailing perms in a file", []string{"--args", "3", "--dir", "/a", "/probe"}, []string{data("--perms", "0700")}, dies},
		{"border in a file", []string{"--args", "3", "/probe"}, []string{data("--unshare-ipc", "--", "--no-such")}, drops},
		{"border at a file's end", []string{"--args", "3", "/probe"}, []string{data("--unshare-ipc", "--")}, starts},
		{"command in a file", []string{"--args", "3", "/probe"}, []string{data("word", "--no-such")}, drops},
		{"empty word in a file", []string{"--args", "3", "/probe"}, []string{data("--unshare-ipc", "", "--no-such")}, drops},
		{"descriptor twice: the second reads what bwrap happens to have opened", []string{"--bind-data", "3", "/a", "--bind-data", "3", "/b", "/probe"}, []string{"=x"}, starts},
		{"descriptor of --args again", []string{"--args", "3", "--bind-data", "3", "/a", "/probe"}, []string{data("--unshare-ipc")}, dies},
		{"too many words", append(slices.Clone(many[:8997]), "--", "/probe"), nil, dies},
		{"too many words with a file's", append(slices.Clone(many[:8000]), "--args", "3", "/probe"), []string{data(many[:1000]...)}, dies},
		{"empty destination: the root itself", []string{"--dir", "", "/probe"}, nil, starts},
		{"empty source", []string{"--bind", "", "/a", "/probe"}, nil, dies},
		{"long destination", []string{"--dir", long, "/probe"}, nil, dies},
		{"long destination of what cancels out", []string{"--tmpfs", "/" + strings.Repeat("./", 2048), "/probe"}, nil, dies},
		{"long source that may lack", []string{"--bind-try", long, "/a", "/probe"}, nil, dies},
		{"long target of a link", []string{"--symlink", long, "/a", "/probe"}, nil, dies},
		{"long working directory", []string{"--chdir", long, "/probe"}, nil, dies},
		{"long source of what cancels out: no honest jail has one", []string{"--ro-bind", "/" + strings.Repeat("./", 2048), "/a", "/probe"}, nil, starts},
		{"overlay without sources", []string{"--tmp-overlay", "/a", "/probe"}, nil, dies},
		{"read-only overlay of one", []string{"--overlay-src", "/", "--ro-overlay", "/a", "/probe"}, nil, dies},
		{"overlay source for nothing", []string{"--overlay-src", "/", "--dir", "/a", "/probe"}, nil, dies},
		{"overlay source at the end", []string{"--overlay-src", "/", "--", "/probe"}, nil, dies},
		{"modifier within overlay", []string{"--overlay-src", "/", "--perms", "0700", "--tmp-overlay", "/a", "/probe"}, nil, dies},
		{"overlay source before a file", []string{"--overlay-src", "/", "--args", "3", "/probe"}, []string{data("--unshare-ipc")}, dies},
	}
}

// TestRefusals: what ParseArgv refuses, bwrap refuses or misreads too, or else
// the case's name says why it is refused all the same.
func TestRefusals(t *testing.T) {
	probe := buildProbe(t, publicDir(t))
	for _, c := range refusals() {
		t.Run(c.name, func(t *testing.T) {
			if _, err := sandbox.ParseArgv(withProbe(probe, c.argv), filesFrom(c.fds)); err == nil {
				t.Error("it was parsed")
			}
			for _, bwrap := range bwraps(t) {
				if got := fateOf(t, bwrap, probe, c.argv, c.fds); got != c.want && (c.want != drops || got != starts) {
					t.Errorf("%s %s, not %s", bwrap, got, c.want)
				}
			}
		})
	}
}

// withProbe binds the probe in front of argv's own words.
func withProbe(probe string, argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	return append([]string{"--ro-bind", probe, "/probe"}, argv...)
}

// fateOf tells what bwrap does.
func fateOf(t *testing.T, bwrap, probe string, argv, fds []string) fate {
	t.Helper()
	v := invocation{bwrap: bwrap, argv: withProbe(probe, argv), fds: fds, cwd: "/", uid: os.Getuid()}
	files, err := v.descriptors()
	must(t, err)
	defer closeAll(files)
	j, why, err := v.start(files)
	must(t, err)
	switch {
	case j != nil:
		j.stop()
		return starts
	case strings.HasSuffix(why, "(exit status 0)"):
		return exits
	}
	return dies
}

// TestAccepted: what bwrap takes is taken as well.
func TestAccepted(t *testing.T) {
	probe := buildProbe(t, publicDir(t))
	many := slices.Repeat([]string{"--unshare-ipc"}, 9000)
	cases := map[string]struct {
		argv []string
		fds  []string
	}{
		"no border":                     {[]string{"--unshare-ipc", "/probe"}, nil},
		"command with dashes":           {[]string{"--", "/probe", "--help"}, nil},
		"perms across a file's border":  {[]string{"--perms", "0700", "--args", "3", "/probe"}, []string{data("--dir", "/a")}},
		"file ends without NUL":         {[]string{"--args", "3", "/probe"}, []string{data("--dir", "/a")}},
		"file ends with NUL":            {[]string{"--args", "3", "/probe"}, []string{data("--dir", "/a", "")}},
		"empty file":                    {[]string{"--args", "3", "/probe"}, []string{"="}},
		"size in hexadecimal and octal": {[]string{"--size", "0x10000", "--tmpfs", "/a", "--size", "0200000", "--tmpfs", "/b", "/probe"}, nil},
		"size and perms in any order":   {[]string{"--size", "65536", "--perms", "0700", "--tmpfs", "/a", "--perms", "0700", "--size", "65536", "--tmpfs", "/b", "/probe"}, nil},
		"as many words as bwrap takes":  {append(slices.Clone(many[:8995]), "--", "/probe"), nil},
		"file in the midst":             {[]string{"--dir", "/a", "--args", "3", "--dir", "/b", "/probe"}, []string{data("--tmpfs", "/a")}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := sandbox.ParseArgv(withProbe(probe, c.argv), filesFrom(c.fds)); err != nil {
				t.Error(err)
			}
			for _, bwrap := range bwraps(t) {
				if got := fateOf(t, bwrap, probe, c.argv, c.fds); got != starts {
					t.Errorf("%s %s", bwrap, got)
				}
			}
		})
	}
}

// TestErrors: an error names its word and its file.
func TestErrors(t *testing.T) {
	_, err := sandbox.ParseArgv([]string{"--args", "3", "/probe"}, filesFrom([]string{data("--dir", "/a", "--size", "0")}))
	var parse *sandbox.ParseError
	if !errors.As(err, &parse) || parse.File != 3 || parse.Word != 3 || parse.Option != "0" {
		t.Errorf("%#v", err)
	}
	var exit *sandbox.ExitError
	if _, err := sandbox.ParseArgv([]string{"--version"}, nil); !errors.As(err, &exit) || exit.Option != "--version" {
		t.Errorf("%#v", err)
	}
	if _, err := sandbox.ParseArgv([]string{"--clearenv"}, nil); !errors.Is(err, sandbox.ErrNoCommand) {
		t.Errorf("%#v", err)
	}
}

// The longest path that there can be is none too long.
func TestLongPath(t *testing.T) {
	long := strings.Repeat("/a", 2047) + "/"
	for _, argv := range [][]string{{"--dir", long}, {"--chdir", long}, {"--ro-bind-try", long, "/a"}, {"--symlink", long, "/a"}} {
		if _, err := sandbox.ParseArgv(append(argv, "/probe"), nil); err != nil {
			t.Errorf("%s: %v", argv[0], err)
		}
		argv[1] += "a"
		if _, err := sandbox.ParseArgv(append(argv, "/probe"), nil); err == nil || !strings.Contains(err.Error(), "4096 bytes long, and a path has 4095 at most") {
			t.Errorf("%s: %v", argv[0], err)
		}
	}
}
