package gate

import (
	"os"
	"os/exec"
	"testing"
)

func TestDescends(t *testing.T) {
	c := exec.Command("sh", "-c", "echo; sleep 60")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		pid, from int
		want      bool
	}{
		{c.Process.Pid, os.Getpid(), true},
		{c.Process.Pid, os.Getppid(), true},
		{os.Getpid(), c.Process.Pid, false},
		{1, os.Getpid(), false},
		{os.Getpid(), os.Getpid(), false},
		{1 << 22, os.Getpid(), false},
	} {
		if got := descends(tc.pid, tc.from); got != tc.want {
			t.Errorf("%d from %d: %v", tc.pid, tc.from, got)
		}
	}
}
