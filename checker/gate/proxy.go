package gate

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// proxyPipes gives the command, which is an xdg-dbus-proxy, the pipes that its
// arguments name, and renumbers them: it says through the one of --fd=N that it
// listens (xdg-dbus-proxy(1)), for which jail.nix waits. Anything but a pipe
// stays closed to the jail.
func (d *descriptors) proxyPipes(command []string, files []*os.File) ([]*os.File, error) {
	for i, arg := range command[1:] {
		number, ok := strings.CutPrefix(arg, "--fd=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n <= 2 {
			continue
		}
		if err := checkType(n, "xdg-dbus-proxy --fd", fileTypes{unix.S_IFIFO: "pipe"}); err != nil {
			return nil, err
		}
		if d.pipes[n] == nil { // two would both close it, the first when nobody holds it any more
			d.pipes[n] = os.NewFile(uintptr(n), arg)
		}
		command[1+i] = fmt.Sprintf("--fd=%d", len(files))
		files = append(files, d.pipes[n])
	}
	return files, nil
}
