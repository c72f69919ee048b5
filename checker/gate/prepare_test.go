package gate

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bus"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// drafted is a jail of a project with a protected file, before Harden.
func drafted(t *testing.T) *checker.Jail {
	t.Helper()
	dir := canonicalDir(t)
	for _, d := range []string{"home/p/.git/hooks", "home/q"} {
		if err := os.MkdirAll(dir+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("q", dir+"/home/link"); err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.ParseArgv([]string{"--ro-bind", "/usr", "/usr", "--bind", dir + "/home/p", "/p", "--ro-bind-try", dir + "/absent", "/absent",
		"--ro-bind", dir + "/home/link", "/q", "--dir", "/p", "--", "/usr/bin/env"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatalf("%v: run tests/install/install.sh", err)
	}
	fs := host.NewFS()
	bwrap, err := host.FindBwrap(fs, at)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := host.Gather(fs, dir+"/home/p")
	if err != nil {
		t.Fatal(err)
	}
	facts.Home, facts.HomeReal = dir+"/home", dir+"/home"
	j, err := checker.Draft(checker.Request{Name: "test", Phase: checker.Launch, Sandbox: s, FS: fs, Facts: facts, Bwrap: bwrap, Config: config.Default(), Cwd: dir, CanFilter: true})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// What the sources are is known before the hardened jail is: of a bind that hardening adds
// as of one that leads through a link.
func TestSourcesOfADraft(t *testing.T) {
	j := drafted(t)
	before := pathSources(j)
	if err := j.Harden(); err != nil {
		t.Fatal(err)
	}
	added := 0
	for i, source := range before {
		o := j.Sandbox.Options[i]
		if o.Added != "" {
			added++
		}
		if m := j.Tree.MountOf(i); m == nil || m.Source != source {
			t.Errorf("%s %q: %s, and later %+v", o.Name, o.Args, source, m)
		}
	}
	if added == 0 || len(before) != added+3 {
		t.Errorf("of %d sources %d are of binds that hardening added", len(before), added)
	}
	for i := range pathSources(j) {
		if before[i] == "" {
			t.Errorf("%v was not known", j.Sandbox.Options[i])
		}
	}
}

// A bwrap that was started for what the jail has not become is not used: it could have
// descriptors that nobody asked for.
func TestPreparedForAnotherJail(t *testing.T) {
	for name, c := range map[string]struct {
		change func(j *checker.Jail, p *pending)
		fits   bool
	}{
		"as it was":      {func(*checker.Jail, *pending) {}, true},
		"told less":      {func(j *checker.Jail, _ *pending) { j.Sandbox = j.Sandbox.Clone() }, false},
		"one more":       {func(_ *checker.Jail, p *pending) { p.sources[0] = "/" }, false},
		"a bus proxy's":  {func(j *checker.Jail, _ *pending) { j.Bus = &checker.BusProxy{Command: true} }, false},
		"uses one":       {func(j *checker.Jail, _ *pending) { j.Bus = &checker.BusProxy{Proxy: bus.Proxy{Filter: true}} }, true},
		"another source": {func(_ *checker.Jail, p *pending) { p.sources[slices.Max(slices.Collect(maps.Keys(p.sources)))] = "/" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			j := drafted(t)
			a := &attempt{Request: Request{Bwrap: j.Bwrap, Environ: []string{"PATH=/usr/bin"}}, fds: newDescriptors(),
				std: &stdio{files: [3]*os.File{os.Stdin, os.Stdout, os.Stderr}}, jail: j}
			p, err := a.prepare()
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			if len(p.pins) == 0 && canBindDescriptors(j.Bwrap.Supports) {
				t.Fatal("nothing is pinned")
			}
			if err := j.Harden(); err != nil {
				t.Fatal(err)
			}
			c.change(j, p)
			if got := p.fits(j); got != c.fits {
				t.Errorf("it fits: %v", got)
			}
		})
	}
}
