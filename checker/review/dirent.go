package review

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"
)

// dirent is a name in a directory and its type, DT_UNKNOWN where the file system
// does not say.
type dirent struct {
	name string
	kind uint8
}

// Offsets in struct linux_dirent64 (getdents64(2)).
const (
	direntLen  = 16
	direntType = 18
	direntName = 19
)

// readDir lists the directory fd, or little more than most names of it. Unlike
// os.ReadDir it neither sorts nor stats.
func readDir(fd, most int) ([]dirent, error) {
	var buf [16 << 10]byte
	var list []dirent
	for {
		n, err := unix.Getdents(fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 || len(list) > most {
			return list, err
		}
		for rest := buf[:n]; len(rest) > direntName; {
			size := int(binary.NativeEndian.Uint16(rest[direntLen:]))
			name, _, _ := strings.Cut(string(rest[direntName:size]), "\x00")
			if name != "." && name != ".." {
				list = append(list, dirent{name, resolveKind(fd, name, rest[direntType])})
			}
			rest = rest[size:]
		}
	}
}

// resolveKind asks for the type where the file system leaves it open.
func resolveKind(fd int, name string, kind uint8) uint8 {
	if kind != unix.DT_UNKNOWN {
		return kind
	}
	var st unix.Stat_t
	if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return kind // gone meanwhile
	}
	return uint8(st.Mode & unix.S_IFMT >> 12) // IFTODT of <dirent.h>
}
