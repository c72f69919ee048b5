package profile

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// inside runs script in a real jail and returns what it printed.
func inside(t *testing.T, h Host, p *Profile, add []string, script string) string {
	t.Helper()
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatal("this test needs bubblewrap: run apt-get install bubblewrap, or your distribution's like")
	}
	must(t, p.MakeDirectories(h))
	words, err := p.Argv(h, add, []string{"/bin/sh", "-euc", script})
	must(t, err)
	out, err := exec.Command(bwrap, withoutOrigins(words)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, lines(words))
	}
	return strings.TrimSpace(string(out))
}

// embeddedProfile is the one that most people run.
func embeddedProfile(t *testing.T) *Profile {
	t.Helper()
	p, err := Embedded("opencode")
	must(t, err)
	return p
}

func TestRealJail(t *testing.T) {
	h := realHost(t)
	must(t, os.MkdirAll(h.Home+"/.ssh", 0o700))
	must(t, os.WriteFile(h.Home+"/.ssh/id", []byte("key"), 0o600))
	t.Setenv("ANTHROPIC_API_KEY", "sk-1")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	t.Setenv("TERM", "xterm")
	for name, tc := range map[string]struct{ script, want string }{
		"who":         {"echo $HOME $USER $LOGNAME $TERM; hostname", h.Home + " tester tester xterm\njail"},
		"where":       {"pwd", h.WorkDir},
		"home":        {"cd; ls -A", ".config\n.local\nproj"},
		"environment": {"echo $ANTHROPIC_API_KEY ${AWS_SECRET_ACCESS_KEY-unset}", "sk-1 unset"},
		"/tmp":        {"echo x >/tmp/x; find /tmp -maxdepth 1 -type f", "/tmp/x"},
		"PATH":        {"for p in sh ls git; do basename $(command -v $p); done", "sh\nls\ngit"},
		"read-only":   {"touch /usr/x 2>&1 | sed 's/.*: //'", "Read-only file system"},
		"keys":        {"ls /etc/ssl/private 2>/dev/null || echo none", "none"},
		"processes":   {"ls -d /proc/[0-9]* | wc -l | awk '$1 < 9 { print \"few\" }'", "few"},
		"git":         {"git config --get push.default", "current"},
		"writes":      {"echo data >../made; echo conf >~/.config/opencode/c", ""},
	} {
		if got := inside(t, h, embeddedProfile(t), nil, tc.script); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	for file, want := range map[string]string{h.Project + "/made": "data\n", h.Home + "/.config/opencode/c": "conf\n"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

func TestRealAdditions(t *testing.T) {
	h := realHost(t)
	must(t, os.MkdirAll(h.Home+"/notes/deep", 0o755))
	add := []string{"ro-bind ~/notes /notes", "tmpfs {project}/sub", "no-network", "set-env A 'b  c'"}
	for script, want := range map[string]string{
		"ls /notes; touch /notes/x 2>/dev/null || echo ro": "deep\nro",
		"touch x; ls": "x",
		"ls /sys 2>/dev/null | wc -l; tail -n +3 /proc/net/dev | grep -cv lo: || true": "0\n0",
		"echo \"$A\"": "b  c",
	} {
		if got := inside(t, h, embeddedProfile(t), add, script); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
	if entries, err := os.ReadDir(h.WorkDir); err != nil || len(entries) != 0 {
		t.Errorf("the tmpfs let a write through: %v, %v", entries, err)
	}
}

// A program of the home that is a script, with its interpreter in the home too.
func TestRealProgramInTheHome(t *testing.T) {
	h := realHost(t)
	must(t, os.MkdirAll(h.Home+"/.tools/bin", 0o755))
	sh, err := os.ReadFile("/bin/sh")
	must(t, err)
	must(t, os.WriteFile(h.Home+"/.tools/bin/interp-1.2", sh, 0o755))
	link(t, "interp-1.2", h.Home+"/.tools/bin/interp")
	pkg := h.Home + "/.tools/lib/node_modules/agent"
	must(t, os.MkdirAll(pkg, 0o755))
	must(t, os.WriteFile(pkg+"/part", []byte("part\n"), 0o644))
	must(t, os.WriteFile(pkg+"/agent", []byte("#!/usr/bin/env interp\ncat \"${0%/*}/part\"; echo \"$@\"\n"), 0o755))
	link(t, "../lib/node_modules/agent/agent", h.Home+"/.tools/bin/agent")
	t.Setenv("PATH", h.Home+"/.tools/bin:"+os.Getenv("PATH"))
	words, err := embeddedProfile(t).Argv(h, nil, []string{"agent", "one", "two three"})
	must(t, err)
	must(t, embeddedProfile(t).MakeDirectories(h))
	out, err := exec.Command("bwrap", withoutOrigins(words)...).CombinedOutput()
	if err != nil || string(out) != "part\none two three\n" {
		t.Errorf("%q, %v", out, err)
	}
}
