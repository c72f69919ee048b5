package checker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Where is what the paths of policy sources begin with.
type Where struct {
	Home    string
	Project string // the project's root
}

// sources opens the policies of a configuration.
func sources(c *config.Config, at Where) ([]engine.Source, error) {
	var all []engine.Source
	seen := map[string]bool{}
	for _, p := range c.Policies {
		s, file, err := open(p, at)
		if err != nil {
			return nil, fmt.Errorf("policy %q of %s: %w", p.Name, p.Pos, err)
		}
		if !seen[file] { // a project's file and the module's options may name one
			all = append(all, s)
		}
		seen[file] = true
	}
	return all, nil
}

// open returns the source of a policy, and its path on the host. What a project
// names may not lead out of it, wherever the agent made links to.
func open(p config.Policy, at Where) (s engine.Source, file string, err error) {
	s = engine.Source{At: p.Pos.String(), Layer: p.Layer.String(), Untrusted: p.Layer == config.Project}
	file = p.Path
	if rest, ok := strings.CutPrefix(file, "{home}/"); ok {
		file = filepath.Join(at.Home, rest)
	}
	if filepath.IsAbs(file) {
		s.Name = fmt.Sprintf("policy %s (%s)", p.Name, file)
		s.FS, s.Root = regular{os.DirFS(filepath.Dir(file))}, filepath.Base(file)
	} else {
		s.Name = fmt.Sprintf("policy %s (%s of the project)", p.Name, file)
		root, err := os.OpenRoot(at.Project)
		if err != nil {
			return s, "", err
		}
		s.FS, s.Root = regular{beneath{root}}, file
		file = filepath.Join(at.Project, file)
	}
	info, err := fs.Stat(s.FS, s.Root)
	if err != nil {
		return s, "", err
	}
	if ext := filepath.Ext(s.Root); !info.IsDir() && ext != ".rego" && ext != ".wasm" {
		return s, "", fmt.Errorf("%s is neither a folder nor a .rego or .wasm file", file)
	}
	return s, file, nil
}

// beneath is a file system that no link leads out of. A FIFO does not block it.
type beneath struct{ root *os.Root }

func (b beneath) Open(name string) (fs.File, error) {
	return b.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// regular refuses what is neither a file nor a folder.
type regular struct{ fs.FS }

func (r regular) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("is neither a file nor a folder")}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
