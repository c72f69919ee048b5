package gate

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A launch is tried once more where an editor replaced a file. Who asked for its end
// meanwhile is not to see it start.
func TestSignalBeforeTheSecondAttempt(t *testing.T) {
	const role = "OCJAIL_TEST_SIGNALLED"
	if os.Getenv(role) != "" {
		s := catchSignals()
		if err := unix.Kill(unix.Getpid(), unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); len(s) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		status, err := s.give(&mismatch{"replaced"})
		t.Fatal("went on with", status, err)
	}
	c := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestSignalBeforeTheSecondAttempt$")
	c.Env = append(os.Environ(), role+"=1")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGTERM {
		t.Errorf("%v: %s", err, out)
	}
}

// Without one the error stands.
func TestGivenBackSignals(t *testing.T) {
	s := catchSignals()
	cause := &mismatch{"replaced"}
	if status, err := s.give(cause); status != Broken || !errors.Is(err, cause) {
		t.Error(status, err)
	}
}
