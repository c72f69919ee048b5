package host

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxNames bounds how many names of a directory a * is tried on.
const maxNames = 4096

// base is what a placeholder stands for: no paths when it is known to be
// absent, err when that is unknown.
type base struct {
	paths []string
	err   error
}

// bases are the placeholders that the facts decide. What git takes for the
// project's repository without reason is watched as if it were: it obeys it.
func bases(facts Facts) map[string]base {
	var git Git
	if facts.Git != nil {
		git = *facts.Git
	}
	gitErr := facts.Unknown["git"]
	var strays []string
	for _, s := range git.Stray {
		strays = append(strays, s.Target)
	}
	return map[string]base{
		"":             {paths: []string{""}}, // an absolute path
		"{home}":       {paths: present(facts.Home)},
		"{project}":    {paths: present(facts.ProjectRoot)},
		"{git}":        {append(present(git.Dir), strays...), gitErr},
		"{git-common}": {append(present(git.CommonDir), strays...), gitErr},
		"{runtime}":    {facts.RuntimeDirs, facts.Unknown["runtime"]},
		"{state}":      {paths: present(facts.StateDir)},
		"{cache}":      {paths: present(facts.CacheDir)},
		"{config}":     {paths: present(facts.ConfigDir)},
		"{ssh-agent}":  {present(facts.SSHAgent), facts.Unknown["ssh-agent"]},
	}
}

// base returns what a placeholder stands for. Some have to be looked for, which
// is done when a template names them, once.
func (x *expansion) base(name string) (b base, known bool) {
	if b, known = x.bases[name]; known {
		return b, true
	}
	search, known := map[string]func() base{
		"{git-modules}":    x.modules,
		"{submodule}":      x.submodules,
		"{git-hooks-path}": x.hooksPaths,
	}[name]
	if known {
		b = search()
		x.bases[name] = b
	}
	return b, known
}

func present(path string) []string {
	if path == "" {
		return nil
	}
	return []string{path}
}

// paths returns what a template stands for on this host.
func (x *expansion) paths(template string) ([]string, error) {
	slash := strings.IndexByte(template+"/", '/')
	name, rest := template[:slash], template[slash:]
	if err := checkRest(rest); err != nil {
		return nil, err
	}
	b, known := x.base(name)
	switch {
	case !known || template == "":
		return nil, fmt.Errorf("it begins with %q: begin with / or one of {home}, {project}, {git}, {git-common}, {git-modules}, "+
			"{git-hooks-path}, {submodule}, {runtime}, {state}, {cache}, {config}, {ssh-agent}", name)
	case b.err != nil:
		return nil, b.err
	}
	var paths []string
	for _, dir := range b.paths {
		paths = append(paths, x.expandStar(strings.TrimSuffix(dir, "/"), rest)...)
	}
	return paths, nil
}

func checkRest(rest string) error {
	if rest != "" && (filepath.Clean(rest) != rest || strings.ContainsRune(rest, 0)) {
		return fmt.Errorf("%q is not clean: leave out //, . and .. components and the slash at the end", rest)
	}
	if strings.Count(rest, "*") > 1 {
		return errors.New("it has more than one *: only one, in one component, is supported")
	}
	return nil
}

// expandStar lists the directory that a * stands in. A directory that cannot
// be listed, or has too many names, is watched itself: whoever can write all of
// it can write what the * would have matched. An absent one matches nothing.
func (x *expansion) expandStar(base, rest string) []string {
	star := strings.IndexByte(rest, '*')
	if star < 0 {
		return []string{cmp.Or(base+rest, "/")}
	}
	slash := strings.LastIndexByte(rest[:star], '/')
	dir := base + rest[:slash]
	pattern, rest, more := strings.Cut(rest[slash+1:], "/")
	prefix, suffix, _ := strings.Cut(pattern, "*")
	names, err := x.names(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []string{cmp.Or(dir, "/")}
	}
	var paths []string
	for _, name := range names {
		if len(name) < len(prefix)+len(suffix) || !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, suffix) {
			continue
		}
		if filepath.Base(dir) == "hooks" && strings.HasSuffix(name, ".sample") {
			continue // git's templates, a dozen in most repositories, which it does not run
		}
		match := dir + "/" + name
		if !more {
			paths = append(paths, match)
		} else if real, err := x.fs.RealPath(match); err != nil || real.Stat.Type == sandbox.Dir {
			paths = append(paths, match+"/"+rest)
		}
	}
	return paths
}

// names lists a directory, sorted.
func (x *expansion) names(dir string) ([]string, error) {
	real, err := x.fs.RealPath(dir + "/")
	if err != nil {
		return nil, err
	}
	names, err := x.fs.Names(real.Path, maxNames+1)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w: %w", dir, sandbox.ErrUnknown, err)
	}
	if len(names) > maxNames {
		return nil, fmt.Errorf("list %s: %w: it has more than %d names", dir, sandbox.ErrUnknown, maxNames)
	}
	slices.Sort(names)
	return names, nil
}

// Names returns at most so many names of the directory at dir, whose parents are
// no links, in no order.
func (f *FS) Names(dir string, most int) ([]string, error) {
	key := listing{dir, most}
	if names, ok := f.names.of(key); ok {
		return slices.Clone(names), nil
	}
	names, err := f.list(dir, most)
	if err != nil {
		return nil, err
	}
	return slices.Clone(f.names.note(key, names)), nil
}

// listing is a directory that was read, as far as so many names.
type listing struct {
	dir  string
	most int
}

func (f *FS) list(dir string, most int) ([]string, error) {
	fd, err := f.disk.Open(dir, unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	d := os.NewFile(uintptr(fd), dir)
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(most)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}
