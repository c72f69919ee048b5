package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// around starts the real bwrap, with all descriptors that were handed to this program
// under that name, and waits for it. With PROBE_WAITS in its environment it only waits.
func around() {
	if os.Getenv("PROBE_WAITS") != "" {
		fmt.Fprintln(os.Stderr, "waits")
		time.Sleep(time.Hour)
	}
	var files []uintptr
	for n := range uintptr(64) {
		if flags, err := unix.FcntlInt(n, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			n = ^uintptr(0) // closed
		}
		files = append(files, n)
	}
	real, err := exec.LookPath("bwrap")
	if err == nil {
		var pid int
		if pid, err = syscall.ForkExec(real, os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: files}); err == nil {
			var ws syscall.WaitStatus
			if _, err = syscall.Wait4(pid, &ws, 0, nil); err == nil {
				os.Exit(ws.ExitStatus())
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
