package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// tempDir is t.TempDir without links in its name, and searchable by all.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	check(t, err)
	check(t, os.Chmod(filepath.Dir(dir), 0o711))
	check(t, os.Chmod(dir, 0o755))
	return dir
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(content), 0o600))
}

func mkdir(t testing.TB, path string) {
	t.Helper()
	check(t, os.MkdirAll(path, 0o755))
}

func link(t testing.TB, target, path string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.Symlink(target, path))
}

// asOrdinaryUser runs body as a user that permissions bind. Root becomes
// nobody for file access on this thread only, which drops CAP_DAC_OVERRIDE
// (capabilities(7)).
func asOrdinaryUser(t *testing.T, body func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		body()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	setfsuid(nobody)
	if now := setfsuid(nobody); now != nobody {
		t.Fatal("setfsuid did not take effect")
	}
	defer setfsuid(0)
	body()
}

// setfsuid returns the former one, and never an error (setfsuid(2)).
func setfsuid(uid uintptr) uintptr {
	former, _, _ := unix.RawSyscall(unix.SYS_SETFSUID, uid, 0, 0)
	return former
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, sandbox.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one that is unknown and not absent", err)
	}
}

func wantAbsent(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, sandbox.ErrUnknown) {
		t.Errorf("error %v, want one that is absent and not unknown", err)
	}
}
