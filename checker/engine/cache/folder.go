package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Place is where a user's cache and its key lie.
type Place struct {
	// Cache is ocjail's own folder below the user's cache folder.
	Cache string
	// Home is the user's as the password file has it, resolved.
	Home string
}

// dirName is the cache's folder within ocjail's.
const dirName = "rules"

// Dir is the folder that Open makes.
func (p Place) Dir() string { return filepath.Join(p.Cache, dirName) }

// KeyFile is the key that Open makes.
func (p Place) KeyFile() string { return filepath.Join(append([]string{p.Home}, keyPath...)...) }

// Open makes and opens the cache, and its key. It is an error for either to be
// where others could have written or read; the message names the mend. Rules can be
// judged without a cache, slower.
func Open(p Place) (*Cache, error) {
	key, err := openKey(p)
	if err != nil {
		return nil, err
	}
	// The folder around ocjail's is what the user, or XDG_CACHE_HOME, made it, links
	// included.
	around := filepath.Dir(p.Cache)
	if err := os.MkdirAll(around, 0o700); err != nil {
		return nil, fmt.Errorf("the rules' cache: %w", err)
	}
	if around, err = filepath.EvalSymlinks(around); err != nil {
		return nil, fmt.Errorf("the rules' cache: %w", err)
	}
	fd, err := descend(around, folder{name: filepath.Base(p.Cache), forbidden: 0o022}, folder{name: dirName, forbidden: 0o077})
	if err != nil {
		return nil, fmt.Errorf("the rules' cache: %w", err)
	}
	return &Cache{Dir: p.Dir(), KeyFile: p.KeyFile(), folder: os.NewFile(uintptr(fd), p.Dir()), key: key}, nil
}

// folder is a step of a path.
type folder struct {
	name      string
	forbidden uint32 // permissions that it may not have
	roots     bool   // it may be root's, as what a container's volume is mounted on
}

// descend opens a folder below another, which may be reached by links, and makes
// what is missing. Each step has to be a folder, and no link.
func descend(from string, steps ...folder) (int, error) {
	at, err := unix.Open(from, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: from, Err: err}
	}
	path := from
	for _, step := range steps {
		path = filepath.Join(path, step.name)
		next, err := enter(at, path, step)
		unix.Close(at)
		if err != nil {
			return -1, err
		}
		at = next
	}
	return at, nil
}

func enter(at int, path string, step folder) (int, error) {
	fd, err := openat(at, step.name, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, unix.ENOENT) {
		if err := unix.Mkdirat(at, step.name, 0o700); err != nil && err != unix.EEXIST {
			return -1, &os.PathError{Op: "mkdir", Path: path, Err: err}
		}
		fd, err = openat(at, step.name, unix.O_RDONLY|unix.O_DIRECTORY)
	}
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOTDIR):
		return -1, fmt.Errorf("%s is no folder, or a link to one: move it away", path)
	case err != nil:
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		err = step.check(path, st)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (f folder) check(path string, st unix.Stat_t) error {
	if int(st.Uid) != os.Getuid() && !(f.roots && st.Uid == 0) {
		return fmt.Errorf("%s belongs to user %d, not to you: move it away", path, st.Uid)
	}
	if mode := uint32(st.Mode) & 0o777; mode&f.forbidden != 0 {
		return fmt.Errorf("others can open %s (mode %04o): chmod go-rwx '%s'", path, mode, path)
	}
	return nil
}

// openat follows no link, and waits for nobody who writes to a FIFO.
func openat(at int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
