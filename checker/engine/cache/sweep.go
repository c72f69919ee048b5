package cache

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// temporaryPrefix begins the name of what is being written.
const temporaryPrefix = ".new-"

// Bounds of a cache. They are variables for tests.
var (
	maxEntries       = 500
	maxTotal   int64 = 256 << 20 // bytes
)

// abandoned is the age of something half written whose writer must be gone.
const abandoned = 10 * time.Minute

// stored is a file of the cache.
type stored struct {
	name string
	size int64
	used time.Time
}

// sweep removes what was used the longest ago while there is too much, and what
// killed writers left.
func (c *Cache) sweep() error {
	all, err := c.list()
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b stored) int { return cmp.Or(b.used.Compare(a.used), cmp.Compare(a.name, b.name)) })
	total, entries := int64(0), 0
	var failed error
	for _, s := range all {
		gone := time.Since(s.used) > abandoned
		if !strings.HasPrefix(s.name, temporaryPrefix) {
			total, entries = total+s.size, entries+1
			gone = total > maxTotal || entries > maxEntries
		}
		if gone {
			failed = errors.Join(failed, remove(c.fd(), s.name))
		}
	}
	return failed
}

// list leaves out what others remove meanwhile.
func (c *Cache) list() ([]stored, error) {
	fd, err := openat(c.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	dir := os.NewFile(uintptr(fd), c.Dir)
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []stored
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Fstatat(c.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			all = append(all, stored{name, st.Size, time.Unix(st.Mtim.Unix())})
		}
	}
	return all, nil
}
