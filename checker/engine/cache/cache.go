// Package cache keeps what was made of users' rules until the next launch. Some of
// it is native code, which is run, so nothing is taken from it that its own key
// does not vouch for.
//
// What an attacker has to be kept from is the key. It lies in the user's state
// folder, where no jail is let (rule exec/host-executed-writable), and which the
// password file names: XDG_STATE_HOME, which a project's .env may set, is not
// asked. XDG_CACHE_HOME is: whoever can write in a cache without knowing the key
// can but delete what is there, or put back what was.
package cache

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Cache is an open folder of entries, and the key that vouches for them. It is
// safe for use by any number of processes at once.
type Cache struct {
	// Dir is the folder's path, for messages; empty in a process that was handed
	// the folder.
	Dir string
	// KeyFile is the key's, likewise.
	KeyFile string

	folder *os.File
	key    []byte
}

// Entry names what is kept.
type Entry struct {
	Kind string // the beginning of the file's name
	// Maker is who made it: what another version would make differently.
	Maker string
	ID    [sha256.Size]byte // of what it was made from
}

// maxEntry bounds an entry, in bytes.
const maxEntry = 64 << 20

// DiscardedError says that an entry could not be trusted, and is gone.
type DiscardedError struct {
	Name string // of the file
	Err  error
}

func (e *DiscardedError) Error() string {
	return fmt.Sprintf("%s in the rules' cache is not as ocjail left it, and is discarded: %v", e.Name, e.Err)
}

func (e *DiscardedError) Unwrap() error { return e.Err }

// Handed is the cache that another process opened: its folder, and its key.
func Handed(folder *os.File, key []byte) *Cache { return &Cache{folder: folder, key: key} }

// Hand is what Handed takes.
func (c *Cache) Hand() (folder *os.File, key []byte) { return c.folder, c.key }

// Close closes the folder.
func (c *Cache) Close() error { return c.folder.Close() }

// Get returns an entry's content. The error is [fs.ErrNotExist] when there is none,
// and a [DiscardedError] when it is not what Put left.
func (c *Cache) Get(e Entry) ([]byte, error) {
	name := e.name()
	content, err := c.read(e, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if again := unix.Unlinkat(c.fd(), name, 0); again != nil && again != unix.ENOENT {
		err = fmt.Errorf("%w; it can not be removed (%w): move it away", err, again)
	}
	return nil, &DiscardedError{name, err}
}

func (c *Cache) read(e Entry, name string) ([]byte, error) {
	fd, err := openat(c.fd(), name, unix.O_RDONLY)
	if err != nil {
		return nil, err // fs.ErrNotExist, as Errno has it
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, errors.New("it is no regular file")
	case int(st.Uid) != os.Getuid():
		return nil, fmt.Errorf("it belongs to user %d, not to you", st.Uid)
	case st.Size < sha256.Size || st.Size > maxEntry:
		return nil, fmt.Errorf("it has %d bytes", st.Size)
	}
	data := make([]byte, st.Size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	content, mac := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if !hmac.Equal(mac, c.mac(e, content)) {
		return nil, errors.New("its authentication code is wrong")
	}
	if time.Since(time.Unix(st.Mtim.Unix())) > fresh { // what is used is the last to go
		_ = unix.UtimesNanoAt(c.fd(), name, nil, unix.AT_SYMLINK_NOFOLLOW) // else it goes earlier
	}
	return content, nil
}

// fresh is how exactly an entry's last use is noted.
const fresh = 24 * time.Hour

// Put keeps content. Whoever looks meanwhile finds all of it or nothing, also when
// this process is killed. That it outlives a loss of power is not seen to: what is
// left of it then, Get discards.
func (c *Cache) Put(e Entry, content []byte) error {
	if len(content) > maxEntry-sha256.Size {
		return fmt.Errorf("%d bytes: more than the rules' cache takes", len(content))
	}
	err := c.replace(e.name(), content, c.mac(e, content))
	if err != nil {
		return fmt.Errorf("write in the rules' cache: %w", err)
	}
	return c.sweep()
}

func (c *Cache) replace(name string, parts ...[]byte) error {
	temporary := temporaryPrefix + rand.Text()
	err := writeAt(c.fd(), temporary, parts...)
	if err == nil {
		err = unix.Renameat(c.fd(), temporary, c.fd(), name)
	}
	if err != nil {
		_ = unix.Unlinkat(c.fd(), temporary, 0) // or sweep does
	}
	return err
}

// writeAt writes a file that must not be there yet.
func writeAt(folder int, name string, parts ...[]byte) error {
	fd, err := openat(folder, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	for _, p := range parts {
		if err == nil {
			_, err = f.Write(p)
		}
	}
	return errors.Join(err, f.Close())
}

// mac authenticates all that an entry says, and what it says it of.
func (c *Cache) mac(e Entry, content []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "ocjail cache 1\n%s\n%s\n", e.Kind, e.Maker)
	h.Write(e.ID[:])
	h.Write(content)
	return h.Sum(nil)
}

// name tells entries of different makers apart, which a machine may have both.
func (e Entry) name() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", e.Maker)
	h.Write(e.ID[:])
	return e.Kind + "-" + hex.EncodeToString(h.Sum(nil))
}

func (c *Cache) fd() int { return int(c.folder.Fd()) }
