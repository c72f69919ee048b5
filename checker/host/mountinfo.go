package host

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const (
	mountinfo = "/proc/self/mountinfo"
	// The kernel allows 100,000 mounts in a namespace (fs.mount-max).
	mountinfoLimit = 64 << 20
)

// Mounts implements [sandbox.HostFS]; [FS.MountTable] also says why it is nil.
func (f *FS) Mounts() []sandbox.HostMount {
	mounts, _ := f.MountTable()
	return mounts
}

// MountTable returns the mounts that this process sees, in the kernel's order.
// Its error wraps [sandbox.ErrUnknown], or is [fs.ErrNotExist] without /proc.
func (f *FS) MountTable() ([]sandbox.HostMount, error) {
	f.mountsOnce.Do(func() {
		data, err := readMade(f.disk, mountinfo, mountinfoLimit)
		if err == nil {
			f.mounts, err = ParseMountInfo(data)
		}
		f.mountsErr = err
	})
	return f.mounts, f.mountsErr
}

// ParseMountInfo reads the format of proc_pid_mountinfo(5), of any process. Its
// error names the line and wraps [sandbox.ErrUnknown]; there is no partial table.
func ParseMountInfo(data []byte) ([]sandbox.HostMount, error) {
	mounts := make([]sandbox.HostMount, 0, bytes.Count(data, []byte("\n")))
	rest := string(data)
	for line := 1; rest != ""; line++ {
		text, after, ended := strings.Cut(rest, "\n")
		if !ended {
			return nil, fmt.Errorf("mountinfo:%d: %w: the line is cut short", line, sandbox.ErrUnknown)
		}
		m, err := parseMount(text)
		if err != nil {
			return nil, fmt.Errorf("mountinfo:%d: %w: %w", line, sandbox.ErrUnknown, err)
		}
		mounts, rest = append(mounts, m), after
	}
	return mounts, nil
}

// parseMount reads one line. Fields are parted by exactly one space: the
// source is empty where a file system was mounted from "".
//
//	36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue
func parseMount(line string) (sandbox.HostMount, error) {
	var m sandbox.HostMount
	before, after, ok := strings.Cut(line, " - ")
	fields := strings.Split(before, " ")
	tail := strings.SplitN(after, " ", 3)
	if !ok || len(fields) < 6 || len(tail) < 3 {
		return m, fmt.Errorf("fields are missing in %q", line)
	}
	if err := parseNumbers(&m, fields); err != nil {
		return m, err
	}
	for i, to := range []*string{&m.Root, &m.Point} {
		s, err := unescape(fields[3+i])
		if err != nil {
			return m, err
		}
		*to = s
	}
	if !strings.HasPrefix(m.Point, "/") {
		return m, fmt.Errorf("the mount point %q is not absolute", m.Point)
	}
	source, err := unescape(tail[1])
	m.FSType, m.Source = tail[0], source
	m.ReadOnly, m.NoDev = hasOption(fields[5], "ro"), hasOption(fields[5], "nodev")
	m.SuperRO = hasOption(tail[2], "ro")
	for _, tag := range fields[6:] {
		if strings.HasPrefix(tag, "shared:") || strings.HasPrefix(tag, "master:") {
			m.Shared = true
		}
	}
	return m, err
}

func parseNumbers(m *sandbox.HostMount, fields []string) error {
	major, minor, _ := strings.Cut(fields[2], ":")
	var n [4]uint32
	for i, text := range [...]string{fields[0], fields[1], major, minor} {
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return err
		}
		n[i] = uint32(v)
	}
	m.ID, m.Parent, m.Major, m.Minor = int(n[0]), int(n[1]), n[2], n[3]
	return nil
}

func hasOption(list, name string) bool {
	for list != "" {
		var option string
		option, list, _ = strings.Cut(list, ",")
		if option == name {
			return true
		}
	}
	return false
}

// unescape undoes the kernel's octal escapes: \040, \011, \012, \134 and, for
// some sources, \043 (mangle_path in fs/seq_file.c).
func unescape(s string) (string, error) {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s, nil
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		if len(s) < i+4 {
			return "", fmt.Errorf("the escape at the end of %q is cut short", s)
		}
		c, err := strconv.ParseUint(s[i+1:i+4], 8, 8)
		if err != nil {
			return "", fmt.Errorf("bad escape in %q: %w", s, err)
		}
		b.WriteString(s[:i])
		b.WriteByte(byte(c))
		s = s[i+4:]
	}
	b.WriteString(s)
	return b.String(), nil
}
