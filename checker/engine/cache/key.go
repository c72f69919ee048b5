package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// keyPath leads to the key from the home. It is where XDG's state folder is by
// default, whatever XDG_STATE_HOME says.
var keyPath = []string{".local", "state", "ocjail", keyName}

const (
	keyName = "cache.key"
	keySize = 32
)

// openKey reads the key, and makes it where there is none. Groups may write above
// ocjail's own folder: many distributions give each user one (umask 002).
func openKey(p Place) ([]byte, error) {
	dir, err := descend(p.Home, folder{keyPath[0], 0o002, true}, folder{keyPath[1], 0o002, true}, folder{name: keyPath[2], forbidden: 0o022})
	if err != nil {
		return nil, fmt.Errorf("the key of the rules' cache: %w", err)
	}
	defer unix.Close(dir)
	key, err := readKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(dir); err == nil {
			key, err = readKey(dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the rules' cache, %s: %w", p.KeyFile(), err)
	}
	return key, nil
}

func readKey(dir int) ([]byte, error) {
	fd, err := openat(dir, keyName, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), keyName)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	const mend = "remove it, and a new one is made"
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size != keySize:
		return nil, errors.New("it is no key of ocjail's: " + mend)
	case int(st.Uid) != os.Getuid():
		return nil, fmt.Errorf("it belongs to user %d, not to you: %s", st.Uid, mend)
	case st.Mode&0o077 != 0:
		return nil, fmt.Errorf("others may know it (mode %04o): %s", st.Mode&0o777, mend)
	}
	key := make([]byte, keySize)
	_, err = io.ReadFull(f, key)
	return key, err
}

// makeKey makes the key in one step: of many who try at once one succeeds, and a
// process that is killed leaves none behind, or all of it.
func makeKey(dir int) error {
	temporary := temporaryPrefix + rand.Text()
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	err := writeAt(dir, temporary, key)
	if err == nil {
		err = unix.Linkat(dir, temporary, dir, keyName, 0)
	}
	if errors.Is(err, unix.EEXIST) {
		err = nil
	}
	return errors.Join(err, remove(dir, temporary))
}

func remove(dir int, name string) error {
	if err := unix.Unlinkat(dir, name, 0); err != nil && err != unix.ENOENT {
		return err
	}
	return nil
}
