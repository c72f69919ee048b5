package gate

import (
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A jail gets the processors that its cpuset gains later, as long as nobody has chosen its
// launcher's.
func TestUnrestricted(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var mine, every unix.CPUSet
	every.Fill()
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.SchedSetaffinity(0, &mine); err != nil {
			t.Error(err)
		}
	}()
	chosen := mine
	for n := range 1024 {
		if mine.IsSet(n) && chosen.Count() > 1 {
			chosen.Clear(n)
		}
	}
	// This process itself may have been started by taskset(1).
	if err := unix.SchedSetaffinity(0, &every); err != nil {
		t.Fatal(err)
	}
	var cpuset unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpuset); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ begins, want unix.CPUSet }{"nobody chose": {cpuset, every}, "chosen": {chosen, chosen}} {
		if c.want == chosen && chosen == cpuset {
			continue // there is one processor, and nothing to choose
		}
		if err := unix.SchedSetaffinity(0, &c.begins); err != nil {
			t.Fatal(err)
		}
		child := exec.CommandContext(t.Context(), "sleep", "60")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		got, ok := unrestricted(child.Process.Pid, c.begins)
		if !ok || got != c.want {
			t.Errorf("%s: %v, %v, want %v", name, got.Count(), ok, c.want.Count())
		}
		_ = child.Process.Kill() // it may have ended
		_ = child.Wait()         // killed, as it should be
	}
}
