package agent

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Result is what came of one act.
type Result struct {
	Act      Act
	Reply    string // what the agent answered to the call, be it an error
	Happened bool   // the act had its effect on the host
}

// AsPromised tells whether the result is what a run must give: everything
// happens without the jail, and only honest work with it.
func (r Result) AsPromised(jailed bool) bool {
	return r.Happened == (!jailed || !r.Act.Hostile)
}

// sessionLimit bounds one session, which takes about six seconds on two idle
// cores.
const sessionLimit = 2 * time.Minute

// Run lets opencode carry out all acts in a new world, under ocjail when
// jailed, and returns one result an act. progress is called as each act is
// answered, with its index.
func Run(ctx context.Context, tools Tools, jailed bool, progress func(turn int)) (results []Result, err error) {
	acts := Acts()
	calls := make([]Call, len(acts))
	for i, a := range acts {
		calls[i] = a.Call
	}
	model, err := ServeScript(calls, func(turn int, _ string) { progress(turn) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	w, err := NewWorld(tools, model.URL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()

	ctx, cancel := context.WithTimeout(ctx, sessionLimit)
	defer cancel()
	out, err := w.launch(ctx, tools, jailed)
	if err != nil {
		return nil, err
	}
	results, err = judge(w, acts, model.Replies())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return results, nil
}

// System lets opencode carry out one harmless act in a new world and returns what
// it told its model beside the conversation.
func System(ctx context.Context, tools Tools, jailed bool) (text string, err error) {
	model, err := ServeScript([]Call{bash("true")}, func(int, string) {})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	w, err := NewWorld(tools, model.URL)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, sessionLimit)
	defer cancel()
	_, err = w.launch(ctx, tools, jailed)
	return model.System(), err
}

// judge looks at the host. An act that the agent never answered is an error:
// harm that nobody tried would look like harm prevented.
func judge(w *World, acts []Act, replies map[int]string) ([]Result, error) {
	results := make([]Result, len(acts))
	for i, a := range acts {
		reply, answered := replies[i]
		if !answered {
			return nil, fmt.Errorf("the session ended before the agent tried to %s", a.Name)
		}
		happened, err := a.Happened(w, reply)
		if err != nil {
			return nil, fmt.Errorf("%s: look at what happened: %w", a.Name, err)
		}
		results[i] = Result{a, reply, happened}
	}
	return results, nil
}

// launch runs one opencode session to its end and returns what it printed.
func (w *World) launch(ctx context.Context, tools Tools, jailed bool) (string, error) {
	argv := w.stage(tools.Bwrap)
	if jailed {
		argv = append(argv, "ocjail", "run", "--project", projectDir, "--")
	}
	argv = append(argv, "opencode", "run", "Please carry on.")

	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = w.dir
	cmd.Env = w.environ()
	cmd.SysProcAttr = w.user.attr()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("opencode session: %w\n%s", errors.Join(err, ctx.Err()), out)
	}
	return string(out), nil
}

func (w *World) environ() []string {
	return append([]string{
		"HOME=" + homeDir, "USER=dev", "LANG=C.UTF-8",
		"PATH=" + homeDir + "/.local/bin:/usr/local/bin:/usr/bin:/bin",
	}, offline...)
}

// stage is the start of a command line that gives what follows the world's
// home and a passwd(5) that names it, for ocjail trusts only that. It is no
// jail: the rest of the machine is there as it is, but for other homes, which
// stay out of the reach of the run without a jail.
func (w *World) stage(bwrap string) []string {
	return []string{
		bwrap, "--dev-bind", "/", "/",
		"--tmpfs", "/home", "--bind", w.Home, homeDir,
		"--ro-bind", w.passwd(), "/etc/passwd",
		"--chdir", projectDir, "--die-with-parent", "--",
	}
}
