package checker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// Where is what the paths of policy sources begin with.
type Where struct {
	Home    string
	Project string // the project's root
}

// of is where the paths of a policy begin, whose file may be that of a project above.
func (at Where) of(p config.Policy) Where {
	if p.Root != "" {
		at.Project = p.Root
	}
	return at
}

// sources opens the policies of a configuration, whose bundles are open.
func sources(c *config.Config, at Where) ([]engine.Source, error) {
	var all []engine.Source
	seen := map[string]bool{}
	for _, p := range c.Policies {
		s, file, err := open(p, at)
		switch {
		case err != nil || !p.Bundle:
		case p.Opened == nil:
			err = errors.New("its bundle has not been opened")
		default:
			s = bundled(p, s)
			file = p.Opened.Digest // a more trusted file may name the same bundle elsewhere
		}
		if err != nil {
			return nil, fmt.Errorf("policy %q of %s: %w", p.Name, p.Pos, err)
		}
		// A project's file and the module's options may name one.
		if !seen[file] && (!p.Bundle || len(p.Opened.Files) > 0) {
			all = append(all, s)
		}
		seen[file] = true
	}
	return all, nil
}

// bundled is the source of an open bundle. Its plan is used if it is for this
// ocjail and comes from somebody trusted: it judges in this process.
func bundled(p config.Policy, s engine.Source) engine.Source {
	b := p.Opened
	s.FS, s.Root, s.Texts, s.Bundle = nil, "", b.Files, b.Digest
	if b.Plan != nil && b.Manifest.Pack == worker.Identity().Pack && !s.Untrusted {
		s.Plan = b.Plan
	}
	return s
}

// open returns the source of a policy, and its path on the host, "" for a candidate.
func open(p config.Policy, at Where) (s engine.Source, file string, err error) {
	at = at.of(p)
	s = engine.Source{At: p.Pos.String(), Layer: p.Layer.String(), Untrusted: p.Layer.Untrusted()}
	if p.Candidate != nil {
		s.Name = fmt.Sprintf("policy %s (%s)", p.Name, nameOf(&p, at))
		return s, "", nil
	}
	l, err := at.locate(p.Path)
	if err != nil {
		return s, "", err
	}
	s.FS, s.Root = l.fs, l.root
	switch {
	case p.Remote != nil:
		l.shown = p.Remote.String()
	case p.Root != "": // of a project above
		l.shown = l.file
	}
	s.Name = fmt.Sprintf("policy %s (%s)", p.Name, l.shown)
	info, err := fs.Stat(l.fs, l.root)
	if err != nil {
		return s, "", l.failed(err)
	}
	switch ext := filepath.Ext(l.root); {
	case p.Bundle && info.IsDir():
		return s, "", fmt.Errorf("%s is a folder and no bundle: name the .tar.gz file (an input of a flake stays one with url = \"file+https://…\")", l.file)
	case !p.Bundle && !info.IsDir() && ext != ".rego" && ext != ".wasm":
		return s, "", fmt.Errorf("%s is neither a folder nor a .rego or .wasm file", l.file)
	}
	return s, l.file, nil
}

// located is a file or folder that the configuration names.
type located struct {
	fs    fs.FS
	root  string // in fs
	file  string // on the host
	shown string // for messages
}

// failed names the whole path in an error that has the name below a folder.
func (l located) failed(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return fmt.Errorf("%s: %w", l.file, err)
}

// locate finds what a configuration names. What a project names may not lead out of
// it, wherever the agent made links to.
func (at Where) locate(name string) (l located, err error) {
	l.file = at.File(name)
	l.shown = l.file
	if filepath.IsAbs(name) || strings.HasPrefix(name, "{home}/") {
		l.fs, l.root = engine.Folder(filepath.Dir(l.file)), filepath.Base(l.file)
		return l, nil
	}
	root, err := os.OpenRoot(at.Project)
	if err != nil {
		return l, err
	}
	l.fs, l.root, l.shown = engine.Regular(beneath{root}), name, name+" of the project"
	return l, nil
}

// File is the path on the host of what a configuration names.
func (at Where) File(name string) string {
	if rest, ok := strings.CutPrefix(name, "{home}/"); ok {
		return filepath.Join(at.Home, rest)
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(at.Project, name)
}

// read reads a file of at most so many bytes.
func (l located) read(most int64) ([]byte, error) {
	f, err := l.fs.Open(l.root)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d KiB: name another file", l.file, most>>10)
	}
	return text, errors.Join(err, f.Close())
}

// beneath is a file system that no link leads out of. A FIFO does not block it.
type beneath struct{ root *os.Root }

func (b beneath) Open(name string) (fs.File, error) {
	return b.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
