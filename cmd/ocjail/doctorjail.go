//go:build linux && !nojail

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// neededOptions are bwrap's that a launch uses by itself.
var neededOptions = []string{"--args", "--info-fd", "--block-fd", "--sync-fd", "--add-seccomp-fd"}

func (d *doctor) findBwrap(path string) {
	b, err := host.FindBwrap(d.fs, path)
	if errors.Is(err, host.ErrNoBwrap) {
		d.add("bubblewrap", report.Fail, "bwrap was not found in PATH", d.install("bubblewrap"))
		return
	}
	if err != nil { // one is there, and is not to be started
		d.add("bubblewrap", report.Fail, err.Error(), "")
		return
	}
	d.bwrap = b
	name, err := b.Version(d.ctx)
	if err != nil {
		d.add("bubblewrap", report.Fail, fmt.Sprintf("%s does not run: %v", b.Path, err), d.install("bubblewrap"))
		return
	}
	for _, o := range neededOptions {
		if has, err := b.Supports(o); err != nil || !has {
			d.add("bubblewrap", report.Fail, fmt.Sprintf("%s (%s) does not know %s", name, b.Path, o), d.install("bubblewrap")+", 0.8 or later")
			return
		}
	}
	if err := b.Readable(); err != nil {
		d.add("bubblewrap", report.Fail, err.Error(), "sudo chmod a+r "+b.Path)
		return
	}
	if b.Setuid {
		d.add("bubblewrap", report.Warn, fmt.Sprintf("%s (%s) has the setuid bit, which makes its faults the machine's; ocjail starts it without that right, and so needs user namespaces", name, b.Path),
			"where nothing else needs it: sudo chmod u-s "+b.Path)
		return
	}
	d.add("bubblewrap", report.OK, fmt.Sprintf("%s (%s)", name, b.Path), "")
}

// trialOptions make a jail with all that the default one asks of the kernel. Of
// its files only those of --dev can be written.
var trialOptions = []string{
	"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL",
	"--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--clearenv", "--setenv", "HOME", "/dev/shm",
}

// inTrial runs a program in such a jail and returns what it printed.
func (d *doctor) inTrial(limit time.Duration, command ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(d.ctx, limit)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, d.bwrap.Path, append(append([]string{}, trialOptions...), append([]string{"--chdir", "/", "--"}, command...)...)...)
	c.Stdout, c.Stderr, c.Env, c.WaitDelay = &out, &errs, []string{}, time.Second
	err = errors.Join(unprivileged(c.Run), ctx.Err())
	return strings.TrimSpace(out.String()), strings.TrimSpace(errs.String()), err
}

// unprivileged has run start programs as the gate starts bwrap, whose setuid bit counts
// for nothing then (PR_SET_NO_NEW_PRIVS, prctl(2)).
func unprivileged(run func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with what is set for it
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = run()
		}
		done <- err
	}()
	return <-done
}

// failures are what bwrap says when it can not make a jail (bubblewrap.c, seen
// with 0.8 to 0.11), what that means, and what mends it.
var failures = []struct{ says, means, mend string }{
	{"(ENOSPC)", "there may be no further namespace: ocjail runs in a jail that forbids them (--disable-userns), a limit is reached, or user namespaces are off",
		"start ocjail outside of that jail, or: sudo sysctl -w user.max_user_namespaces=15000"},
	{"Failed to make / slave: Operation not permitted", "mounting is forbidden: ocjail runs under a Landlock or seccomp sandbox, or in a container without rights",
		"start ocjail outside of that sandbox; of containers, podman's and docker's with --security-opt seccomp=unconfined"},
	{"Failed to make / slave: Permission denied", "AppArmor forbids mounting, as docker's default profile does",
		"start the container with --security-opt apparmor=unconfined"},
	{"setting up uid map: Permission denied", "AppArmor took the rights of bwrap's user namespace, as on Ubuntu 24.04", appArmorProfile},
	{"loopback: Failed RTM_NEWADDR", "AppArmor took the rights of bwrap's user namespace, as on Ubuntu 24.04", appArmorProfile},
	{"Can't mount proc", "the container covers parts of /proc, so the kernel allows no new one",
		"start the container with --security-opt systempaths=unconfined (docker) or --security-opt unmask=ALL (podman)"},
	{"No permissions to create", "user namespaces are forbidden", allowUserNamespaces},
	{"Creating new namespace failed: Operation not permitted", "namespaces are forbidden, by a sysctl or a container's seccomp filter",
		allowUserNamespaces + "; in a container: --security-opt seccomp=unconfined"},
}

// trial starts a jail: the test that decides. Its command is bwrap itself, the
// one program that is surely here.
func (d *doctor) trial() {
	if d.bwrap == nil {
		return
	}
	_, said, err := d.inTrial(10*time.Second, d.bwrap.Path, "--version")
	if err == nil {
		d.works = true
		d.add("trial jail", report.OK, "a jail starts", "")
		return
	}
	if said == "" {
		said = err.Error()
	}
	for _, f := range failures {
		if strings.Contains(said, f.says) {
			d.add("trial jail", report.Fail, f.means+" ("+said+")", strings.ReplaceAll(f.mend, "BWRAP", d.bwrap.Path))
			return
		}
	}
	d.add("trial jail", report.Fail, said, "")
}

// bareRepositories: a folder that an agent filled like a repository is one to git
// (git-config(1), safe.bareRepository, since git 2.38).
func (d *doctor) bareRepositories() {
	if d.facts.Home == "" {
		return // which is a failure of its own
	}
	value, err := d.fs.GitSetting(d.facts, "safe.barerepository")
	switch {
	case err != nil:
		d.add("git folders", report.Warn, err.Error(), "mend or remove the file")
	case value == "explicit":
		d.add("git folders", report.OK, "safe.bareRepository is explicit", "")
	default:
		d.add("git folders", report.Warn, "your git obeys the configuration in any folder that looks like a repository, also one that an agent made",
			"git config --global safe.bareRepository explicit")
	}
}

// workers looks for the programs that judge by further rules.
func (d *doctor) workers() {
	if path, err := worker.Probe(worker.Name); err != nil {
		d.add("rules", report.Warn, err.Error(), "install ocjail and "+worker.Name+" of one build side by side; until then only the embedded rules can judge")
	} else {
		d.add("rules", report.OK, path, "")
	}
	if path, err := worker.Probe(worker.WASM); err != nil {
		d.add("modules", report.Warn, err.Error(), "install ocjail and "+worker.WASM+" of one build side by side; rules in WebAssembly take longer without it, and are refused with one of another build")
	} else {
		d.add("modules", report.OK, path, "")
	}
}

// programs looks for what the default profile runs.
func (d *doctor) programs() {
	d.workers()
	if path, err := exec.LookPath("git"); err != nil {
		d.add("git", report.Warn, "not found in PATH: agents work better with it", d.install("git"))
	} else {
		d.add("git", report.OK, path, "")
		d.bareRepositories()
	}
	path, err := exec.LookPath("opencode")
	if err != nil {
		d.add("opencode", report.Warn, "not found in PATH: only other commands can be jailed", "npm install -g opencode-ai")
		return
	}
	if !d.works {
		d.add("opencode", report.OK, path, "")
		return
	}
	// In a jail, for it is not ocjail's place to start it outside of one.
	name, said, err := d.inTrial(20*time.Second, path, "--version")
	if err != nil {
		d.add("opencode", report.Warn, fmt.Sprintf("%s does not run: %v: %s", path, err, said), "npm install -g opencode-ai")
		return
	}
	d.add("opencode", report.OK, fmt.Sprintf("%s (%s)", name, path), "")
}
