package gate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// layers watches the way to each directory that an overlay is made of. bwrap has
// overlayfs look them up by path, no descriptor in their place, and the overlay has an
// identity of its own: whether it shows what was judged can not be seen in the jail. An
// agent in another jail of the project could swap a directory for a link until bwrap
// has mounted it, and back. The kernel tells of that (inotify(7)). A nil one has nothing
// to watch.
type layers struct {
	fd    int
	names map[int32]map[string]string // by watch and name, the path that has it
}

// swaps are what gives a name to another file.
const swaps = unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_CREATE | unix.IN_DELETE

// watchLayers begins before bwrap is started.
func watchLayers(j *checker.Jail) (*layers, error) {
	var l *layers
	for _, m := range j.Tree.InJail() {
		if m.Kind != sandbox.MountOverlay {
			continue
		}
		if l == nil {
			fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
			if err != nil {
				return nil, fmt.Errorf("watch the layers of an overlay: %w", err)
			}
			l = &layers{fd: fd, names: map[int32]map[string]string{}}
		}
		dirs, work := m.Layers()
		if work != "" {
			dirs = append(dirs[:len(dirs):len(dirs)], work)
		}
		for _, dir := range dirs {
			if err := l.way(j.FS, dir); err != nil {
				return nil, errors.Join(fmt.Errorf("watch the overlay's layer %s: %w", strconv.Quote(dir), err), l.close())
			}
		}
	}
	return l, nil
}

// way watches the names of at, which is canonical, and of all directories above it.
// They must be those that were judged.
func (l *layers) way(fs sandbox.HostFS, at string) error {
	for ; at != "/"; at = path.Dir(at) {
		if err := l.name(fs, path.Dir(at), path.Base(at)); err != nil {
			return err
		}
	}
	return nil
}

func (l *layers) name(fs sandbox.HostFS, dir, name string) error {
	n, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(n)
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return err
	}
	if err := judged(fs, dir, sandbox.ID{Dev: st.Dev, Ino: st.Ino}); err != nil {
		return err
	}
	w, err := unix.InotifyAddWatch(l.fd, "/proc/self/fd/"+strconv.Itoa(n), swaps|unix.IN_ONLYDIR)
	switch {
	case errors.Is(err, unix.EACCES) && int(st.Uid) != unix.Geteuid() && unix.Access(dir, unix.W_OK) != nil:
		// Nobody with our rights changes names there.
	case err != nil:
		return err
	default:
		if l.names[int32(w)] == nil {
			l.names[int32(w)] = map[string]string{}
		}
		l.names[int32(w)][name] = path.Join(dir, name)
	}
	at, err := identity(path.Join(dir, name)) // now that it is watched
	if err != nil {
		return err
	}
	return judged(fs, path.Join(dir, name), at)
}

func judged(fs sandbox.HostFS, at string, is sandbox.ID) error {
	st, err := fs.Lstat(at)
	if err != nil {
		return err
	}
	if st.ID() != is {
		return &mismatch{strconv.Quote(at) + " was replaced"}
	}
	return nil
}

// steady tells whether all names have been those of the same files since they are
// watched.
func (l *layers) steady() error {
	if l == nil {
		return nil
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(l.fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("watch the layers of an overlay: %w", err)
		}
		if err := l.swapped(buf[:n]); err != nil {
			return err
		}
	}
}

// swapped reads events: a struct inotify_event and a name, padded with NUL.
func (l *layers) swapped(events []byte) error {
	for len(events) >= unix.SizeofInotifyEvent {
		watch, mask := int32(binary.NativeEndian.Uint32(events)), binary.NativeEndian.Uint32(events[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		if end > len(events) {
			break
		}
		at, ours := l.names[watch][string(bytes.TrimRight(events[unix.SizeofInotifyEvent:end], "\x00"))]
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			return &mismatch{"more changes beside the layers of an overlay than could be told"}
		case ours:
			return &mismatch{fmt.Sprintf("%s, on the way to a layer of an overlay, was replaced", strconv.Quote(at))}
		}
		events = events[end:]
	}
	return nil
}

func (l *layers) close() error {
	if l == nil {
		return nil
	}
	return unix.Close(l.fd)
}
