package gate

import (
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
	seized  bool     // bwrap is traced
	tether  *tether
	// processors are those that the jail may use, while it may not use them all.
	processors *unix.CPUSet
}

// pending is a bwrap that is ready to be started, or waits to be told what to build.
type pending struct {
	bwrap  string
	argv   []string
	env    []string
	files  []*os.File // for the child, by number; the first three are its stdio
	layers *layers    // of overlays
	// hold is nil for a script around bwrap, of whose processes it is not known which is
	// the jail's.
	hold *os.File
	ours []*os.File // that are closed once it has been started
	jail *jailStart
	// loaded is set when bwrap has been executed.
	loaded bool
	// missing is what isolate could not do.
	missing []string
}

// pend makes what bwrap is started with: s, which it takes over, and whose descriptors
// are numbers of files.
//
// bwrap's --block-fd takes end-of-file for permission. What it reads from is
// therefore a pipe that never ends: if we are killed, the command can not start.
func (p *pending) pend(s *sandbox.Sandbox) error {
	block, err := endless()
	if err != nil {
		return err
	}
	p.jail.block = block
	infoR, infoW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	p.jail.said, p.ours = infoR, append(p.ours, infoW)
	s.Options = append(s.Options,
		sandbox.Option{Name: "--info-fd", Args: []string{p.number(infoW)}},
		sandbox.Option{Name: "--block-fd", Args: []string{p.number(block)}})
	p.jail.blockFD = len(p.files) - 1
	words := s.Words()
	args, err := sealed("bwrap options", []byte(strings.Join(words, "\x00")+"\x00"))
	if err != nil {
		return err
	}
	p.ours = append(p.ours, args)
	p.argv = []string{"bwrap"}
	if p.hold != nil { // the first, for bwrap is to read no option before
		p.ours = append(p.ours, p.hold)
		p.argv = append(p.argv, "--args", p.number(p.hold))
	}
	p.argv = append(p.argv, "--args", p.number(args), "--")
	p.argv = append(p.argv, s.Command...)
	if n := len(words) + len(p.argv) - 1; n > sandbox.MaxArgs {
		return fmt.Errorf("%d arguments, ocjail's own included, are more than bwrap's limit of %d", n, sandbox.MaxArgs)
	}
	return nil
}

// drop ends a bwrap that is not to build anything, and closes what was made for it.
func (p *pending) drop() error {
	errs := []error{p.jail.kill(), p.layers.close(), p.jail.said.Close()}
	for _, f := range p.ours {
		errs = append(errs, f.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("drop what was prepared: %w", err)
	}
	return nil
}

// number adds f for the child and returns its number there.
func (p *pending) number(f *os.File) string {
	p.files = append(p.files, f)
	return fmt.Sprint(len(p.files) - 1)
}

// load executes bwrap, once. Where it has a hold it waits for the end of that, traced.
// This thread is isolated from then on.
func (p *pending) load() (err error) {
	if p.loaded {
		return nil
	}
	if p.missing, err = isolate(); err != nil {
		return err
	}
	if err := p.jail.fork(p); err != nil {
		return err
	}
	p.loaded = true
	if p.hold != nil {
		// At once, for a program around bwrap may soon have threads, whose forks nobody tells of.
		p.jail.seized, err = seize(p.jail.bwrap)
		p.jail.apart()
	}
	return err
}

// early has bwrap build the jail, with its command blocked, where all that it makes ends
// with this process, whatever ends that.
func (p *pending) early() error {
	if p.hold == nil {
		return nil
	}
	if err := p.load(); err != nil || !p.jail.seized {
		return err
	}
	return letGo(p.hold)
}

// start has bwrap build the jail, with its command blocked, and waits until it is known
// which process that is, or one of the signals ends the launch.
func (p *pending) start(signals signals) (*jailStart, error) {
	j := p.jail
	err := p.load()
	if err == nil {
		defer j.heed(signals)()
		if p.hold != nil {
			err = letGo(p.hold)
		}
		if err == nil {
			err = j.tie()
		}
	}
	errs := []error{err}
	for _, f := range p.ours {
		errs = append(errs, f.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return j, err
	}
	if j.tether == nil {
		return j, j.identify()
	}
	return j, nil
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
func (j *jailStart) fork(p *pending) (err error) {
	attr := &syscall.ProcAttr{Env: p.env, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	for _, f := range p.files {
		attr.Files = append(attr.Files, f.Fd())
	}
	if j.bwrap, err = syscall.ForkExec(p.bwrap, p.argv, attr); err != nil {
		return fmt.Errorf("start %s: %w", p.bwrap, err)
	}
	return nil
}

// errSetup says that bwrap ended before it could hold the command back; it has
// printed why.
var errSetup = errors.New("bwrap could not set the jail up (its message is above); nothing was started: ocjail doctor tells what is in the way on this machine")

// setupLimit bounds how long bwrap may take to build a jail.
const setupLimit = 30 * time.Second

// run lets the command start.
func (j *jailStart) run() error {
	if err := j.anywhere(); err != nil {
		return err
	}
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
			errs = append(errs, end(pid))
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
