// Package gate launches jails: it parses bwrap's argv, hardens and checks the
// jail, starts bwrap with the command held back, compares what bwrap built with
// what was checked, and only then lets the command run.
package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Exit statuses of a launch; any other is the command's own. They are env(1)'s
// and docker-run(1)'s.
const (
	Broken   = 125 // ocjail or bwrap failed; nothing was started
	Refused  = 126 // the jail is denied; nothing was started
	NotFound = 127 // the command is not in the jail
)

// Request is a launch.
type Request struct {
	Name   string   // of the jail, for messages and the log; the manifest's prevails
	Argv   []string // bwrap's, without argv[0]; OriginOption is understood
	Bwrap  *host.Bwrap
	FS     *host.FS
	Facts  host.Facts
	Config *config.Config
	// Manifest names the jail and explains origins; it may be nil.
	Manifest *manifest.Manifest
	// Profile is the file that Argv was made from, absolute; "" for none.
	Profile string
	// InBwrapsPlace has --die-with-parent mean the caller of this process, as
	// bwrap's own would.
	InBwrapsPlace bool
	// BusProxy is the path of the xdg-dbus-proxy that is trusted to filter; "" for
	// none.
	BusProxy string
	Checker  func() (*checker.Checker, error) // waits until it is open: checker.Start
	Lookout  *checker.Lookout                 // of FS; nil to look when it is needed
	Cwd      string
	Environ  []string
	// Show prints a report; it is called once the decision is made.
	Show func(r *checker.Report)
	// Ask shows a person what a jail may do that was not approved, and returns the
	// answer, or ErrNobody; nil stands for nobody.
	Ask func(q Question) (Answer, error)
	// Released is called when the command has been let run.
	Released func()
	// Reviewed is told of what the session changed, after it ended.
	Reviewed func(o Outcome)
	// Warn is for what does not stop a launch.
	Warn io.Writer
	// Steps, when not nil, is told when each step ends.
	Steps func(name string)
}

// CommandError says that the jail holds no such command.
type CommandError struct{ Command string }

func (e *CommandError) Error() string {
	return fmt.Sprintf("%s: not found in the jail; check the command's name, and that its directory is bound and on the jail's PATH", e.Command)
}

// Launch judges the jail and runs it. It returns the exit status that the
// process should end with; with an error, which is for a person to read, the
// command was not started.
//
// It must be called on the main goroutine, locked to the main thread:
// --die-with-parent and what isolate does belong to a thread.
func (r Request) Launch(ctx context.Context) (int, error) {
	plainQuit()
	if err := closeOnExec(); err != nil {
		return Broken, fmt.Errorf("close inherited descriptors: %w", err)
	}
	fds := newDescriptors()
	s, err := sandbox.ParseArgv(r.Argv, fds.readArgs)
	if err != nil {
		return Broken, err
	}
	r.Name = cmp.Or(r.Manifest.JailName(s.Command), r.Name)
	if err := fds.take(s); err != nil {
		return Refused, err
	}
	std, err := newStdio(fds.consumed)
	if err != nil {
		return Refused, err
	}
	if err := r.follow(s); err != nil {
		return Broken, err
	}
	r.step("parse")
	rev, err := r.openReview()
	if err != nil {
		return Broken, err
	}
	consent := &consent{Request: r}
	try := func() (int, error) {
		return (&attempt{Request: r, fds: fds, std: std, rev: rev, consent: consent}).run(ctx, s)
	}
	status, err := try()
	var m *mismatch
	if errors.As(err, &m) { // an editor that saves by renaming looks like an attack
		r.FS = host.NewFS()
		status, err = try()
	}
	if err != nil { // what bwrap had to say may be on its way through a pipe
		err = errors.Join(err, std.close(), std.drain())
	}
	return status, err
}

// follow has this process end with its parent if the jail is to. The jail ends
// with this process. Like bwrap it does not see a parent that has ended before.
func (r Request) follow(s *sandbox.Sandbox) error {
	if !r.InBwrapsPlace || !s.Has("--die-with-parent") {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("--die-with-parent: %w", err)
	}
	return nil
}

func (r Request) step(name string) {
	if r.Steps != nil {
		r.Steps(name)
	}
}

// log adds a decision to the log. The error is for one that has to be there.
func (r Request) log(d decision.Decision) error {
	err := decision.At(r.Facts.StateDir).Append(d)
	if err != nil && r.Config.LogRequired {
		return fmt.Errorf("the decision could not be logged, and the configuration requires that it is: %w", err)
	}
	if err != nil {
		r.warn("the decision could not be logged: %v", err)
	}
	return nil
}

func (r Request) warn(format string, args ...any) {
	if r.Warn != nil {
		fmt.Fprintf(r.Warn, "ocjail: warning: "+format+"\n", args...)
	}
}

func (r Request) resolve(s *sandbox.Sandbox, fds *descriptors, std *stdio) checker.Request {
	return checker.Request{
		Name: r.Name, Phase: checker.Launch, Sandbox: s, FS: r.FS, Facts: r.Facts, Bwrap: r.Bwrap, Config: r.Config, Lookout: r.Lookout, Manifest: r.Manifest, Profile: r.Profile,
		Cwd: r.Cwd, Environ: r.Environ, Terminal: terminalName(std.files[1]), Interactive: interactive(std),
		Descriptor: pathOf, Step: r.Steps, Filters: fds.filters, CanFilter: CanFilter(), BusProxy: r.BusProxy,
	}
}
