package checker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// put writes an unsigned bundle into dir.
func put(t *testing.T, dir, name, hcl string, lists map[string]any) {
	t.Helper()
	r, err := bundle.ParseRevision("1")
	if err != nil {
		t.Fatal(err)
	}
	c := bundle.Content{Manifest: bundle.Manifest{Revision: r, Created: time.Now()}, Data: lists}
	if hcl != "" {
		c.Config = []byte(hcl)
	}
	archive, err := bundle.Write(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), archive, 0o644); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, l config.Layer, dir, name, text string) *config.File {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := config.LoadUntrusted(l, file)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// severity is how net/host-network counts after files.
func severity(t *testing.T, at checker.Where, files ...*config.File) (finding.Severity, *checker.Checker) {
	t.Helper()
	all, err := checker.OpenBundles(files, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := checker.Open(t.Context(), config.Merge(all...), at, checker.Keeping{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Setting("net/host-network").Severity, c
}

const (
	loud  = "rule \"net/host-network\" {\n  severity = \"error\"\n}\n"
	quiet = "rule \"net/host-network\" {\n  severity = \"warning\"\n}\n"
	named = "policy \"acme\" {\n  source = \"acme.tar.gz\"\n}\n"
)

// A bundle's configuration counts as a part of the file that names it, which has the
// last word, and loosens no more than that file may.
func TestBundleConfiguration(t *testing.T) {
	dir := t.TempDir()
	at := checker.Where{Home: dir, Project: dir}
	put(t, dir, "acme.tar.gz", loud, nil)
	if got, _ := severity(t, at, parse(t, config.Organisation, dir, "org.hcl", named)); got != finding.Error {
		t.Errorf("the bundle's: %s", got)
	}
	if got, _ := severity(t, at, parse(t, config.Organisation, dir, "org.hcl", named+quiet)); got != finding.Warning {
		t.Errorf("the file's last word: %s", got)
	}
	if got, c := severity(t, at, parse(t, config.Organisation, dir, "org.hcl", named), parse(t, config.User, dir, "user.hcl", quiet)); got != finding.Error || len(c.Ignored()) != 1 {
		t.Errorf("a less trusted file: %s, %v", got, c.Ignored())
	}
	put(t, dir, "weak.tar.gz", quiet, nil)
	weak := strings.ReplaceAll(named, "acme", "weak")
	got, c := severity(t, at, parse(t, config.Organisation, dir, "org.hcl", named), parse(t, config.User, dir, "user.hcl", weak))
	if got != finding.Error || len(c.Ignored()) != 1 || !strings.HasSuffix(c.Ignored()[0].Pos.File, "/weak.tar.gz/ocjail.hcl") {
		t.Errorf("a less trusted bundle: %s, %v", got, c.Ignored())
	}
	got, c = severity(t, at, parse(t, config.Project, dir, "ocjail.hcl", weak))
	if got == finding.Error || len(c.Ignored()) != 0 {
		t.Errorf("a project's bundle tightens: %s, %v", got, c.Ignored())
	}
}

func TestBundlesThatAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	at := checker.Where{Home: dir, Project: dir}
	if err := os.Mkdir(filepath.Join(dir, "folder.tar.gz"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "nested.tar.gz", named, nil)
	put(t, dir, "broken.tar.gz", "protekt = []", nil)
	put(t, dir, "lists.tar.gz", "", map[string]any{"ocjail": map[string]any{"tolerated": map[string]any{"sockets": []any{}}}})
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "out.tar.gz")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		layer config.Layer
		want  string
	}{
		"absent": {config.User, "no such file"}, "folder": {config.User, "is a folder and no bundle"}, "nested": {config.User, "nested.tar.gz/ocjail.hcl:1:1: a bundle's configuration can not name further policies"},
		"broken": {config.User, `broken.tar.gz/ocjail.hcl:1:1: an argument named "protekt"`}, "out": {config.Project, "out.tar.gz"}, "lists": {config.Project, "only trusted sources may extend ocjail's own lists"},
	} {
		f := parse(t, c.layer, dir, "x.hcl", strings.ReplaceAll(named, "acme", name))
		all, err := checker.OpenBundles([]*config.File{f}, at, nil)
		if err == nil {
			_, err = checker.Open(t.Context(), config.Merge(all...), at, checker.Keeping{})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	f := parse(t, config.User, dir, "x.hcl", strings.ReplaceAll(named, "acme", "lists"))
	if _, err := checker.Open(t.Context(), config.Merge(f), at, checker.Keeping{}); err == nil || !strings.Contains(err.Error(), "has not been opened") {
		t.Errorf("nobody opened it: %v", err)
	}
	if _, c := severity(t, at, f); c == nil {
		t.Error("a trusted bundle's lists are refused")
	}
}
