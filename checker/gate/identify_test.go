package gate

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A program around bwrap may fork from a thread that had begun before it was seized: nobody
// tells of that, and waiting for it would have no end.
func TestForkOfAnotherThread(t *testing.T) {
	const role = "OCJAIL_TEST_THREADS"
	if os.Getenv(role) != "" {
		forkElsewhere()
	}
	said, says, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // which traces
	defer runtime.UnlockOSThread()
	c := exec.Command("/proc/self/exe", "-test.run=^TestForkOfAnotherThread$")
	c.Env = append(os.Environ(), role+"=1")
	c.ExtraFiles = []*os.File{says}
	goOn, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	ready, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	says.Close()
	hung := time.AfterFunc(time.Minute, func() { _ = unix.Kill(c.Process.Pid, unix.SIGKILL) }) // it may end just then
	defer hung.Stop()
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	j := &jailStart{bwrap: c.Process.Pid, said: said, handle: -1}
	if j.seized, err = seize(j.bwrap); err != nil || !j.seized {
		t.Fatal(j.seized, err)
	}
	if _, err := goOn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := j.tie(); !errors.Is(err, errAround) {
		t.Errorf("it was tied: %v, %+v", err, j.tether)
	}
	child := make([]byte, 32)
	n, _ := ready.Read(child) // what was read is looked at below
	var pid int
	if _, err := fmt.Sscan(string(child[:n]), &pid); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil || strings.Contains(string(status), "State:\tZ") {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("what it forked is left")
		}
	}
}

// forkElsewhere forks on a thread of its own, and says so as bwrap does.
func forkElsewhere() {
	begin := make(chan bool)
	go func() {
		runtime.LockOSThread()
		fmt.Println()
		<-begin
		pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "60"}, &syscall.ProcAttr{})
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(pid)
		fmt.Fprintf(os.NewFile(3, "said"), "{\"child-pid\": %d}\n", pid)
	}()
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		os.Exit(1)
	}
	begin <- true
	time.Sleep(time.Hour)
}
