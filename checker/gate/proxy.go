package gate

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// busProxy is the program that jail.nix's dbus combinator starts in a jail of
// its own. It says through the pipe of its --fd=N that it listens
// (xdg-dbus-proxy(1)).
const busProxy = "xdg-dbus-proxy"

// proxyPipes gives the command, if it is busProxy, the pipes that its arguments
// name, and renumbers them. Anything but a pipe stays closed to the jail.
func proxyPipes(command []string, files []*os.File) ([]*os.File, error) {
	if path.Base(command[0]) != busProxy {
		return files, nil
	}
	for i, arg := range command[1:] {
		number, ok := strings.CutPrefix(arg, "--fd=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n <= 2 {
			continue
		}
		if err := checkType(n, busProxy+" --fd", fileTypes{unix.S_IFIFO: "pipe"}); err != nil {
			return nil, err
		}
		command[1+i] = fmt.Sprintf("--fd=%d", len(files))
		files = append(files, os.NewFile(uintptr(n), arg))
	}
	return files, nil
}
