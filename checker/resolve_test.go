package checker_test

import (
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// hostJail is a jail of a usual size on this host.
func hostJail(tb testing.TB, links int) checker.Request {
	tb.Helper()
	dir := tb.TempDir()
	fs := host.NewFS()
	facts, err := host.Gather(fs, dir)
	if err != nil {
		tb.Fatal(err)
	}
	words := []string{"--tmpfs", "/tmp", "--tmpfs", facts.HomeReal, "--ro-bind", "/usr", "/usr", "--bind", dir, dir, "--proc", "/proc", "--dev", "/dev", "--unshare-user", "--clearenv"}
	for _, p := range []string{"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/certs"} {
		words = append(words, "--ro-bind-try", p, p)
	}
	for range links {
		words = append(words, "--symlink", "/usr/share/x", "/etc/certificates/"+string(rune('a'+len(words)%26))+time.Duration(len(words)).String())
	}
	s, err := sandbox.ParseArgv(append(words, "--", "/usr/bin/true"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Config: config.Default(), Cwd: dir}
}

func BenchmarkResolve(b *testing.B) {
	r := hostJail(b, 289)
	for b.Loop() {
		r.FS = host.NewFS() // a launch asks everything once
		j, err := checker.Resolve(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := j.Input(time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
