package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func itoa(n int) string { return strconv.Itoa(n) }

// world is a machine that was built, with a project on it.
type world struct {
	Machine
	root             string // where it was built
	project, workdir string
	disk             *disk
	fs               *host.FS
	facts            host.Facts
	filter           bool // a seccomp filter against TIOCSTI can be made
	setuid           bool // bwrap runs as root for everybody
}

// build makes the machine of a jail below root, which is empty and free of links.
func build(j Jail, root string) (*world, error) {
	m, err := readMachine(j.Machine)
	if err != nil {
		return nil, err
	}
	m.add(Machine{Files: j.Files, Env: j.Env})
	w := &world{Machine: m, root: root, filter: true}
	w.project = m.expand(or(j.Project, "~/app"))
	w.workdir = m.expand(or(j.WorkDir, w.project))
	w.Files["/proc/self/mountinfo"] = m.Mounts
	if _, marked := w.Files[or(m.Bwrap, "/usr/bin/bwrap")+"*"]; !marked {
		w.Files[or(m.Bwrap, "/usr/bin/bwrap")+"*"] = ""
	}
	w.Files["/etc/passwd"] += fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", m.User, *m.UID, *m.UID, m.Home)
	kinds, err := w.Machine.build(root)
	if err != nil {
		return nil, err
	}
	if err := w.setUp(j.Setup); err != nil {
		return nil, err
	}
	if w.disk, err = newDisk(root, kinds, w.owner); err != nil {
		return nil, err
	}
	w.fs = host.NewFSOn(w.disk)
	caller := host.Caller{Getenv: func(name string) string { return w.Env[name] }, UID: *m.UID, EUID: *m.UID, Landlock: 7}
	w.facts, err = caller.Gather(w.fs, w.project)
	return w, err
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// owner: what lies in the home and in the runtime directory is the user's.
func (w *world) owner(path string) uint32 {
	for _, dir := range []string{w.Home, "/run/user/" + itoa(*w.UID), w.project} {
		if _, ok := sandbox.Below(dir, path); ok {
			return uint32(*w.UID)
		}
	}
	return 0
}

// setUp runs the shell commands of a jail in its project, and lets what git wrote
// name the machine's paths.
func (w *world) setUp(commands string) error {
	if err := os.MkdirAll(filepath.Join(w.root, w.project), 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"/run/user/" + itoa(*w.UID)} {
		if err := os.Chmod(filepath.Join(w.root, dir), 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if commands == "" {
		return nil
	}
	sh := exec.Command("sh", "-euc", commands)
	sh.Dir = filepath.Join(w.root, w.project)
	sh.Env = []string{
		"PATH=" + os.Getenv("PATH"), "ROOT=" + w.root, "HOME=" + filepath.Join(w.root, w.Home), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Dev", "GIT_AUTHOR_EMAIL=dev@example.org", "GIT_COMMITTER_NAME=Dev", "GIT_COMMITTER_EMAIL=dev@example.org",
	}
	if out, err := sh.CombinedOutput(); err != nil {
		return fmt.Errorf("setup: %w\n%s", err, out)
	}
	return filepath.WalkDir(w.root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".git", "gitdir", "config", "config.worktree", "commondir"}, d.Name()) || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, []byte(strings.ReplaceAll(string(text), w.root, "")), 0o644)
	})
}

// check judges a jail on its machine.
func (w *world) check(ctx context.Context, j Jail) (*checker.Report, error) {
	words, err := w.words(j)
	if err != nil {
		return nil, err
	}
	s, err := sandbox.ParseArgv(words, nil)
	if err != nil {
		return nil, err
	}
	bwrap := &host.Bwrap{Path: or(w.Bwrap, "/usr/bin/bwrap"), Setuid: w.setuid}
	var environ []string
	for name, value := range w.Env {
		environ = append(environ, name+"="+value)
	}
	slices.Sort(environ)
	c := config.Default()
	resolved, err := checker.Resolve(checker.Request{
		Name: "jail", Phase: checker.Launch, Sandbox: s, FS: w.fs, Facts: w.facts, Bwrap: bwrap, Config: c, Cwd: w.workdir,
		Environ: environ, Interactive: j.Terminal == nil || *j.Terminal, CanFilter: w.filter,
	})
	if err != nil {
		return nil, err
	}
	opened, err := checker.Open(ctx, c, checker.Where{Home: w.Home, Project: w.project}, checker.Keeping{})
	if err != nil {
		return nil, err
	}
	return opened.Check(ctx, resolved)
}

// words is the jail's argv.
func (w *world) words(j Jail) ([]string, error) {
	switch {
	case j.Profile != "":
		return w.profileWords(j)
	case j.Saved != "":
		return w.savedWords(j.Saved)
	}
	text := j.Argv
	if j.Base {
		text = base + " " + text
	}
	return append(w.typed(text), "--", "/bin/sh"), nil
}

// typed splits words as one types them: "~" is the home but in quotes.
func (w *world) typed(text string) []string {
	var words []string
	for _, word := range strings.Fields(text) {
		if bare, quoted := strings.CutPrefix(word, "'"); quoted {
			word = strings.TrimSuffix(bare, "'")
		} else {
			word = w.expand(word)
		}
		words = append(words, word)
	}
	return words
}

// base is a small jail that no rule minds.
const base = `--unshare-user --unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup --clearenv --die-with-parent
	--setenv PATH /usr/bin:/bin --proc /proc --dev /dev --size 67108864 --tmpfs /tmp --size 67108864 --tmpfs ~ --ro-bind /usr /usr --symlink usr/bin /bin --bind ~/app ~/app`

func (w *world) profileWords(j Jail) ([]string, error) {
	p, err := profile.Embedded(j.Profile)
	if strings.Contains(j.Profile, "\n") {
		p, err = profile.Parse("jail.hcl", []byte(j.Profile))
	}
	if err != nil {
		return nil, err
	}
	h := profile.Host{
		User: w.facts.User, Home: w.facts.Home, Project: w.facts.ProjectRoot, WorkDir: w.workdir, CacheDir: w.facts.CacheDir,
		Lookup: func(name string) (string, bool) { v, ok := w.Env[name]; return v, ok },
		FS:     os.DirFS(w.root).(fs.ReadLinkFS),
		GitIdentity: func() (string, string, error) {
			id, err := w.fs.GitIdentity(w.facts)
			return id.Name, id.Email, err
		},
	}
	if w.facts.Git != nil {
		h.GitCommonDir = w.facts.Git.CommonDir
	}
	for _, dir := range p.Directories(h) { // as MakeDirectories, which writes to the real home
		if err := os.MkdirAll(filepath.Join(w.root, dir), 0o700); err != nil {
			return nil, err
		}
	}
	w.fs = host.NewFSOn(w.disk)
	return p.Argv(h, j.Add, j.Command)
}

// savedWords are those of an argv that jail.nix made, whose sources are made too.
func (w *world) savedWords(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var saved struct{ Options, Args []string }
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, err
	}
	i := slices.Index(saved.Options, "--args")
	words := slices.Concat(saved.Options[:i], saved.Args, saved.Options[i+2:])
	place := strings.NewReplacer("{world}/home/proj", w.project, "{world}/home", w.Home, "{world}/store", "/nix/store",
		"{world}/jail.nix", w.Home+"/.local/share/jail.nix", "{world}/host", "")
	for i, word := range words {
		words[i] = place.Replace(word)
	}
	for i, word := range words {
		if strings.HasPrefix(word, "--") && strings.Contains(word, "bind") {
			file := filepath.Join(w.root, words[i+1])
			if _, err := os.Lstat(file); err == nil {
				continue
			}
			mark := byte('/')
			if strings.Contains(file, "/bin/") || strings.Contains(file, "/etc/") || strings.Contains(file, "jail.nix/") || strings.Contains(file, "hostname") {
				mark = '*'
			}
			if err := makeFile(file, mark, ""); err != nil {
				return nil, err
			}
		}
	}
	w.fs = host.NewFSOn(w.disk)
	return append(words, "--", "/bin/sh"), nil
}
