//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker/workertest"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "bwrap" { // a script's link: see gate_name.txtar
		main()
	}
	stored := func() { // not every machine that tests has a Nix store
		manifestStore = cmp.Or(os.Getenv("OCJAIL_TEST_STORE"), manifestStore)
		main()
	}
	testscript.Main(m, map[string]func(){"ocjail": stored, "landlocked": landlocked})
}

// TestScripts drives main as a person would. Each script starts in its project,
// which holds jail.hcl.
func TestScripts(t *testing.T) {
	for _, need := range []struct{ program, pkg string }{{"bwrap", "bubblewrap"}, {"git", "git"}, {"openssl", "openssl"}} {
		if _, err := exec.LookPath(need.program); err != nil {
			t.Fatalf("these tests need %s: apt-get install %s, or your distribution's like", need.program, need.pkg)
		}
	}
	ocjail, err := exec.LookPath("ocjail")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := workertest.Build(filepath.Dir(ocjail))
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NL", "\n")
			e.Setenv("OCJAIL", ocjail)
			e.Setenv("OCJAIL_RULES", rules)
			e.Setenv("OCJAIL_WASM", filepath.Join(filepath.Dir(rules), worker.WASM))
			e.Setenv("REPOSITORY", repository)
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("TERM", "dumb")
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv(hosttest.HomeVariable, home)
			for name, place := range map[string]string{"STATE": ".local/state", "CACHE": ".cache", "CONFIG": ".config"} {
				dir := filepath.Join(home, place)
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return err
				}
				e.Setenv(name, dir)
			}
			project := filepath.Join(e.WorkDir, "project")
			if err := os.MkdirAll(filepath.Join(project, ".git"), 0o755); err != nil {
				return err
			}
			e.Cd = project
			if err := walkThrough(repository, e.WorkDir); err != nil {
				return err
			}
			if err := pageWalks(repository, e.WorkDir); err != nil {
				return err
			}
			profile, err := os.ReadFile("testdata/jail.hcl")
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(project, "jail.hcl"), profile, 0o644)
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Getuid() == 0, nil
			case "alone": // nobody else is in this user's group
				return host.Writer{UID: os.Getuid()}.Alone("main_test.go", uint32(os.Getgid()))
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "registry": startRegistry, "stop-registry": stopRegistry, "serve": serve, "hostile": serveHostile},
	})
}

// status runs a command and compares its exit status: status N COMMAND….
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	got := "exit status 0"
	if exit != nil {
		got = exit.String() // or the signal
	}
	if got != "exit status "+args[0] {
		ts.Fatalf("%s, want %s", got, args[0])
	}
}

// startRegistry has a registry run until the script's end, with $REGISTRY its host.
// One that is closed asks for a password.
func startRegistry(ts *testscript.TestScript, neg bool, args []string) {
	closed := len(args) == 1 && args[0] == "closed"
	if neg || len(args) > 0 && !closed {
		ts.Fatalf("usage: registry [closed]")
	}
	r, err := bundletest.StartRegistry(ts.MkAbs(fmt.Sprintf("registry-%d", time.Now().UnixNano())), closed)
	ts.Check(err)
	ts.Defer(r.Stop)
	registries.Store(ts.Getenv("WORK"), r)
	ts.Setenv("REGISTRY", r.Host)
}

// serve has a web server serve a folder until the script's end, with $WEB its address.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve DIR")
	}
	s := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(s.Close)
	ts.Setenv("WEB", s.URL)
}

// registries are those that the scripts have started last, by their folders.
var registries sync.Map

func stopRegistry(ts *testscript.TestScript, neg bool, args []string) {
	r, ok := registries.Load(ts.Getenv("WORK"))
	if neg || len(args) > 0 || !ok {
		ts.Fatalf("usage: stop-registry, after registry")
	}
	r.(*bundletest.Running).Stop()
}
