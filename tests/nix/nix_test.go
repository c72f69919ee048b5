// Package nix tests module.nix and what belongs to it with a real nix: options,
// the tracer, the manifest, and jails that are really built and run.
//
// It takes nixpkgs' lib, jail.nix and devenv's modules from the folders
// nixpkgs-lib, jail-nix and devenv of $OCJAIL_TEST_INPUTS, else jail.nix and
// nixpkgs' lib at the revisions of flake.lock from the network, else stand-ins
// from double/. The packages are always stand-ins.
package nix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tools are what nix, or the builders of double/, run.
var tools = []string{"nix", "nix-instantiate", "nix-build", "nix-store", "bwrap", "git", "patchelf", "jq", "shellcheck", "dbus-daemon", "dbus-send", "xdg-dbus-proxy", "help2man"}

const install = "apt-get install -y --no-install-recommends nix-bin bubblewrap git patchelf jq shellcheck dbus-daemon dbus-bin xdg-dbus-proxy help2man"

// inputs are the folders that a project is evaluated with.
type inputs struct{ lib, jailNix, devenv string }

var (
	root   string // of the module
	ocjail string // the built command
	double inputs // the stand-ins
	chosen inputs

	temporary   string
	environment []string
	once        sync.Once
	errSetUp    error
)

func TestMain(m *testing.M) {
	status := m.Run()
	if temporary != "" {
		if err := os.RemoveAll(temporary); err != nil {
			fmt.Fprintf(os.Stderr, "tests/nix: %v\n", err)
			status = 1
		}
	}
	os.Exit(status)
}

// setUp finds what every test needs, once. It is called by the tests, not by
// TestMain, for go test's cache to know what they depend on.
func setUp(t *testing.T) {
	t.Helper()
	once.Do(func() { errSetUp = prepare() })
	if errSetUp != nil {
		t.Fatal(errSetUp)
	}
}

func prepare() (err error) {
	for _, t := range tools {
		if _, err := exec.LookPath(t); err != nil {
			return fmt.Errorf("%s is missing: on Debian or Ubuntu run\n  %s", t, install)
		}
	}
	if root, err = filepath.Abs("../.."); err != nil {
		return err
	}
	environment = nixEnvironment()
	// What nix and go read, this process has to have looked at.
	for _, dir := range []string{"checker", "cmd", "policy", "nix", "templates", "tests/nix", "go.mod", "module.nix", "devenv.nix", "flake.nix", "flake.lock"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if temporary, err = os.MkdirTemp("", "ocjail-nix-"); err != nil {
		return err
	}
	ocjail = filepath.Join(temporary, "bin", "ocjail")
	build := exec.Command("go", "build", "-o", filepath.Dir(ocjail)+"/", "./cmd/ocjail", "./cmd/ocjail-rules", "./cmd/ocjail-wasm")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build ocjail: %w\n%s", err, out)
	}
	double = inputs{root + "/tests/nix/double/lib", root + "/tests/nix/double/jail-nix", root + "/tests/nix/double/devenv"}
	chosen, err = choose()
	return err
}

// nixEnvironment is what nix runs with. The builders of double/ use programs of
// this machine, which nix's daemon allows to few; so a user other than root gets
// a store of his own. It lies where no test hides it, and lasts. Debian's package
// configures build users for root without making them.
func nixEnvironment() []string {
	env := []string{"NIX_CONFIG=experimental-features = nix-command flakes\nsandbox = false\nsubstituters =\nbuild-users-group =\n"}
	if uid := os.Getuid(); uid != 0 {
		dir := fmt.Sprintf("/var/tmp/ocjail-tests-%d", uid)
		env = append(env, "NIX_REMOTE=local", "NIX_STORE_DIR="+dir+"/store", "NIX_STATE_DIR="+dir+"/state", "NIX_LOG_DIR="+dir+"/log")
	}
	return env
}

// choose prints which inputs are used: nobody should take a test of stand-ins
// for one of the real thing.
func choose() (inputs, error) {
	if dir := os.Getenv("OCJAIL_TEST_INPUTS"); dir != "" {
		in := inputs{dir + "/nixpkgs-lib/lib", dir + "/jail-nix", dir + "/devenv"}
		for _, d := range []string{in.lib, in.jailNix, in.devenv} {
			if _, err := os.Stat(d); err != nil {
				return in, fmt.Errorf("OCJAIL_TEST_INPUTS: %w; it needs the folders nixpkgs-lib, jail-nix and devenv", err)
			}
		}
		fmt.Printf("tests/nix: inputs: jail.nix, nixpkgs' lib and devenv of %s\n", dir)
		return in, nil
	}
	in, err := download()
	if err == nil {
		fmt.Println("tests/nix: inputs: jail.nix and nixpkgs' lib of flake.lock, from the network; devenv's modules: double/")
		return in, nil
	}
	fmt.Printf("tests/nix: inputs: stand-ins from double/ (no OCJAIL_TEST_INPUTS; network: %v)\n", err)
	return double, nil
}

// download gets the locked revisions, or says why not in a few words.
func download() (inputs, error) {
	lock, err := readLock()
	if err != nil {
		return inputs{}, err
	}
	in := double
	for _, f := range []struct{ dir, sub, url, hash *string }{
		{&in.jailNix, ptr(""), ptr(lock.url("jail-nix")), ptr(lock.Nodes["jail-nix"].Locked.NarHash)},
		{&in.lib, ptr("/lib"), ptr(lock.url("nixpkgs")), ptr(lock.Nodes["nixpkgs"].Locked.NarHash)},
	} {
		expr := fmt.Sprintf("builtins.fetchTarball { url = %q; sha256 = %q; }", *f.url, *f.hash)
		out, err := run(5*time.Minute, "nix-instantiate", "--eval", "--json", "--option", "connect-timeout", "5",
			"--option", "download-attempts", "1", "-E", expr)
		if err != nil {
			return in, fmt.Errorf("%s can't be had", *f.url)
		}
		if err := json.Unmarshal(out, f.dir); err != nil {
			return in, err
		}
		*f.dir += *f.sub
	}
	return in, nil
}

func ptr(s string) *string { return &s }

// run runs a command, nix most often, and returns its standard output.
func run(limit time.Duration, name string, args ...string) ([]byte, error) {
	return runIn("", limit, name, args...)
}

// runIn is run in a folder.
func runIn(dir string, limit time.Duration, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environment...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, errors.Join(err, ctx.Err()), stderr.String())
	}
	return []byte(stdout.String()), nil
}

// lockFile is flake.lock.
type lockFile struct {
	Nodes map[string]struct {
		Locked   struct{ Owner, Repo, Rev, NarHash, Type string }
		Original struct{ Owner, Repo, Ref, Type string }
	}
}

func readLock() (l lockFile, err error) {
	b, err := os.ReadFile(filepath.Join(root, "flake.lock"))
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(b, &l)
}

// url is where the locked revision's archive is.
func (l lockFile) url(name string) string {
	n := l.Nodes[name].Locked
	if n.Type == "sourcehut" {
		return fmt.Sprintf("https://git.sr.ht/%s/%s/archive/%s.tar.gz", n.Owner, n.Repo, n.Rev)
	}
	return fmt.Sprintf("https://github.com/%s/%s/archive/%s.tar.gz", n.Owner, n.Repo, n.Rev)
}
