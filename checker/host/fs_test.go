package host

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func TestLstatTypes(t *testing.T) {
	dir := tempDir(t)
	write(t, dir+"/file", "x")
	check(t, os.Link(dir+"/file", dir+"/hard"))
	link(t, "../no/where", dir+"/link")
	check(t, unix.Mkfifo(dir+"/fifo", 0o640))
	l, err := net.Listen("unix", dir+"/s")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })

	f := NewFS()
	for path, want := range map[string]sandbox.FileType{
		dir: sandbox.Dir, "/": sandbox.Dir, dir + "/file": sandbox.Regular, dir + "/link": sandbox.Symlink,
		dir + "/fifo": sandbox.FIFO, dir + "/s": sandbox.Socket, "/dev/null": sandbox.CharDevice,
	} {
		st, err := f.Lstat(path)
		if err != nil || st.Type != want {
			t.Errorf("%s is %q (%v), want %q", path, st.Type, err, want)
		}
	}
	file, _ := f.Lstat(dir + "/file")
	hard, _ := f.Lstat(dir + "/hard")
	info, err := os.Lstat(dir + "/file")
	check(t, err)
	sys := info.Sys().(*syscall.Stat_t)
	want := sandbox.Stat{Type: sandbox.Regular, Dev: sys.Dev, Ino: sys.Ino, UID: uint32(os.Getuid()), Mode: 0o600, Nlink: 2}
	if file != want || hard.ID() != file.ID() {
		t.Errorf("file %+v and hard link %+v, want %+v", file, hard, want)
	}
	if st, _ := f.Lstat(dir + "/link"); st.Target != "../no/where" {
		t.Errorf("target %q", st.Target)
	}
}

func TestLstatFailures(t *testing.T) {
	dir := tempDir(t)
	write(t, dir+"/file", "")
	mkdir(t, dir+"/real/sub")
	link(t, "real", dir+"/link")
	f := NewFS()
	for _, path := range []string{dir + "/none", dir + "/none/below", dir + "/file/below"} {
		_, err := f.Lstat(path)
		wantAbsent(t, err)
	}
	for _, path := range []string{
		dir + "/link/sub", dir + "/" + strings.Repeat("n", 256), dir + "/nul\x00", "relative", dir + "/", dir + "/a/../b", "",
	} {
		_, err := f.Lstat(path)
		wantUnknown(t, err)
	}
}

func TestUnsearchableDirectoryIsUnknown(t *testing.T) {
	dir := tempDir(t)
	write(t, dir+"/closed/sub/key", "")
	check(t, os.Chmod(dir+"/closed", 0))
	asOrdinaryUser(t, func() {
		f := NewFS()
		for _, path := range []string{dir + "/closed/sub", dir + "/closed/sub/key", dir + "/closed/none"} {
			_, err := f.Lstat(path)
			wantUnknown(t, err)
			_, err = f.RealPath(path)
			wantUnknown(t, err)
		}
		if _, err := f.Lstat(dir + "/closed"); err != nil {
			t.Errorf("the directory itself: %v", err)
		}
	})
	check(t, os.Chmod(dir+"/closed", 0o700))
}

func TestLstatIsASnapshot(t *testing.T) {
	dir := tempDir(t)
	f := NewFS()
	_, err := f.Lstat(dir + "/late")
	wantAbsent(t, err)
	write(t, dir+"/late", "")
	_, err = f.Lstat(dir + "/late")
	wantAbsent(t, err)
	if _, err := NewFS().Lstat(dir + "/late"); err != nil {
		t.Error(err)
	}
}
