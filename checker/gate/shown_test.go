package gate

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// swapped is a jail that is to show data at point, and shows what shows is. What has been
// judged has a second name, alias, beside point: exchange brings it to point, and back.
func swapped(t *testing.T, shows string) (v *verifier, exchange func()) {
	t.Helper()
	dir := canonicalDir(t)
	for _, name := range []string{"data", "key", "point"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(dir+"/data", dir+"/alias"); err != nil {
		t.Fatal(err)
	}
	mounts := func(source string) []string {
		return []string{"--bind", dir, dir, "--ro-bind", dir + "/" + source, dir + "/point"}
	}
	e, tree := expected(t, mounts("data")...)
	child, begin := held(t, mounts(shows)...)
	if _, err := begin.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	v = &verifier{expected: e, child: child, blockFD: 5, hostRoot: hostRootOf(tree), meanwhile: func() error { return nil }}
	for end := time.Now().Add(setupLimit); ; time.Sleep(time.Millisecond) {
		if done, _ := blocked(child, 5); done {
			break
		}
		if time.Now().After(end) {
			t.Fatal("bwrap is never done")
		}
	}
	return v, func() {
		if err := unix.Renameat2(unix.AT_FDCWD, dir+"/point", unix.AT_FDCWD, dir+"/alias", unix.RENAME_EXCHANGE); err != nil {
			t.Fatal(err)
		}
	}
}

// A mount that shows what nobody judged is renamed away while its file is looked at, and is
// in its place again when the mounts are.
func TestMountsAreThoseThatWereLookedAt(t *testing.T) {
	var m *mismatch
	v, exchange := swapped(t, "key")
	if err := v.identities(); !errors.As(err, &m) {
		t.Errorf("what is shown: %v", err)
	}
	exchange()
	v.seen = nil
	if err := v.identities(); err != nil {
		t.Fatalf("another name of the file that was judged: %v", err)
	}
	exchange()
	if err := v.mounts(); !errors.As(err, &m) {
		t.Errorf("after a swap: %v", err)
	}
	v, _ = swapped(t, "data")
	if err := v.once(true); err != nil {
		t.Errorf("what was judged: %v", err)
	}
}

// Before Linux 5.8 nobody tells which mount shows a file.
func TestMountsWithoutTheirNumbers(t *testing.T) {
	v, _ := swapped(t, "data")
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with its filter
		var p program
		p.add(load, 0, 0, offNumber)
		p.add(jeq, 0, 1, unix.SYS_STATX)
		p.add(ret, 0, 0, refuse(unix.ENOSYS))
		p.add(ret, 0, 0, unix.SECCOMP_RET_ALLOW)
		filter := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			t.Error(err)
		}
		if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0); err != nil {
			t.Error(err)
		}
		if err := v.once(true); err != nil || v.seen[0] != 0 {
			t.Errorf("%v, seen in %v", err, v.seen)
		}
	}()
	<-done
}
