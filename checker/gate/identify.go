package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// errAround says that another process than the first one which the program made is
// the jail.
var errAround = errors.New("what was started as bwrap is a program around it: name the real one with --bwrap; nothing was started")

// listen identifies the jail if bwrap has said by now which process that is. It does
// so before the jail is built: of a program around bwrap it is known at once.
func (j *jailStart) listen() error {
	if j.info != nil {
		return nil
	}
	if ready, err := spoken(j.said); err != nil || !ready {
		return err
	}
	return j.identify()
}

// spoken tells whether something can be read of what bwrap says.
func spoken(said *os.File) (bool, error) {
	conn, err := said.SyscallConn()
	if err != nil {
		return false, fmt.Errorf("waiting for bwrap: %w", err)
	}
	ready := 0
	err = conn.Control(func(fd uintptr) { // not Fd, which would take the deadlines away
		ready, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) // else the next look tells
	})
	return ready > 0, err
}

// hear waits for what bwrap writes to --info-fd, in JSON.
func (j *jailStart) hear() (raw json.RawMessage, child int, err error) {
	if err := j.said.SetReadDeadline(time.Now().Add(setupLimit)); err != nil {
		return nil, 0, fmt.Errorf("waiting for bwrap: %w", err)
	}
	if err := errors.Join(json.NewDecoder(j.said).Decode(&raw), j.said.Close()); err != nil {
		return nil, 0, errSetup
	}
	var info struct {
		Child int `json:"child-pid"`
	}
	if err := json.Unmarshal(raw, &info); err != nil || info.Child <= 0 {
		return nil, 0, fmt.Errorf("bwrap wrote %q to --info-fd: no child-pid in it", raw)
	}
	return raw, info.Child, nil
}

// end kills a process, which may have ended.
func end(pid int) error {
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill %d: %w", pid, err)
	}
	return nil
}

// identify has bwrap say which process is the jail, and waits for that.
func (j *jailStart) identify() error {
	if j.info != nil {
		return nil
	}
	raw, child, err := j.hear()
	if err != nil {
		return err
	}
	if j.child != child && !descends(child, j.bwrap) { // j.child is the tether's, or nothing yet
		return fmt.Errorf("%w: it says that the jail is process %d, which it has not made here", errAround, child)
	}
	if j.tether != nil && j.child != child {
		return errors.Join(errAround, end(child)) // it waits for permission, and would do so for ever
	}
	j.child, j.info = child, raw
	if h, err := unix.PidfdOpen(j.child, 0); err == nil { // else before Linux 5.3, or it ended: supervise will tell
		j.handle = h
	}
	return nil
}

// suspectEvery is many times what this thread takes to follow a fork that it is told of.
const suspectEvery = 250 * time.Millisecond

// suspect looks, while this thread waits to be told that bwrap forks, whether it has said
// already which process is the jail. bwrap itself stands still from the fork on until we
// have followed it; a program around it may have forked from a thread that is not
// traced, of which nobody tells. The function that it returns ends that, with an error
// when such a program was ended.
func (j *jailStart) suspect() (cleared func() error) {
	over, ended := make(chan struct{}), make(chan error, 1)
	var settled atomic.Bool
	go func() {
		ticks := time.NewTicker(suspectEvery)
		defer ticks.Stop()
		for before := false; ; {
			select {
			case <-over:
				return
			case <-ticks.C:
			}
			now, err := spoken(j.said)
			if err != nil {
				return // closed, for the launch has failed
			}
			if now && before {
				if settled.CompareAndSwap(false, true) {
					ended <- j.expose()
				}
				return
			}
			before = now
		}
	}()
	return func() error {
		close(over)
		if settled.CompareAndSwap(false, true) {
			return nil
		}
		return <-ended
	}
}

// expose ends a program around bwrap, and what it says is the jail. Of one that says
// nothing sensible there is nothing else to end.
func (j *jailStart) expose() error {
	errs := []error{errAround}
	if _, child, err := j.hear(); err == nil && descends(child, j.bwrap) {
		errs = append(errs, end(child))
	}
	return errors.Join(append(errs, end(j.bwrap))...)
}
