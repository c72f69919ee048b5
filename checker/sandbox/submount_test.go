package sandbox_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// inNamespace is set in the environment of the test that TestSubmounts starts in
// a mount namespace of its own.
const inNamespace = "OCJAIL_TEST_IN_NAMESPACE"

// TestSubmounts is TestDifferential on worlds with mounts of the host's in them.
func TestSubmounts(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		again(t)
		return
	}
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	for _, bwrap := range bwraps(t) {
		t.Run(filepath.Base(filepath.Dir(bwrap)), func(t *testing.T) { differential(t, bwrap, true) })
	}
}

// again runs the same test where it may mount.
func again(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{capSysAdmin}
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	must(t, err)
}

const capSysAdmin = 21 // linux/capability.h

// command runs bwrap without the capability that the test may have to mount
// with: it starts for nobody but root with one.
func command(bwrap string, argv ...string) *exec.Cmd {
	if os.Getenv(inNamespace) == "" || os.Getuid() == 0 {
		return exec.Command(bwrap, argv...)
	}
	return exec.Command("setpriv", append([]string{"--inh-caps=-all", "--ambient-caps=-all", bwrap}, argv...)...)
}

// mountSome mounts a few things in the world, the same ones for the same seed.
func (w *world) mountSome(t testing.TB, seed int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(seed), 3))
	points := []string{"a/d", "a/d/g", "a/n", "b/d", "b/d/g", "c", "u/d"}
	for range 1 + r.IntN(5) {
		at := w.path(pick(r, points))
		if _, err := os.Lstat(at); err != nil {
			continue // something is mounted over its parent
		}
		switch r.IntN(4) {
		case 0:
			must(t, syscall.Mount("tmpfs", at, "tmpfs", 0, "mode=0755"))
			for _, name := range []string{"f", "g/f"} {
				must(t, os.MkdirAll(filepath.Dir(filepath.Join(at, name)), 0o755))
				must(t, os.WriteFile(filepath.Join(at, name), []byte("in a tmpfs\n"), 0o644))
				must(t, os.Lchown(filepath.Join(at, name), w.uid, w.uid))
			}
			must(t, os.Lchown(filepath.Join(at, "g"), w.uid, w.uid))
			must(t, os.Lchown(at, w.uid, w.uid))
		case 1:
			source := w.path(pick(r, []string{"b", "c", "a/n", "u"}))
			if _, in := sandbox.Below(source, at); in {
				continue // moving what lies above such a mount moves the way to it
			}
			must(t, syscall.Mount(source, at, "", syscall.MS_BIND, ""))
		default:
			must(t, syscall.Mount(at, at, "", syscall.MS_BIND, ""))
			must(t, syscall.Mount("", at, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
		}
		w.mounted = true
	}
}

// bwrap leaves a mount writable that another one covers, as it does under an automounted
// file system, also below a read-only bind.
func TestCoveredSubmounts(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		again(t)
		return
	}
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	dir := publicDir(t)
	mount := func(name string) {
		at := filepath.Join(dir, name)
		must(t, os.MkdirAll(at, 0o755))
		must(t, syscall.Mount("tmpfs", at, "tmpfs", 0, "mode=0755"))
		t.Cleanup(func() { must(t, syscall.Unmount(at, 0)) })
	}
	for _, name := range []string{"plain", "plain/in", "twice", "twice/in", "twice", "twice/in", "above/at", "above/at/in", "above", "above/at"} {
		mount(name)
	}
	argv := []string{"--ro-bind", "/", "/", "cat", "/proc/self/mountinfo"}
	s, err := sandbox.ParseArgv(argv, nil)
	must(t, err)
	tree, err := s.Simulate(sandbox.Config{Host: newLiveFS(t, ""), Strict: true, Cwd: dir})
	must(t, err)
	type line struct {
		point    string
		readOnly bool
	}
	model := map[line]int{}
	for _, l := range tree.InJail() {
		if _, in := sandbox.Below(dir, l.Point); in {
			model[line{l.Point, l.Flag}]++
		}
	}
	for _, bwrap := range bwraps(t) {
		out, err := command(bwrap, argv...).Output()
		must(t, err)
		real := map[line]int{}
		for text := range strings.Lines(string(out)) {
			f := strings.Fields(text)
			if _, in := sandbox.Below(dir, f[4]); in {
				real[line{f[4], strings.HasPrefix(f[5], "ro")}]++
			}
		}
		if len(real) < 10 || !maps.Equal(model, real) {
			t.Errorf("%s made %v, and the model has %v", bwrap, real, model)
		}
	}
}
