package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// jailStart is a bwrap that has been started and holds its command back.
type jailStart struct {
	bwrap   int      // process id of bwrap, our child
	child   int      // of the process in the jail, in our PID namespace
	handle  int      // pidfd of child, or -1
	said    *os.File // what bwrap's --info-fd writes to
	info    []byte   // what it wrote
	block   *os.File // one byte lets the command run
	blockFD int      // its number in the child
	tether  *tether
}

// spec is what start needs.
type spec struct {
	bwrap string
	// traceable is false for a script around bwrap, of whose processes it is not
	// known which is the jail's.
	traceable bool
	layers    *layers          // of overlays
	sandbox   *sandbox.Sandbox // descriptors already renumbered to files
	files     []*os.File       // for the child, by number; the first three are its stdio
	env       []string
}

// start runs bwrap with its command blocked and waits until it is known which
// process that is.
//
// bwrap's --block-fd takes end-of-file for permission. What it reads from is
// therefore a pipe that never ends: if we are killed, the command can not start.
func start(s spec) (*jailStart, error) {
	block, err := endless()
	if err != nil {
		return nil, err
	}
	infoR, infoW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pipe: %w", err), block.Close())
	}
	jail := s.sandbox.Clone()
	files := s.files
	number := func(f *os.File) string {
		files = append(files, f)
		return fmt.Sprint(len(files) - 1)
	}
	jail.Options = append(jail.Options,
		sandbox.Option{Name: "--info-fd", Args: []string{number(infoW)}},
		sandbox.Option{Name: "--block-fd", Args: []string{number(block)}})
	blockFD := len(files) - 1
	words := jail.Words()
	args, err := sealed("bwrap options", []byte(strings.Join(words, "\x00")+"\x00"))
	if err != nil {
		return nil, errors.Join(err, block.Close(), infoR.Close(), infoW.Close())
	}
	defer args.Close()
	argv := []string{"bwrap", "--args", number(args)}
	var hold *os.File
	if s.traceable {
		if hold, err = newHold(); err != nil {
			return nil, errors.Join(err, block.Close(), infoR.Close(), infoW.Close())
		}
		defer hold.Close()
		argv = append(argv, "--args", number(hold))
	}
	argv = append(append(argv, "--"), jail.Command...)
	if n := len(words) + len(argv) - 1; n > sandbox.MaxArgs {
		return nil, errors.Join(fmt.Errorf("%d arguments, ocjail's own included, are more than bwrap's limit of %d", n, sandbox.MaxArgs), block.Close(), infoR.Close(), infoW.Close())
	}
	j := &jailStart{block: block, blockFD: blockFD, said: infoR, handle: -1}
	err = j.fork(s, argv, files, hold)
	if err := errors.Join(err, infoW.Close()); err != nil {
		return j, err
	}
	if j.tether == nil {
		err = j.identify()
	}
	return j, err
}

// endless returns a pipe as one descriptor that reads and writes: whoever reads
// from it holds a writing end too, and so never comes to its end (fifo(7)).
func endless() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	n, err := unix.Open("/proc/self/fd/"+strconv.Itoa(int(r.Fd())), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		err = fmt.Errorf("open a pipe again: %w; is /proc mounted?", err)
	}
	if err := errors.Join(err, r.Close(), w.Close()); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), "block"), nil
}

// fork starts bwrap from this thread: main locks its goroutine to the first
// one, for --die-with-parent follows the thread that forked (prctl(2)). bwrap
// sets that late, so it is set here too.
func (j *jailStart) fork(s spec, argv []string, files []*os.File, hold *os.File) error {
	attr := &syscall.ProcAttr{Env: s.env, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	var err error
	if j.bwrap, err = syscall.ForkExec(s.bwrap, argv, attr); err != nil {
		return fmt.Errorf("start %s: %w", s.bwrap, err)
	}
	if hold == nil {
		return nil
	}
	tied, err := seize(j.bwrap)
	if err := errors.Join(err, letGo(hold)); err != nil || !tied {
		return err
	}
	if j.tether, err = tetherFork(j.bwrap); j.tether != nil {
		j.child = j.tether.pid
	} else if err == nil {
		j.bwrap = 0
		err = errSetup
	}
	return err
}

// errSetup says that bwrap ended before it could hold the command back; it has
// printed why.
var errSetup = errors.New("bwrap could not set the jail up (its message is above); nothing was started: ocjail doctor tells what is in the way on this machine")

// setupLimit bounds how long bwrap may take to build a jail.
const setupLimit = 30 * time.Second

// errAround says that another process than the first one which the program made is
// the jail.
var errAround = errors.New("what was started as bwrap is a program around it: name the real one with --bwrap; nothing was started")

// listen identifies the jail if bwrap has said by now which process that is. It does
// so before the jail is built: of a program around bwrap it is known at once.
func (j *jailStart) listen() error {
	if j.info != nil {
		return nil
	}
	said, err := j.said.SyscallConn()
	if err != nil {
		return fmt.Errorf("waiting for bwrap: %w", err)
	}
	ready := 0
	err = said.Control(func(fd uintptr) { // not Fd, which would take the deadlines away
		ready, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) // else the next look tells
	})
	if err != nil || ready < 1 {
		return err
	}
	return j.identify()
}

// identify reads which process bwrap says is the jail, in the JSON that it writes to
// --info-fd, and waits for it.
func (j *jailStart) identify() error {
	if j.info != nil {
		return nil
	}
	if err := j.said.SetReadDeadline(time.Now().Add(setupLimit)); err != nil {
		return fmt.Errorf("waiting for bwrap: %w", err)
	}
	var raw json.RawMessage
	if err := errors.Join(json.NewDecoder(j.said).Decode(&raw), j.said.Close()); err != nil {
		return errSetup
	}
	var info struct {
		Child int `json:"child-pid"`
	}
	if err := json.Unmarshal(raw, &info); err != nil || info.Child <= 0 {
		return fmt.Errorf("bwrap wrote %q to --info-fd: no child-pid in it", raw)
	}
	if j.child != info.Child && !descends(info.Child, j.bwrap) { // j.child is the tether's, or nothing yet
		return fmt.Errorf("%w: it says that the jail is process %d, which it has not made here", errAround, info.Child)
	}
	if j.tether != nil && j.child != info.Child {
		// It waits for permission, and would do so for ever.
		if err := unix.Kill(info.Child, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return errors.Join(errAround, fmt.Errorf("kill %d: %w", info.Child, err))
		}
		return errAround
	}
	j.child, j.info = info.Child, raw
	if h, err := unix.PidfdOpen(j.child, 0); err == nil { // else before Linux 5.3, or it ended: supervise will tell
		j.handle = h
	}
	return nil
}

// run lets the command start.
func (j *jailStart) run() error {
	err := j.tether.cut(func() error {
		_, err := j.block.Write([]byte{1})
		return err
	})
	if err != nil {
		return err
	}
	return j.block.Close()
}

// kill ends a jail whose command is still held back, and reaps bwrap. The child
// goes first, so that nothing is left when bwrap is gone.
func (j *jailStart) kill() error {
	var errs []error
	for _, pid := range []int{j.child, j.bwrap} {
		if pid > 0 && (j.tether == nil || pid != j.child || !j.tether.gone) {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				errs = append(errs, fmt.Errorf("kill %d: %w", pid, err))
			}
		}
	}
	errs = append(errs, j.tether.reap())
	if j.bwrap > 0 {
		if _, err := wait(j.bwrap); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, j.block.Close())...)
}

func wait(pid int) (unix.WaitStatus, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return ws, fmt.Errorf("wait for bwrap: %w", err)
		}
		if !ws.Stopped() { // as one is that was seized, and killed since
			return ws, nil
		}
	}
}
