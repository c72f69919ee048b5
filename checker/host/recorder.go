package host

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Recorder is this machine, and remembers what was asked of it.
type Recorder struct {
	local
	mu             sync.Mutex
	paths, follows map[string]SavedPath
}

var _ Disk = (*Recorder)(nil)

// NewRecorder returns one that has been asked nothing.
func NewRecorder() *Recorder {
	return &Recorder{paths: map[string]SavedPath{}, follows: map[string]SavedPath{}}
}

// Lstat implements [Disk].
func (r *Recorder) Lstat(path string) (sandbox.Stat, error) {
	st, err := r.local.Lstat(path)
	r.note(r.paths, path, st, err)
	return st, err
}

// Follow implements [Disk].
func (r *Recorder) Follow(path string) (sandbox.Stat, error) {
	st, err := r.local.Follow(path)
	r.note(r.follows, path, st, err)
	return st, err
}

// note leaves out what could not be told: to whom it is read it is unknown too.
func (r *Recorder) note(in map[string]SavedPath, path string, st sandbox.Stat, err error) {
	p := SavedPath{string(st.Type), st.Target, st.Dev, st.Ino, st.UID, st.Mode, st.Nlink}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p = SavedPath{Type: absentType}
	case err != nil:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	in[path] = p
}

// Save returns what was looked at. Paths below the projects' roots are left out, for
// whoever reads it has the project.
func (r *Recorder) Save(f Facts, b *Bwrap, projects ...string) (*Saved, error) {
	s := &Saved{
		Version: SavedVersion, Paths: map[string]SavedPath{}, Follows: map[string]SavedPath{}, Tables: map[string]string{},
		Facts: SavedFacts{
			User: f.User, UID: f.UID, EUID: f.EUID, Home: f.Home, HomeReal: f.HomeReal, RuntimeDir: f.RuntimeDir, RuntimeDirs: f.RuntimeDirs,
			SSHAgent: f.SSHAgent, ConfigDir: f.ConfigDir, ConfigHome: f.ConfigHome, StateDir: f.StateDir, CacheDir: f.CacheDir, LegacyTIOCSTI: f.LegacyTIOCSTI, Landlock: f.Landlock,
			UserNS: f.UserNS, AppArmorUserNS: f.AppArmorUserNS, AppArmorBwrap: f.AppArmorBwrap, Unknown: map[string]string{},
		},
	}
	for name, err := range f.Unknown {
		s.Facts.Unknown[name] = err.Error()
	}
	if b != nil {
		s.Bwrap = &SavedBwrap{b.Path, b.Setuid}
	}
	for _, name := range savedTables {
		data, err := readProc(name, mountinfoLimit)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			s.Tables[name] = string(data)
		}
	}
	if err := s.saveHooksPaths(NewFSOn(r), f); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range []struct{ from, to map[string]SavedPath }{{r.paths, s.Paths}, {r.follows, s.Follows}} {
		for path, st := range m.from {
			inProject := func(root string) bool {
				_, below := sandbox.Below(root, path)
				return below
			}
			if !slices.ContainsFunc(projects, inProject) {
				m.to[path] = st
			}
		}
	}
	return s, nil
}

// saveHooksPaths keeps one setting of the user's configuration of git.
func (s *Saved) saveHooksPaths(fsys *FS, f Facts) error {
	for _, file := range userGitConfigs(f) {
		config, err := fsys.readGitConfig(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		real, err := fsys.RealPath(file)
		if err != nil {
			return err
		}
		text := ""
		if path, ok := config["core.hookspath"]; ok {
			text = `[core] hooksPath = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(path) + "\"\n"
		}
		s.Tables[real.Path] = text
	}
	return nil
}
