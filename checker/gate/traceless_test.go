package gate

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func TestTraceless(t *testing.T) {
	dir := canonicalDir(t)
	if j := overlaid(t, dir); traceless(j) {
		t.Error("the kernel makes a directory in an overlay's work directory")
	}
	for name, c := range map[string]struct {
		options []string
		want    bool
	}{
		"nothing":                  {nil, true},
		"overlay in memory":        {[]string{"--overlay-src", dir + "/a", "--tmp-overlay", "/d"}, true},
		"in memory":                {[]string{"--dir", "/x", "--symlink", "x", "/y", "--chmod", "0700", "/x"}, true},
		"what is there":            {[]string{"--dir", "/p/a", "--tmpfs", "/p/a"}, true},
		"folder":                   {[]string{"--dir", "/p/x"}, false},
		"mount point":              {[]string{"--tmpfs", "/p/x"}, false},
		"link":                     {[]string{"--symlink", "x", "/p/y"}, false},
		"mode":                     {[]string{"--chmod", "0700", "/p/a"}, false},
		"lock":                     {[]string{"--lock-file", "/p/a"}, false},
		"number of the process":    {[]string{"--json-status-fd", "3"}, false},
		"number of it, and others": {[]string{"--json-status-fd", "3", "--die-with-parent"}, false},
		"label":                    {[]string{"--exec-label", "x"}, false},
		"filter":                   {[]string{"--add-seccomp-fd", "3"}, false},
	} {
		s, err := sandbox.ParseArgv(append(append([]string{"--bind", dir, "/p"}, c.options...), "--", "true"), nil)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := s.Simulate(sandbox.Config{Host: host.NewFS(), Strict: true, Cwd: dir})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := traceless(&checker.Jail{Request: checker.Request{Sandbox: s}, Tree: tree}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
