package review

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/flock"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// store is the folder of one project's reviews, which no jail can reach.
type store struct {
	dir     string
	project string
}

// Names in a store.
const (
	sessionsDir = "sessions" // a record of each session that runs, or was killed
	pendingFile = "pending.json"
	knownFile   = "repositories.json" // those that the last session left
	lockFile    = "lock"
	keptDir     = "kept" // what reverting took away
)

const maxRecord = 64 << 20

// BrokenError says that what is kept of a review can not be used. What the agent
// changed is then unknown.
type BrokenError struct {
	File string
	Err  error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("%s: %v; so what the last session changed can not be told: look at the project yourself (git status --ignored, git diff), then run ocjail review --discard", e.File, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }

func storeOf(state, project string) store {
	sum := sha256.Sum256([]byte(project))
	return store{filepath.Join(state, "review", hex.EncodeToString(sum[:8])), project}
}

// make makes the folders, the user's alone.
func (s store) make() error {
	for _, d := range []string{s.dir, filepath.Join(s.dir, sessionsDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	return s.private()
}

// private refuses a folder that others could have filled.
func (s store) private() error {
	for _, d := range []string{filepath.Dir(s.dir), s.dir, filepath.Join(s.dir, sessionsDir)} {
		var st unix.Stat_t
		err := unix.Lstat(d, &st)
		switch {
		case missing(err):
			continue // nothing was ever kept here
		case err != nil:
			return &BrokenError{d, err}
		case st.Mode&unix.S_IFMT != unix.S_IFDIR:
			return &BrokenError{d, errors.New("it is no folder")}
		case int(st.Uid) != os.Getuid():
			return &BrokenError{d, fmt.Errorf("it belongs to user %d, not to you", st.Uid)}
		case st.Mode&0o077 != 0:
			return &BrokenError{d, fmt.Errorf("others can open it (mode %04o)", st.Mode&0o777)}
		}
	}
	return nil
}

// lock waits until no other ocjail changes the store, at most lockLimit.
func (s store) lock() (unlock func(), err error) {
	f, err := flock.Take(filepath.Join(s.dir, lockFile), lockLimit)
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

const lockLimit = 20 * time.Second

// read reads a file of the store into v. An absent one is [fs.ErrNotExist]; any
// other error is a BrokenError.
func (s store) read(file string, v any) error {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if missing(err) {
		return fs.ErrNotExist
	}
	if err != nil {
		return &BrokenError{file, err}
	}
	defer f.Close()
	if err := decode(f, v); err != nil {
		return &BrokenError{file, err}
	}
	return nil
}

// missing tells whether there is no file, also for want of a folder to hold it.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) }

func decode(f *os.File, v any) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Getuid() || st.Size > maxRecord {
		return errors.New("it is no record of yours")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return err
	}
	return octets.Unmarshal(data, v)
}

// write replaces a file of the store at once: another file of the same folder is
// written and renamed. It is returned open, and locked (flock(2)). That it outlives
// the machine's next moments is for flush to see to.
func (s store) write(file string, v any) (*os.File, error) {
	data, err := octets.Marshal(v)
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(file), "."+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(temporary, file)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), remove(temporary))
	}
	return f, nil
}

// put writes a file that nobody keeps locked, through to the disk.
func (s store) put(file string, v any) error {
	f, err := s.write(filepath.Join(s.dir, file), v)
	if err != nil {
		return err
	}
	return errors.Join(flush(f, s.dir), f.Close())
}

// flush waits until a file and its name are on the disk. A busy disk takes its
// time: 0.3 s were seen.
func flush(f *os.File, dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), d.Sync(), d.Close())
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
