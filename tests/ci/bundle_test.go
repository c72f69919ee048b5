package ci

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
)

// The action fetches what the lock names, on a machine that has nothing yet, and lints
// by that, whatever the tag leads to by now.
func TestActionWithALock(t *testing.T) {
	var a action
	read(t, "action.yml", &a)
	dir, temp, conf := repository(t), t.TempDir(), t.TempDir()
	ocjail := build(t, temp)
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		check(t, os.WriteFile(name, []byte(text), mode))
		return name
	}
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
		if o := run(t, dir, nil, ocjail, "bundle", "push", file, source); o.status != 0 {
			t.Fatal(o.output)
		}
	}
	inputs := map[string]string{"targets": "open", "config": config, "ocjail": ocjail, "pull": "true"}
	lint := func() outcome {
		t.Helper()
		newHome(t) // a machine that has nothing yet
		o, _ := a.lint(t, dir, temp, inputs)
		return o
	}

	publish("7", "error")
	newHome(t)
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
