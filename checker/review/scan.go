package review

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds of a scan.
const (
	maxScanned   = 4_000_000 // entries
	maxScanDepth = 200       // a descriptor each
	maxScanPath  = 2048      // bytes; what is looked at later must fit PATH_MAX
)

// scanner walks an area for what git takes for repositories.
type scanner struct {
	path  string
	left  int
	found []string // .git, of whatever type, bare repositories' folders, and markers
	// deep are folders below which it did not look, closed those that it can not
	// list.
	deep, closed []string
}

// scan returns the repositories in every area: each .git, and each folder that
// looks like a git directory; and the markers of other projects. It looks into a .git as well, for a link from
// elsewhere may lead there.
func (l *looker) scan() (found, deep []string, err error) {
	left := maxScanned
	for _, a := range l.areas {
		if !a.whole {
			continue
		}
		s := scanner{path: a.path, left: left}
		fd, err := a.open("", unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			return nil, nil, fmt.Errorf("scan %s: %w", a.path, err)
		}
		if !kernels(fd) {
			err = s.dir(fd, "", 0)
		}
		unix.Close(fd)
		if err != nil {
			return nil, nil, fmt.Errorf("scan %s: %w", a.path, err)
		}
		left, found, deep = s.left, append(found, s.found...), append(deep, s.deep...)
		l.closed = append(l.closed, s.closed...)
	}
	slices.Sort(found)
	return found, deep, nil
}

func (s *scanner) dir(fd int, rel string, depth int) error {
	list, err := readDir(fd, max(s.left, 0))
	if err != nil {
		return err
	}
	if s.left -= len(list); s.left < 0 || depth > maxScanDepth || len(s.path)+len(rel) > maxScanPath {
		s.deep = append(s.deep, filepath.Join(s.path, rel))
		return nil
	}
	if isGitDir(list) && !isDotGit(filepath.Base(rel)) {
		s.found = append(s.found, filepath.Join(s.path, rel))
	}
	for _, d := range list {
		if isDotGit(d.name) || isMarker(d.name) && !inGit(rel) {
			s.found = append(s.found, filepath.Join(s.path, rel, d.name))
		}
		if d.kind != unix.DT_DIR {
			continue
		}
		if err := s.enter(fd, filepath.Join(rel, d.name), d.name, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) enter(parent int, rel, name string, depth int) error {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_XDEV}
	fd, err := openat2(parent, name, &how)
	mounted := errors.Is(err, unix.EXDEV)
	if mounted {
		how.Resolve = 0
		fd, err = openat2(parent, name, &how)
	}
	if err == nil {
		defer unix.Close(fd)
		if mounted && kernels(fd) {
			return nil
		}
		err = s.dir(fd, rel, depth+1)
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return nil // gone, or another thing by now
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOTCONN), errors.Is(err, unix.ESTALE), errors.Is(err, unix.EIO):
		if searchable(parent, name) { // else closed to the user's git as well
			s.closed = append(s.closed, filepath.Join(s.path, rel))
		}
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", rel, err)
	}
	return nil
}

// kernels tells whether a folder is of a file system that is made of the kernel's own
// state, in which nobody can make a repository (statfs(2)). To walk /proc takes long
// and fails, for processes end meanwhile.
func kernels(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch int64(uint32(st.Type)) { // 32 bits wide on some systems
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEVPTS_SUPER_MAGIC,
		unix.SECURITYFS_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.PSTOREFS_MAGIC, unix.SELINUX_MAGIC:
		return true
	}
	return false
}

// isGitDir tells whether a folder of these names is what git takes for a
// repository's: a HEAD with objects and refs, or with a commondir that says
// where these are (setup.c, is_git_directory).
func isGitDir(list []dirent) bool {
	var head, objects, refs, common bool
	for _, d := range list {
		head = head || d.name == "HEAD"
		objects = objects || d.name == "objects"
		refs = refs || d.name == "refs"
		common = common || d.name == "commondir"
	}
	return head && (objects && refs || common)
}

// isGitDir asks it of a folder by these names, however many others it holds.
func (l *looker) isGitDir(path string) (bool, error) {
	var list []dirent
	for _, name := range []string{"HEAD", "objects", "refs", "commondir"} {
		e, err := l.entry(filepath.Join(path, name))
		if err != nil {
			return false, err
		}
		if !e.Absent() {
			list = append(list, dirent{name: name})
		}
	}
	return isGitDir(list), nil
}

// isDotGit compares as a file system that folds case would.
func isDotGit(name string) bool { return len(name) == 4 && strings.EqualFold(name, ".git") }
