package gate

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// held starts bwrap with the mounts. Begin lets it set the jail up, in the user namespace
// that is made here instead; the command waits for ever.
func held(t *testing.T, mounts ...string) (child int, begin *os.File) {
	t.Helper()
	var ends []*os.File
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		ends = append(ends, r, w)
	}
	said, info, begun, begin, block := ends[0], ends[1], ends[2], ends[3], ends[4]
	argv := append([]string{"--unshare-user", "--die-with-parent", "--info-fd", "3", "--userns-block-fd", "4", "--block-fd", "5"}, mounts...)
	c := exec.Command("bwrap", append(argv, "--", "true")...)
	c.ExtraFiles, c.Stderr = []*os.File{info, begun, block}, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	var known struct {
		Child int `json:"child-pid"`
	}
	if err := json.NewDecoder(said).Decode(&known); err != nil {
		t.Fatal(err)
	}
	uid, gid := strconv.Itoa(os.Getuid()), strconv.Itoa(os.Getgid())
	for _, m := range [][2]string{{"setgroups", "deny"}, {"uid_map", uid + " " + uid + " 1"}, {"gid_map", gid + " " + gid + " 1"}} {
		if err := os.WriteFile("/proc/"+strconv.Itoa(known.Child)+"/"+m[0], []byte(m[1]), 0); err != nil {
			t.Fatal(err)
		}
	}
	return known.Child, begin
}

// A jail that has the host's root looks, before bwrap has begun, as it will when bwrap is
// done: what is mounted in between would be looked at by nobody.
func TestVerifiesNothingBeforeItIsBuilt(t *testing.T) {
	e, tree := expected(t, "--bind", "/", "/")
	child, begin := held(t, "--bind", "/", "/")
	v := &verifier{expected: e, child: child, blockFD: 5, hostRoot: hostRootOf(tree), meanwhile: func() error { return nil }}
	if err := v.once(true); err != nil {
		t.Fatalf("it does not look so: %v", err)
	}
	if err := v.wait(2 * settleLimit); !errors.Is(err, errUnfinished) {
		t.Errorf("before bwrap began: %v", err)
	}
	if _, err := begin.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := v.wait(setupLimit); err != nil {
		t.Errorf("when it was done: %v", err)
	}
}

func TestBlocked(t *testing.T) {
	child, begin := held(t, "--bind", "/", "/")
	if _, err := begin.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(setupLimit); ; time.Sleep(time.Millisecond) {
		yes, known := blocked(child, 5)
		if !known {
			t.Fatal("the kernel does not say: run the tests where /proc/PID/syscall can be read")
		}
		if yes {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it never waits")
		}
	}
	if yes, known := blocked(child, 4); yes || !known {
		t.Errorf("for another descriptor: %v, %v", yes, known)
	}
	if yes, known := blocked(1<<22+1, 5); yes || known {
		t.Errorf("no process: %v, %v", yes, known)
	}
}
