package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Host is what a profile needs to know of the machine and the launch. Paths
// are absolute and clean; Project and WorkDir are free of symbolic links.
type Host struct {
	User     string
	Home     string // of the passwd entry, not of $HOME
	Project  string // FindProject's answer
	WorkDir  string // Project or below it
	CacheDir string // ocjail's own; the jail's caches lie in its folder "caches"
	// GitCommonDir of the project's repository (git-rev-parse(1)); "" for none. It
	// is bound, so it must be one that names the project in return, as host.Git's
	// is: the project's .git file, which names it, is the agent's to write, and
	// could name any folder of the home.
	GitCommonDir string
	// GitIdentity is asked when the profile says git = true.
	GitIdentity func() (name, email string, err error)
	// Warn is told what the jail lacks that does not stop it.
	Warn func(message string)
	// Lookup finds a variable of the caller's environment: os.LookupEnv.
	Lookup func(name string) (value string, ok bool)
	// Elsewhere is set to describe the jail as it is where all that it binds exists,
	// not to start it here.
	Elsewhere bool
	// FS is the host's root: Root(), or a test's.
	FS fs.ReadLinkFS
	// seen remembers what lookAt found during one Argv, which asks for the same
	// parents a hundred times.
	seen map[string]entry
}

// entry is what lies at one path: a link's target, or no link.
type entry struct {
	link   bool
	target string
	err    error
}

// Root is the machine's own file system.
func Root() fs.ReadLinkFS { return rootFS{os.DirFS("/").(fs.ReadLinkFS)} }

// rootFS opens files that an agent may have made: it waits for nobody at the
// other end of a FIFO, and follows no link that has just been put there.
type rootFS struct{ fs.ReadLinkFS }

func (rootFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return os.OpenFile("/"+name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW|syscall.O_NOCTTY, 0)
}

// fsName is an absolute path as package fs spells it.
func fsName(p string) string {
	if p == "/" {
		return "."
	}
	return strings.TrimPrefix(p, "/")
}

// maxLinks is the kernel's own limit, path_resolution(7).
const maxLinks = 40

// resolve follows every symbolic link of p, which is absolute. links are the
// paths of those met, in order. An absent path's error matches fs.ErrNotExist.
func (h Host) resolve(p string) (real string, links []string, err error) {
	done, todo := "/", strings.Split(path.Clean(p)[1:], "/")
	for len(todo) > 0 {
		next := path.Join(done, todo[0])
		todo = todo[1:]
		e := h.lookAt(next)
		if e.err != nil {
			return "", links, e.err
		}
		if !e.link {
			done = next
			continue
		}
		if links = append(links, next); len(links) > maxLinks {
			return "", links, fmt.Errorf("too many symbolic links in %s", hclfile.Escape(p))
		}
		if path.IsAbs(e.target) {
			done = "/"
		}
		todo = append(linkParts(e.target), todo...)
	}
	return done, links, nil
}

// lookAt describes p, whose parents are no links.
func (h Host) lookAt(p string) entry {
	e, ok := h.seen[p]
	if ok {
		return e
	}
	info, err := h.FS.Lstat(fsName(p))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		e.link = true
		e.target, err = h.FS.ReadLink(fsName(p))
	}
	if errors.Is(err, syscall.ENOTDIR) {
		err = fs.ErrNotExist
	}
	if err != nil {
		e.err = fmt.Errorf("cannot look at %s: %w", hclfile.Escape(p), reason(err))
	}
	if h.seen != nil {
		h.seen[p] = e
	}
	return e
}

// linkParts splits a link's target; path.Join resolves its ".." one by one.
func linkParts(target string) []string {
	return strings.FieldsFunc(target, func(r rune) bool { return r == '/' })
}

// exists tells whether p leads to something.
func (h Host) exists(p string) (bool, error) {
	_, _, err := h.resolve(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// read returns at most limit bytes of the regular file p, which has no links.
func (h Host) read(p string, limit int64) ([]byte, error) {
	f, err := h.FS.Open(fsName(p))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", hclfile.Escape(p), reason(err))
	}
	defer func() { _ = f.Close() }() // only read: nothing is lost
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", hclfile.Escape(p), reason(err))
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", hclfile.Escape(p), reason(err))
	}
	return b, nil
}

// reason drops the unescaped path of a *fs.PathError.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// check refuses facts that no sensible jail can be made from.
func (h Host) check() error {
	for name, p := range map[string]string{"home directory": h.Home, "project": h.Project, "working directory": h.WorkDir} {
		if !clean(p) || hasNUL(p) {
			return fmt.Errorf("the %s %q is no absolute, clean path", name, p)
		}
	}
	if h.Home == "/" {
		return errors.New("the home directory of this user is /: run ocjail as a user with a home of its own")
	}
	home, _, err := h.resolve(h.Home)
	if err != nil {
		return fmt.Errorf("home directory: %w", err)
	}
	if err := checkProject(h.Project, home, h.Home); err != nil {
		return err
	}
	if !below(h.WorkDir, h.Project) {
		return fmt.Errorf("the working directory %s lies outside the project %s: cd there, or name another project with --project",
			hclfile.Escape(h.WorkDir), hclfile.Escape(h.Project))
	}
	return nil
}
