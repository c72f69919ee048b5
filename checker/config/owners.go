package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Owners tells whose files are trusted.
type Owners struct {
	UID int
	// Root tells whether an owner is root: in a user namespace the host's has
	// another number.
	Root func(uid uint32) (bool, error)
	// Alone tells whether what a group may write of the file or folder at path the user
	// alone may, as where umask 002 goes with a group for each user. Nil: never.
	Alone func(path string, gid uint32) (bool, error)
}

// check keeps others' hands off a file that can switch rules off, and off the
// directories that it lies in.
func (o Owners) check(p Place, real string, info os.FileInfo) error {
	if err := o.owned(p.Layer, real, info); err != nil {
		return err
	}
	why, err := o.shared(p.Layer, real, info)
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("%s can be written by others (%s): run chmod go-w on it", hclfile.Escape(p.Path), why)
	}
	for _, name := range []string{p.Path, real} {
		for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
			if err := o.directory(p.Layer, dir); err != nil {
				return err
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return nil
}

func (o Owners) directory(l Layer, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("cannot look at %s: %w", hclfile.Escape(dir), cause(err))
	}
	if err := o.owned(l, dir, info); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSticky != 0 || l != Organisation && rootsGroup(info) {
		return nil
	}
	why, err := o.shared(l, dir, info)
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("others can put a file of theirs into %s (%s): run chmod go-w on it", hclfile.Escape(dir), why)
	}
	return nil
}

// rootsGroup tells that only root, and whom root made one of its group, may write a
// folder: container images that run as any user have such homes.
func rootsGroup(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Gid == 0 && info.Mode().Perm()&0o002 == 0
}

// shared tells how others may write what has this mode; "" when they may not.
func (o Owners) shared(l Layer, name string, info os.FileInfo) (string, error) {
	mode := info.Mode().Perm()
	if mode&0o022 == 0 {
		return "", nil
	}
	why := fmt.Sprintf("mode %04o", mode)
	stat, ok := info.Sys().(*syscall.Stat_t)
	if mode&0o002 != 0 || !ok || l == Organisation || o.Alone == nil {
		return why, nil
	}
	alone, err := o.Alone(name, stat.Gid)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s has %s, and who is in group %d is not known: %w: run chmod g-w on it", hclfile.Escape(name), why, stat.Gid, err)
	case alone:
		return "", nil
	}
	return fmt.Sprintf("%s, and group %d is not yours alone", why, stat.Gid), nil
}

func (o Owners) owned(l Layer, name string, info os.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the owner of %s is unknown: keep it on a local file system", hclfile.Escape(name))
	}
	root, err := o.Root(stat.Uid)
	if err != nil || root {
		return err
	}
	switch {
	case l == Organisation:
		return fmt.Errorf("%s belongs to user %d, and an organisation's configuration must be root's: run chown root on it", hclfile.Escape(name), stat.Uid)
	case int(stat.Uid) != o.UID:
		return fmt.Errorf("%s belongs to user %d, who could switch rules off: make it yours or root's with chown", hclfile.Escape(name), stat.Uid)
	}
	return nil
}
