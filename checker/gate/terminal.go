package gate

import (
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func interactive(s *stdio) bool {
	for _, f := range s.files {
		if term.IsTerminal(int(f.Fd())) {
			return true
		}
	}
	return false
}

// terminalName is the device that bwrap's --dev binds as /dev/console: that of
// ttyname(3), which knows no name for a terminal of another devpts instance.
func terminalName(f *os.File) string {
	if !term.IsTerminal(int(f.Fd())) {
		return ""
	}
	p, err := pathOf(int(f.Fd()))
	if err != nil {
		return ""
	}
	var named, open unix.Stat_t
	if unix.Stat(p, &named) != nil || unix.Fstat(int(f.Fd()), &open) != nil || named.Dev != open.Dev || named.Ino != open.Ino {
		return ""
	}
	return p
}
