package sandbox_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// operands are values that each option takes, by the option's name; an operand
// of "FD" becomes a number of its own.
var operands = map[string][]string{
	"--bind-fd": {"FD", "/d"}, "--ro-bind-fd": {"FD", "/d"}, "--file": {"FD", "/d"}, "--bind-data": {"FD", "/d"}, "--ro-bind-data": {"FD", "/d"},
	"--perms": {"0755"}, "--size": {"4096"}, "--chmod": {"0700", "/d"}, "--uid": {"7"}, "--gid": {"0"},
	"--setenv": {"NAME", "any value"}, "--unsetenv": {"NAME"},
	"--userns": {"FD"}, "--userns2": {"FD"}, "--pidns": {"FD"}, "--sync-fd": {"FD"}, "--block-fd": {"FD"}, "--userns-block-fd": {"FD"},
	"--info-fd": {"FD"}, "--json-status-fd": {"FD"}, "--seccomp": {"FD"}, "--add-seccomp-fd": {"FD"},
}

// before are the modifiers that must or may come before an option.
var before = map[string][]string{
	"--overlay": {"--overlay-src", "/l"}, "--tmp-overlay": {"--overlay-src", "/l"}, "--ro-overlay": {"--overlay-src", "/l", "--overlay-src", "/m"},
	"--tmpfs": {"--perms", "0700", "--size", "1"}, "--dir": {"--perms", "0700"},
}

// generated draws the words of any options of bwrap's, all valid.
func generated(t *rapid.T) []string {
	names := slices.DeleteFunc(sandbox.OptionNames(), func(n string) bool {
		return slices.Contains([]string{"--help", "--version", "--args", "--perms", "--size", "--overlay-src"}, n)
	})
	fd := 3
	var words []string
	for _, name := range rapid.SliceOf(rapid.SampledFrom(append(names, sandbox.OriginOption))).Draw(t, "options") {
		if strings.Contains(name, "overlay") || rapid.Bool().Draw(t, "modified") {
			words = append(words, before[name]...)
		}
		words = append(words, name)
		values, special := operands[name]
		for i := range sandbox.OperandCount(name) {
			switch {
			case special && values[i] == "FD":
				words = append(words, strconv.Itoa(fd))
				fd++
			case special:
				words = append(words, values[i])
			default:
				words = append(words, rapid.StringMatching(`[^\x00]+`).Draw(t, "word"))
			}
		}
	}
	return append(words, "--", "command", "--bind")
}

// TestIdentity: parsing what AnnotatedArgv writes gives the same sandbox.
func TestIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := generated(t)
		s, err := sandbox.ParseArgv(words, nil)
		if err != nil {
			t.Fatalf("%q: %v", words, err)
		}
		checkIdentity(t, s)
	})
}

func checkIdentity(t interface{ Fatalf(string, ...any) }, s *sandbox.Sandbox) {
	again, err := sandbox.ParseArgv(s.AnnotatedArgv(), nil)
	if err != nil {
		t.Fatalf("%q: %v", s.AnnotatedArgv(), err)
	}
	if d := cmp.Diff(s, again); d != "" {
		t.Fatalf("not the same:\n%s", d)
	}
	plain, err := sandbox.ParseArgv(s.Argv(), nil)
	if err != nil {
		t.Fatalf("%q: %v", s.Argv(), err)
	}
	if d := cmp.Diff(s.Words(), plain.Words()); d != "" || slices.Contains(plain.Words(), sandbox.OriginOption) {
		t.Fatalf("Argv does not give the same words:\n%s", d)
	}
}

// FuzzParseArgv: words parted by NUL, the first part an --args file for
// descriptor 3, parted from the rest by 0xff.
func FuzzParseArgv(f *testing.F) {
	for _, c := range refusals() {
		if len(c.argv) < 100 {
			file := ""
			if len(c.fds) > 0 {
				file = c.fds[0][1:]
			}
			f.Add(file + "\xff" + strings.Join(c.argv, "\x00"))
		}
	}
	f.Add("--bind\x00/a\x00/b\xff--perms\x000700\x00--tmpfs\x00/x\x00--args\x003\x00--\x00id")
	f.Add("\xff--ocjail-origin\x00c1\x00--ro-bind\x00/\x00/\x00--overlay-src\x00/a\x00--tmp-overlay\x00/b\x00sh\x00-c\x00id")
	f.Fuzz(func(t *testing.T, input string) {
		file, rest, _ := strings.Cut(input, "\xff")
		s, err := sandbox.ParseArgv(strings.Split(rest, "\x00"), func(int) ([]byte, error) { return []byte(file), nil })
		if err != nil {
			return
		}
		checkIdentity(t, s)
		s.Ops()
		s.Descriptors()
		s.Namespaces()
		s.Environment([]string{"A=1"})
	})
}
