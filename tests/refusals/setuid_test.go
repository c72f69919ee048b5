package refusals

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A bwrap that would run as root is started without that right, and its jail verified as
// any other. As root only: nobody else can make a program run as root.
func TestSetuidBwrap(t *testing.T) {
	if _, ok := gatetest.NewRoot(t); !ok {
		return
	}
	w := gatetest.New(t)
	real, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	const off = "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid 54321 --regid 54321 --clear-groups \"$@\""
	for name, mode := range map[string]os.FileMode{"plain": 0o755, "setuid": 0o755 | os.ModeSetuid, "unreadable": 0o711, "setuid and unreadable": 0o711 | os.ModeSetuid} {
		file := w.Write("tools/bwrap-"+name, string(program), 0o755)
		if err := os.Chown(file, 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Dir(file), 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		c := w.Ocjail(jail(w, "echo ran")...)
		c.Args = append([]string{c.Args[0], "gate", "--verbose", "--bwrap", file}, c.Args[2:]...)
		o := w.Run(c)
		if strings.Contains(name, "unreadable") {
			if o.Status != 125 || o.Stdout != "" || !strings.Contains(o.Stderr, file+" can not be read by you (permission denied), so the kernel lets nobody look at what it builds: sudo chmod a+r "+file) {
				t.Errorf("%s: %+v", name, o)
			}
			continue
		}
		if said := strings.Contains(o.Stderr, "warning host/setuid-bwrap: "+file); said != (name == "setuid") {
			t.Errorf("%s: %+v", name, o)
		}
		if o.Status != 0 || o.Stdout != "ran\n" {
			t.Errorf("%s: %+v", name, o)
		}
		// Where user namespaces are off the setuid bit is of no use: nothing starts.
		within := w.Command("bash", append([]string{"-c", off, "bash"}, c.Args...)...)
		within.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{Size: 1 << 16}}, GidMappings: []syscall.SysProcIDMap{{Size: 1 << 16}}, GidMappingsEnableSetgroups: true}
		if o := w.Run(within); o.Status != 125 || o.Stdout != "" || !strings.Contains(o.Stderr, "Creating new namespace failed") || !strings.Contains(o.Stderr, "ocjail doctor tells what is in the way") {
			t.Errorf("%s, user namespaces off: %+v", name, o)
		}
	}
}
