package gate

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newHold returns what bwrap waits for the end of, as its first file of options (--args),
// until the verdict: it is executed and seized meanwhile, and has read no option.
//
// It is a socket that nobody can send to: it has no name and no peer, and cannot be
// opened again through /proc (unix(7)). When we are killed it does not end, as a pipe
// would, so that bwrap does not go on before it is killed too.
func newHold() (*os.File, error) {
	n, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket that holds bwrap: %w", err)
	}
	return os.NewFile(uintptr(n), "hold"), nil
}

// letGo ends the file of options, wherever it is open; doing so again changes nothing.
func letGo(hold *os.File) error {
	if err := unix.Shutdown(int(hold.Fd()), unix.SHUT_RD); err != nil {
		return fmt.Errorf("let bwrap go on: %w", err)
	}
	return nil
}

// tie ties to us what bwrap makes: nothing where tracing is forbidden, or nothing held it.
func (j *jailStart) tie() (err error) {
	if !j.seized || j.tether != nil {
		return nil
	}
	cleared := j.suspect()
	j.tether, err = tetherFork(j.bwrap)
	around := cleared()
	if j.tether != nil {
		j.child = j.tether.pid
	} else if err == nil {
		j.bwrap = 0
		err = errSetup
	}
	if around != nil {
		return around
	}
	return err
}

// heedLimit is many times what bwrap takes to make its process on a busy machine.
const heedLimit = time.Second

// heed ends bwrap, for which this thread then waits, when a signal comes that ends the
// launch; until stop is called. It first gives bwrap time to say which process is the
// jail: of one that is not known something would be left.
func (j *jailStart) heed(s signals) (stop func()) {
	over, bwrap, said := make(chan struct{}), j.bwrap, j.said
	go func() {
		select {
		case <-over:
		case sig := <-s:
			s <- sig // for who asks next: one place was just freed
			select {
			case <-over:
			case <-time.After(heedLimit):
				_ = unix.Kill(bwrap, unix.SIGKILL)        // it may have ended
				_ = said.SetReadDeadline(time.Unix(1, 0)) // what a script left may hold its other end
			}
		}
	}()
	return func() { close(over) }
}
