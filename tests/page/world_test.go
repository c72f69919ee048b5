package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// worldVariable names the directory of a world for which this program, started with
// it, writes its jails and answers: it does so where more is mounted.
const worldVariable = "OCJAIL_PAGE_WORLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(worldVariable); dir != "" {
		if err := answers(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// asked is a jail's page, and what Go answers for paths.
type asked struct {
	Name string
	HTML string
	Asks []ask
}

type ask struct {
	Path, Real string
	Exists     bool
	Ways       []string
}

// build makes the files of a world in dir.
func build(dir string) error {
	for _, d := range []string{"project/.git/hooks", "project/src/deep/er", "project/mnt", "secret", "shared/sub", "alias", "disk", "upper", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	for _, f := range []string{"project/.git/config", "project/.git/HEAD", "project/src/deep/file", "secret/key", "shared/sub/file", "upper/up"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			return err
		}
	}
	for link, target := range map[string]string{"project/link": "../secret", "project/src/up": "../.git", "away": dir + "/shared/sub", "dangling": "nowhere/x"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			return err
		}
	}
	return nil
}

// jails are argv by name; W stands for the world's directory.
func jails(w string) map[string][]string {
	return map[string][]string{
		"plain":   {"--ro-bind", "/usr", "/usr", "--bind", w + "/project", w + "/project", "--tmpfs", w + "/project/src/deep", "--ro-bind", w + "/secret", "/keys", "--proc", "/proc", "--dev", "/dev"},
		"aliases": {"--bind", w + "/alias", "/a", "--ro-bind", w + "/shared/sub", "/b", "--bind", w + "/project", "/p", "--ro-bind", w + "/project/src", "/p/src"},
		"root":    {"--ro-bind", "/", "/", "--bind", w, w, "--tmpfs", w + "/secret", "--dev", "/dev", "--proc", "/proc"},
		"buried":  {"--bind", w + "/project", "/p", "--ro-bind", w + "/project/src/deep/er", "/p/src/deep/er", "--tmpfs", "/p/src", "--bind", w + "/project/src", "/w"},
		"overlay": {"--overlay-src", w + "/shared", "--overlay-src", w + "/secret", "--tmp-overlay", "/o", "--overlay-src", w + "/shared", "--overlay", w + "/upper", w + "/work", "/oo"},
		"files":   {"--bind", w + "/shared/sub/file", "/f", "--ro-bind", w + "/project/link", "/l", "--bind", w + "/disk", "/d", "--dev-bind", "/dev/null", "/n"},
		"around":  {"--bind", w + "/project", "/p", "--bind", w + "/project", "/again", "--ro-bind", w + "/project/link", "/l", "--ro-bind", w + "/project/mnt", "/m"},
	}
}

func resolve(name, project string, argv []string) (*checker.Jail, error) {
	s, err := sandbox.ParseArgv(append(slices.Clone(argv), "--", "/usr/bin/true"), nil)
	if err != nil {
		return nil, err
	}
	files := host.NewFS()
	facts, err := host.Gather(files, project)
	if err != nil {
		return nil, err
	}
	return checker.Resolve(checker.Request{
		Name: name, Phase: checker.Lint, Sandbox: s, FS: files, Facts: facts, Config: config.Default(), Cwd: project, CanFilter: true,
	})
}

// document is the page of j with findings.
func document(j *checker.Jail, found ...finding.Finding) (string, error) {
	p, err := report.NewPage(&checker.Report{Jail: j, Findings: found, Rules: 1})
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = p.Write(&b)
	return b.String(), err
}

// answers writes the asked of every jail, as JSON.
func answers(dir string) error {
	var all []asked
	for name, argv := range jails(dir) {
		j, err := resolve(name, dir+"/project", argv)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		a := asked{Name: name}
		if a.HTML, err = document(j); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, p := range questions(dir, j) {
			w, err := report.NewWhy(j, p)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			q := ask{Path: p, Real: w.Real, Exists: w.Exists, Ways: []string{}}
			for _, way := range w.Ways {
				link := ""
				if way.How == "link" {
					link = way.Path
				}
				q.Ways = append(q.Ways, way.Access+" "+way.How+" "+link+" as "+way.Inside+" by "+way.Cause.Option)
			}
			slices.Sort(q.Ways)
			a.Asks = append(a.Asks, q)
		}
		all = append(all, a)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

// questions are paths in and around what a jail shows, there and absent.
func questions(dir string, j *checker.Jail) []string {
	paths := []string{"/", "/usr/bin", "/usr/bin/env", "/usr/nothing", "/etc", "/etc/passwd", "/proc", "/proc/1", "/dev/null", "/nothing/at/all", "/bin", "/bin/awk", dir, filepath.Dir(dir), "/tmp/../etc", dir + "/project/../secret/key", dir + "//shared/./sub"}
	for _, s := range j.Tree.Shown() {
		paths = append(paths, s.Source, filepath.Dir(s.Source), s.Source+"/absent-file", s.Source+"/absent/deeper")
	}
	for _, w := range j.Watched {
		paths = append(paths, w.Path)
	}
	_ = filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err == nil {
			paths = append(paths, p, p+"/absent")
		}
		return nil
	})
	slices.Sort(paths)
	return slices.Compact(paths)
}

// elsewhere runs answers where more is mounted: a directory under two names, a
// file system in the world and, once more, within the project.
func elsewhere(t *testing.T) []asked {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := build(dir); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("bwrap", "--dev-bind", "/", "/", "--bind", dir+"/shared", dir+"/alias", "--tmpfs", dir+"/disk", "--dir", dir+"/disk/sub",
		"--bind", dir+"/disk", dir+"/project/mnt", "--bind", dir+"/secret", dir+"/project/src/deep/er", "--", self)
	c.Env = append(os.Environ(), worldVariable+"="+dir)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	var all []asked
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all
}
