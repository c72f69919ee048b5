package worker

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running program that judges.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.ReadCloser
	said beginning
	// kill ends the process and what it started; gone is closed when it has ended.
	kill func()
	gone chan struct{}
}

// start runs the program with nothing but pipes, and a cache's folder unless that is
// nil. Its death with the caller's thread (PR_SET_PDEATHSIG) asks that the caller is
// on the main thread.
func start(program string, folder *os.File) (*process, error) {
	p := &process{gone: make(chan struct{}), cmd: &exec.Cmd{
		Path: program, Args: []string{filepath.Base(program), "judge"}, Env: []string{}, Dir: "/",
		SysProcAttr: attributes(),
	}}
	p.cmd.Stderr = &p.said
	if folder != nil {
		p.cmd.ExtraFiles = []*os.File{folder}
	}
	p.cmd.WaitDelay = time.Second // for what holds its standard error open
	// Once: another process may have the number afterwards. Not on this thread:
	// a launch takes the right to send signals from the main one (Landlock).
	p.kill = sync.OnceFunc(func() {
		go func() {
			_ = p.cmd.Process.Kill()                        // it may have ended by itself,
			_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL) // and so may what it started;
			_ = p.cmd.Wait()                                // how no longer matters
			close(p.gone)
		}()
	})
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	open, err := withhold()
	if err != nil {
		return nil, err
	}
	err = p.cmd.Start()
	if again := open(); err == nil {
		err = again
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	if err := confine(p.cmd.Process.Pid, folder != nil); err != nil {
		p.kill()
		return nil, fmt.Errorf("limit %s: %w", program, err)
	}
	return p, nil
}

// died explains a broken pipe.
func (p *process) died(err error) error {
	p.kill()
	<-p.gone
	how := p.cmd.ProcessState.String()
	if said := p.said.String(); said != "" {
		how += ": " + said
	}
	return fmt.Errorf("%s gave no answer (%w): it ended with %s", p.cmd.Path, err, how)
}

// beginning keeps the beginning of what the process says on standard error.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

func (t *beginning) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[:min(len(b), 500-len(t.text))]...)
	return len(b), nil
}

func (t *beginning) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
