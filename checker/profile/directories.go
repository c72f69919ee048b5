package profile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// cache is the host's directory for the jail's cache at dest: one for each
// project, named so that a person can tell which it is.
func (h Host) cache(dest string) string {
	sum := sha256.Sum256([]byte(h.Project))
	project := fmt.Sprintf("%s-%x", url.PathEscape(path.Base(h.Project)), sum[:8])
	return path.Join(h.CacheDir, "caches", project, url.PathEscape(dest))
}

// Directories lists the host's directories that the jail needs and that
// MakeDirectories creates: of mounts with create = true, and the caches.
func (p *Profile) Directories(h Host) []string {
	var dirs []string
	for _, m := range p.body.Mounts {
		if m.Create {
			dirs = append(dirs, h.expand(m.Path))
		}
	}
	for _, c := range p.body.Caches {
		dirs = append(dirs, h.cache(h.expand(c)))
	}
	return dirs
}

// MakeDirectories creates, with mode 0700, those of Directories that are
// absent. Call it before the launch is checked: bwrap binds only what exists.
// Below the home, a directory that exists may be reached through links that
// stay in the home; nothing is created through one.
func (p *Profile) MakeDirectories(h Host) error {
	for _, dir := range p.Directories(h) {
		if err := makeDirectory(h.Home, dir); err != nil {
			return err
		}
	}
	return nil
}

func makeDirectory(home, dir string) error {
	base := "/"
	if below(dir, home) {
		real, err := filepath.EvalSymlinks(home) // the home itself is the administrator's word
		if err != nil {
			return fmt.Errorf("home directory: %w", reason(err))
		}
		done, err := isLinkedInside(real, dir)
		if done || err != nil {
			return err
		}
		base, dir = real, path.Join(real, strings.TrimPrefix(dir, home))
	}
	return makeBelow(base, strings.TrimPrefix(strings.TrimPrefix(dir, base), "/"))
}

// isLinkedInside tells whether dir is there already. One that links lead out of
// the home is an error: who made the link would choose what the jail may write.
func isLinkedInside(home, dir string) (bool, error) {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot resolve %s: %w", hclfile.Escape(dir), reason(err))
	}
	if !below(real, home) || real == home {
		return false, fmt.Errorf("%s leads out of the home, to %s: mount that path by its own name instead", hclfile.Escape(dir), hclfile.Escape(real))
	}
	info, err := os.Lstat(real)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a directory: move it away")
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", hclfile.Escape(dir), reason(err))
	}
	return true, nil
}

// makeBelow creates rel below base one component at a time, each opened from
// its parent's descriptor, so that no link planted meanwhile is followed.
func makeBelow(base, rel string) error {
	const flags = openPath | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(base, flags, 0)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", hclfile.Escape(base), err)
	}
	at := base
	for _, name := range strings.Split(rel, "/") {
		at = path.Join(at, name)
		if err = unix.Mkdirat(fd, name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
			_ = unix.Close(fd)
			return fmt.Errorf("cannot create %s: %w", hclfile.Escape(at), err)
		}
		next, err := unix.Openat(fd, name, flags, 0)
		_ = unix.Close(fd)
		if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
			return fmt.Errorf("%s is a symbolic link or no directory: create what lies below it yourself, or move it away", hclfile.Escape(at))
		}
		if err != nil {
			return fmt.Errorf("cannot open %s: %w", hclfile.Escape(at), err)
		}
		fd = next
	}
	_ = unix.Close(fd)
	return nil
}
