package refusals

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// A commondir that an agent wrote makes the host's git run what it likes.
func TestGitRedirected(t *testing.T) {
	w := gatetest.New(t)
	w.Git()
	launch := func() gatetest.Outcome {
		return w.Run(w.Ocjail(append(w.Jail(), "--", "sh", "-c", "echo ran")...))
	}
	if o := launch(); o.Stdout != "ran\n" {
		t.Fatalf("an ordinary repository: %+v", o)
	}

	plant := "cp -r .git evil && git config -f evil/config core.fsmonitor 'touch " + w.Project + "/planted;false' && echo ../evil >.git/commondir"
	if o := w.Run(w.Bwrap(append(w.Jail(), "--", "sh", "-c", plant)...)); o.Status != 0 {
		t.Fatalf("without ocjail: %+v", o)
	}
	w.Run(w.Command("git", "status"))
	if !exists(w, "project/planted") {
		t.Fatal("git status on the host runs nothing, so this proves nothing")
	}
	if o := launch(); o.Status != 126 || !strings.Contains(o.Stderr, "exec/git-redirected") || o.Stdout != "" {
		t.Errorf("%+v", o)
	}
}

func exists(w *gatetest.World, name string) bool {
	list, err := filepath.Glob(filepath.Join(w.Dir, name))
	return err == nil && len(list) > 0
}

// What the host mounts below a shared mount appears below a read-only bind of
// it, writable. As root only: it takes mounting on the host.
func TestMountsMadeLater(t *testing.T) {
	w, ok := gatetest.NewRoot(t)
	if !ok {
		return // an ordinary user can not mount on the host
	}
	const payload = `echo ready >ready; n=0
while ! grep -q ' /m/late ' /proc/self/mountinfo && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
echo x 2>/dev/null >/m/late/file && echo written || echo read-only`
	const host = `mount -t tmpfs m /mnt; mount --make-shared /mnt; mkdir /mnt/late
"$@" & n=0
while [ ! -e ready ] && [ $n -lt 30 ]; do n=$((n+1)); sleep 0.1; done
mount -t tmpfs late /mnt/late; wait $!`
	run := func(c *exec.Cmd) gatetest.Outcome {
		return w.Run(w.Command("unshare", append([]string{"--mount", "sh", "-c", host, "sh"}, c.Args...)...))
	}
	jail := func(source string) []string {
		return append(w.Jail("--ro-bind", source, "/m"), "--", "sh", "-c", payload)
	}
	if o := run(w.Ocjail(jail("/mnt")...)); o.Status != 126 || !strings.Contains(o.Stderr, "fs/propagation") || exists(w, "project/ready") {
		t.Errorf("ocjail does not refuse it: %+v", o)
	}
	if o := run(w.Bwrap(jail("/mnt")...)); o.Stdout != "written\n" {
		t.Errorf("without ocjail this does no harm, so it proves nothing: %+v", o)
	}
	if o := run(w.Ocjail(append(w.Jail("--ro-bind", "/mnt/late", "/m"), "--", "echo", "ran")...)); o.Stdout != "ran\n" {
		t.Errorf("the folder itself: %+v", o)
	}
}

// A mount in a folder that the user may not search comes with a bind of a folder
// above it. Nobody in the jail can reach it, so it must not stop the launch.
func TestMountsOutOfReach(t *testing.T) {
	if _, ok := gatetest.NewRoot(t); !ok {
		return // an ordinary user can not mount on the host
	}
	w := gatetest.New(t)
	w.Write("shared/locked/mnt/file", "", 0o644)
	c := w.Ocjail(append(w.Jail("--ro-bind", filepath.Join(w.Dir, "shared"), "/shared"), "--", "echo", "ran")...)
	uid := fmt.Sprint(c.SysProcAttr.Credential.Uid)
	const host = `mount -t tmpfs m "$1/mnt" && chown 0:0 "$1" && chmod 700 "$1" && shift && exec setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"`
	as := exec.Command("unshare", append([]string{"--mount", "bash", "-c", host, "bash", filepath.Join(w.Dir, "shared/locked"), uid}, c.Args...)...)
	as.Dir, as.Env = c.Dir, c.Env
	if o := w.Run(as); o.Status != 0 || o.Stdout != "ran\n" {
		t.Errorf("%+v", o)
	}
}
