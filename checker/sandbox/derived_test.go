package sandbox_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// open starts the probe in a jail made by argv.
func open(t *testing.T, bwrap, probe string, argv, env []string) *jail {
	t.Helper()
	v := invocation{bwrap: bwrap, argv: append(withProbe(probe, argv), "--", "/probe"), cwd: "/", uid: os.Getuid(), env: env}
	j, why, err := v.start(nil)
	must(t, err)
	if j == nil {
		t.Fatalf("%s %q: %s", bwrap, argv, why)
	}
	t.Cleanup(j.stop)
	return j
}

func (j *jail) must(t *testing.T, words ...string) string {
	t.Helper()
	answer, errno, err := j.ask(words...)
	must(t, err)
	if errno != 0 {
		t.Fatalf("%q: %v", words, errno)
	}
	return answer
}

// TestEnvironment compares the final environment with a real one, for random
// orders of the options that make it.
func TestEnvironment(t *testing.T) {
	probe := buildProbe(t, publicDir(t))
	inherited := []string{"A=1", "B=two words", "C=", "PWD=/old", "D=x=y"}
	choices := [][]string{{"--clearenv"}, {"--setenv", "A", "new"}, {"--setenv", "E", ""}, {"--setenv", "PWD", "/mine"}, {"--unsetenv", "B"}, {"--unsetenv", "A"}, {"--setenv", "D", "a=b"}, {"--unsetenv", "ABSENT"}, {"--unshare-ipc"}}
	r := rand.New(rand.NewPCG(7, 7))
	for range 40 {
		var argv []string
		for range r.IntN(7) {
			argv = append(argv, choices[r.IntN(len(choices))]...)
		}
		s, err := sandbox.ParseArgv(append(slices.Clone(argv), "/probe"), nil)
		must(t, err)
		want := map[string]string{}
		for _, v := range s.Environment(inherited) {
			want[v.Name] = v.Value
		}
		for _, bwrap := range bwraps(t) {
			got := map[string]string{}
			for kv := range strings.SplitSeq(open(t, bwrap, probe, append([]string{"--unshare-uts"}, argv...), inherited).must(t, "env"), "\x00") {
				name, value, _ := strings.Cut(kv, "=")
				got[name] = value
			}
			delete(got, "PWD")
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %q (-model +real):\n%s", bwrap, argv, d)
			}
		}
	}
}

// TestNamespaces compares which namespaces are unshared with /proc/self/ns.
func TestNamespaces(t *testing.T) {
	probe := buildProbe(t, publicDir(t))
	names := map[string]string{"user": "user", "ipc": "ipc", "pid": "pid", "net": "net", "uts": "uts", "cgroup": "cgroup"}
	cases := [][]string{
		nil, {"--unshare-all"}, {"--unshare-all", "--share-net"}, {"--share-net", "--unshare-all"}, {"--unshare-net", "--share-net"},
		{"--share-net", "--unshare-net"}, {"--unshare-user"}, {"--unshare-user-try"}, {"--unshare-user", "--unshare-user-try"},
		{"--unshare-ipc", "--unshare-uts"}, {"--unshare-cgroup-try"}, {"--unshare-cgroup"}, {"--unshare-pid", "--unshare-all", "--share-net"},
	}
	for _, argv := range cases {
		s, err := sandbox.ParseArgv(append(slices.Clone(argv), "/probe"), nil)
		must(t, err)
		model := s.Namespaces()
		if d := cmp.Diff(slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(model))); d != "" {
			t.Fatal(d)
		}
		for _, bwrap := range bwraps(t) {
			j := open(t, bwrap, probe, append([]string{"--proc", "/proc"}, argv...), nil)
			for name, file := range names {
				outside, err := os.Readlink("/proc/self/ns/" + file)
				must(t, err)
				same := j.must(t, "readlink", "/proc/self/ns/"+file) == outside
				want := model[name]
				if name == "user" && os.Getuid() != 0 {
					want = "unshared"
				}
				if want == "shared" && !same || want == "unshared" && same {
					t.Errorf("%s %q: %s is %s, as outside: %v", bwrap, argv, name, want, same)
				}
			}
		}
	}
}

// One IPC namespace has one mqueue, which the kernel mounts on itself no second
// time: found by TestSubmounts.
func TestMqueueTwice(t *testing.T) {
	probe := buildProbe(t, publicDir(t))
	for _, tc := range []struct {
		options []string
		starts  bool
	}{
		{[]string{"--mqueue", "/q", "--mqueue", "/q"}, false},
		{[]string{"--mqueue", "/q", "--remount-ro", "/q", "--mqueue", "/q"}, false},
		{[]string{"--mqueue", "/q", "--tmpfs", "/q", "--mqueue", "/q"}, true},
		{[]string{"--mqueue", "/q", "--mqueue", "/r"}, true},
	} {
		argv := append([]string{"--unshare-ipc"}, tc.options...)
		s, err := sandbox.ParseArgv(append(withProbe(probe, argv), "--", "/probe"), nil)
		must(t, err)
		_, err = s.Simulate(sandbox.Config{Host: newLiveFS(t, filepath.Dir(probe)), Strict: true, Cwd: "/"})
		if (err == nil) != tc.starts {
			t.Errorf("%q: the model says %v", tc.options, err)
		}
		for _, bwrap := range bwraps(t) {
			j, why, err := invocation{bwrap: bwrap, argv: append(withProbe(probe, argv), "--", "/probe"), cwd: "/", uid: os.Getuid()}.start(nil)
			must(t, err)
			if (j != nil) != tc.starts {
				t.Errorf("%s %q: %s", bwrap, tc.options, why)
			}
			if j != nil {
				j.stop()
			}
		}
	}
}
