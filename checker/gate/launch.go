package gate

import (
	"errors"
	"fmt"
	"os"
	"strconv"
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
	made    *sandbox.Sandbox // what it is made for
	sources map[int]string   // of made's binds, as they were then
	bwrap   string
	argv    []string
	env     []string
	files   []*os.File // for the child, by number; the first three are its stdio
	// numbers are those of the descriptors that options name, by option. pins are in the
	// order of the options.
	numbers map[int]int
	pins    []pin
	added   []sandbox.Option // behind the jail's
	// unfilled are those of files that have no content yet.
	unfilled []unfilled
	layers   *layers // of overlays
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

// drop ends a bwrap whose command is not to run, and closes what was made for it.
func (p *pending) drop() error {
	silenced := p.jail.said.Close()
	if errors.Is(silenced, os.ErrClosed) { // it has said which process is the jail
		silenced = nil
	}
	if err := errors.Join(p.jail.kill(), silenced, p.close()); err != nil {
		return fmt.Errorf("drop what was prepared: %w", err)
	}
	return nil
}

// close closes what bwrap has been started with.
func (p *pending) close() error {
	errs := []error{p.layers.close()}
	for _, f := range p.ours {
		errs = append(errs, f.Close())
	}
	p.ours, p.layers = nil, nil
	return errors.Join(errs...)
}

// load executes bwrap, once. Where it has a hold it waits for the end of that, traced;
// else it reads at once what it was given. This thread is isolated from then on.
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
	if p.hold == nil {
		return nil
	}
	// At once, for a program around bwrap may soon have threads, whose forks nobody tells of.
	if p.jail.seized, err = seize(p.jail.bwrap); err == nil {
		p.jail.apart()
	}
	return err
}

// build has bwrap begin to build the jail, with its command blocked, where all that it
// makes ends with this process, whatever ends that.
func (p *pending) build() error {
	if p.hold == nil {
		return nil
	}
	if err := p.load(); err != nil || !p.jail.seized {
		return err
	}
	if err := letGo(p.hold); err != nil {
		return err
	}
	return p.jail.tie()
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
	p.ours = nil
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
