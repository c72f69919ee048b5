package host

import (
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// In returns the host's disk and facts for a project of this machine, of which only
// the files below its root are looked at here. What the saved host was not asked is
// unknown.
func (s *Saved) In(projectRoot string) (*FS, Facts, error) {
	here, err := NewFS().directory(projectRoot)
	if err != nil {
		return nil, Facts{}, fmt.Errorf("project root: %w", err)
	}
	fsys := NewFSOn(&savedDisk{saved: s, root: here.Path})
	f := s.Facts
	facts := Facts{
		User: f.User, UID: f.UID, EUID: f.EUID, Home: f.Home, HomeReal: f.HomeReal, ProjectRoot: here.Path, RuntimeDir: f.RuntimeDir,
		RuntimeDirs: f.RuntimeDirs, SSHAgent: f.SSHAgent, ConfigDir: f.ConfigDir, ConfigHome: f.ConfigHome, StateDir: f.StateDir, CacheDir: f.CacheDir,
		LegacyTIOCSTI: f.LegacyTIOCSTI, Landlock: f.Landlock, UserNS: f.UserNS, AppArmorUserNS: f.AppArmorUserNS, AppArmorBwrap: f.AppArmorBwrap,
		Unknown: map[string]error{},
	}
	for name, reason := range f.Unknown {
		if name != "git" {
			facts.Unknown[name] = fmt.Errorf("%w: %s", sandbox.ErrUnknown, reason)
		}
	}
	facts.Git, err = fsys.FindGit(here.Path)
	facts.unknown("git", err)
	return fsys, facts, nil
}

// RealBwrap is the host's bubblewrap, nil for none.
func (s *Saved) RealBwrap() *Bwrap {
	if s.Bwrap == nil {
		return nil
	}
	return &Bwrap{Path: s.Bwrap.Path, ID: s.Paths[s.Bwrap.Path].stat().ID(), Setuid: s.Bwrap.Setuid}
}

// savedDisk shows a saved host, and below root, and on the way to it, this machine.
type savedDisk struct {
	local
	saved *Saved
	root  string
}

func (d *savedDisk) here(path string) bool {
	_, below := sandbox.Below(d.root, path)
	return below
}

func (d *savedDisk) Lstat(path string) (sandbox.Stat, error) {
	if d.here(path) {
		return d.local.Lstat(path)
	}
	st, err := d.recorded(d.saved.Paths, path)
	if err != nil && strings.HasPrefix(d.root, path+"/") {
		return d.local.Lstat(path) // the way to the project
	}
	return st, err
}

func (d *savedDisk) Follow(path string) (sandbox.Stat, error) {
	if d.here(path) {
		return d.local.Follow(path)
	}
	st, err := d.recorded(d.saved.Follows, path)
	if err != nil && strings.HasPrefix(d.root, path+"/") {
		return d.local.Follow(path)
	}
	return st, err
}

func (d *savedDisk) recorded(in map[string]SavedPath, path string) (sandbox.Stat, error) {
	p, ok := in[path]
	switch {
	case !ok:
		return sandbox.Stat{}, fmt.Errorf("look up %s: %w: the saved host was not asked", path, sandbox.ErrUnknown)
	case p.Type == absentType:
		return sandbox.Stat{}, absent(path)
	}
	return p.stat(), nil
}

func (p SavedPath) stat() sandbox.Stat {
	return sandbox.Stat{Type: sandbox.FileType(p.Type), Target: p.Target, Dev: p.Dev, Ino: p.Ino, UID: p.UID, Mode: p.Mode, Nlink: p.Nlink}
}

// Open opens a file of the project. Of others the saved host has no content but what
// savedContent tells.
func (d *savedDisk) Open(path string, flags int) (int, error) {
	if d.here(path) {
		return d.local.Open(path, flags)
	}
	return -1, fmt.Errorf("open %s: %w: the saved host has no content of files", path, sandbox.ErrUnknown)
}

// savedContent is what a saved host has of a file elsewhere than in the project: of the
// kernel's tables, and of Git's configuration.
func savedContent(d Disk, path string) ([]byte, bool) {
	saved, ok := d.(*savedDisk)
	if !ok || saved.here(path) {
		return nil, false
	}
	text, ok := saved.saved.Tables[path]
	return []byte(text), ok
}
