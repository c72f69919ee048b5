package sandbox_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// bigArgv makes a command line of the size that jail.nix makes: 289 symbolic
// links and 45 binds of directories that exist, 960 words or so.
func bigArgv(tb testing.TB) (argv, watched []string) {
	tb.Helper()
	dirs, err := filepath.Glob("/usr/*/*")
	must(tb, err)
	argv = []string{"--unshare-all", "--share-net", "--die-with-parent", "--clearenv", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"}
	binds := 0
	for _, d := range dirs {
		if fi, err := os.Stat(d); err == nil && fi.IsDir() && binds < 45 {
			option := []string{"--ro-bind", "--bind"}[binds%2]
			argv = append(argv, option, d, d)
			binds++
		}
		if len(watched) < 200 {
			watched = append(watched, filepath.Join(d, "x", "y", strconv.Itoa(len(watched))))
		}
	}
	for i := range 289 {
		argv = append(argv, "--symlink", "/nix/store/package-"+strconv.Itoa(i)+"/bin/tool", "/bin/tool-"+strconv.Itoa(i))
	}
	for len(watched) < 200 {
		watched = append(watched, filepath.Join("/usr/share/doc", strconv.Itoa(len(watched))))
	}
	return append(argv, "--", "/bin/sh"), watched
}

// BenchmarkCheck is everything that a launch asks of this package. The host's
// answers are memoised, as they are in a launch.
func BenchmarkCheck(b *testing.B) {
	argv, watched := bigArgv(b)
	host := newLiveFS(b, "")
	b.Logf("%d words", len(argv))
	run := func() {
		s, err := sandbox.ParseArgv(argv, nil)
		must(b, err)
		tree, err := s.Simulate(sandbox.Config{Host: host, Strict: true, Cwd: "/"})
		must(b, err)
		for _, w := range watched {
			tree.HostAccess(w)
		}
	}
	run()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
