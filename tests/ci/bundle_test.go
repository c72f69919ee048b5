package ci

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
)

// The action fetches what the lock names, on a machine that has nothing yet, and lints
// by that, whatever the tag leads to by now. A made-up state folder stands for the
// user's.
func TestActionWithALock(t *testing.T) {
	var a action
	read(t, "action.yml", &a)
	dir, temp, conf := repository(t), t.TempDir(), t.TempDir()
	if o := run(t, "../..", []string{"CGO_ENABLED=0"}, "go", "build", "-o", temp+"/", "./cmd/ocjail", "./cmd/ocjail-rules"); o.status != 0 {
		t.Fatal(o.output)
	}
	me, err := user.Current()
	check(t, err)
	state := filepath.Join(me.HomeDir, ".local", "state")
	check(t, os.MkdirAll(state, 0o700))
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		check(t, os.WriteFile(name, []byte(text), mode))
		return name
	}
	ocjail := write(filepath.Join(temp, "in.sh"), fmt.Sprintf("#!/bin/sh\nexec bwrap --dev-bind / / --bind \"$STATE\" %s -- %s/ocjail \"$@\"\n", state, temp), 0o755)

	key := bundletest.NewKey(t, "acme")
	host := bundletest.Registry(t, t.TempDir(), false)
	source := "oci://" + host + "/acme/policy:stable"
	write(filepath.Join(conf, "acme.pem"), string(key.PublicPEM), 0o644)
	config := write(filepath.Join(conf, "ocjail.hcl"), fmt.Sprintf("policy \"acme\" {\n  source = %q\n  keys   = [\"acme.pem\"]\n}\n", source), 0o644)
	publish := func(revision, severity string) {
		t.Helper()
		file := write(filepath.Join(temp, "acme.tar.gz"), string(bundletest.Signed(t, key, revision, func(c *bundle.Content) {
			c.Manifest.Created = time.Now()
			c.Config = []byte("rule \"fs/rw-outside-home\" {\n  severity = \"" + severity + "\"\n}\n")
		})), 0o644)
		if o := run(t, dir, nil, filepath.Join(temp, "ocjail"), "bundle", "push", file, source); o.status != 0 {
			t.Fatal(o.output)
		}
	}
	inputs := map[string]string{"targets": "open", "config": config, "ocjail": ocjail, "pull": "true"}
	lint := func() outcome {
		t.Helper()
		t.Setenv("STATE", t.TempDir()) // a machine that has nothing yet
		o, _ := a.lint(t, dir, temp, inputs)
		return o
	}

	publish("7", "error")
	t.Setenv("STATE", t.TempDir())
	if o := run(t, dir, nil, ocjail, "bundle", "update", "--config", config); o.status != 0 {
		t.Fatal(o.output)
	}
	publish("8", "info")
	if o := lint(); o.status != 1 || !strings.Contains(o.output, "revision 7") || !strings.Contains(o.output, "fetched, as it is locked") || !strings.Contains(o.output, "fs/rw-outside-home") {
		t.Errorf("with the lock: %+v", o)
	}
	inputs["pull"] = "false"
	if o := lint(); o.status != 2 || !strings.Contains(o.output, "run ocjail bundle pull") {
		t.Errorf("nothing was fetched: %+v", o)
	}
	inputs["pull"] = "true"
	check(t, os.Remove(filepath.Join(conf, "ocjail.lock")))
	if o := lint(); o.status != 0 || !strings.Contains(o.output, "revision 8") {
		t.Errorf("without the lock: %+v", o)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
