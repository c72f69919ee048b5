package sandbox

import "errors"

// HostFS answers what the simulation asks about the host's file system.
// Package host implements it with descriptors; tests may with a map.
type HostFS interface {
	// Lstat describes path, which is absolute, clean and has no symbolic link
	// among its parents; a link at path itself is described, not followed.
	// It returns fs.ErrNotExist when nothing is there, and ErrUnknown (wrapped)
	// when it cannot tell.
	Lstat(path string) (Stat, error)
	// Mounts returns the host's mount table in /proc/self/mountinfo's order;
	// nil when unknown.
	Mounts() []HostMount
}

// ErrUnknown says that a fact about the host could not be had.
var ErrUnknown = errors.New("unknown")

// FileType is the type of a file, as far as mounting and access care.
type FileType string

// File types. Unknown is what a lint without a host knows.
const (
	Dir        FileType = "dir"
	Regular    FileType = "file"
	Symlink    FileType = "symlink"
	Socket     FileType = "socket"
	FIFO       FileType = "fifo"
	CharDevice FileType = "char-device"
	BlkDevice  FileType = "block-device"
	Unknown    FileType = "unknown"
)

// Stat is what lstat(2) says of one file.
type Stat struct {
	Type   FileType
	Target string // of a symbolic link
	Dev    uint64 // st_dev, as the kernel encodes it for user space
	Ino    uint64
	UID    uint32
	Mode   uint32 // permission bits, 07777
	Nlink  uint64
}

// ID is a file's identity: the same file under two names has one ID.
type ID struct{ Dev, Ino uint64 }

// ID returns the file's identity; the zero ID when it is unknown.
func (s Stat) ID() ID { return ID{s.Dev, s.Ino} }

// HostMount is one line of /proc/self/mountinfo (proc(5)).
type HostMount struct {
	ID, Parent   int
	Major, Minor uint32
	Root         string // of the mount within its file system
	Point        string // mount point, unescaped
	ReadOnly     bool   // the mount's own flag, not the superblock's
	SuperRO      bool   // the superblock's flag
	NoDev        bool
	FSType       string
	Source       string
	Shared       bool // has a shared:N or master:N tag: mounts made later on the host may appear
}
