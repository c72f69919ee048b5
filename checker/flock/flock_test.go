package flock

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if file := os.Getenv("FLOCK_TEST_FILE"); file != "" { // a process that can only read it
		f, err := os.Open(file)
		if err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
		}
		fmt.Println("held", err)
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is closed
		return
	}
	os.Exit(m.Run())
}

func TestTake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	f, err := Take(file, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := f.Stat(); err != nil || st.Mode() != 0o600 {
		t.Error(st, err)
	}
	taken := make(chan error)
	go func() {
		f, err := Take(file, time.Minute)
		if err == nil {
			err = f.Close()
		}
		taken <- err
	}()
	if err := errors.Join(f.Close(), <-taken); err != nil {
		t.Error(err)
	}
	if _, err := Take(filepath.Join(file, "x"), 0); err == nil {
		t.Error("a lock below a file")
	}
	if err := os.Symlink(file, file+"-link"); err != nil {
		t.Fatal(err)
	}
	if _, err := Take(file+"-link", 0); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("through a link: %v", err)
	}
}

// Whoever can but read a file can hold its lock. The error names them.
func TestHeld(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "FLOCK_TEST_FILE="+file)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("held <nil>\n"))
	if _, err := out.Read(said); err != nil || string(said) != "held <nil>\n" {
		t.Fatalf("%q, %v", said, err)
	}
	_, err = Take(file, 50*time.Millisecond)
	var held *HeldError
	if !errors.As(err, &held) || len(held.By) != 1 || held.By[0].PID != c.Process.Pid || !strings.Contains(err.Error(), fmt.Sprintf("process %d (%q) has held %s for 50ms: ", c.Process.Pid, held.By[0].Name, file)) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(in.Close(), c.Wait()); err != nil {
		t.Fatal(err)
	}
	f, err := Take(file, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestHolders(t *testing.T) {
	const table = `1: FLOCK  ADVISORY  WRITE 1073741824 fe:00:77 0 EOF
1: -> FLOCK  ADVISORY  WRITE 30822 fe:00:77 0 EOF
2: FLOCK  ADVISORY  READ 0 fe:00:77 0 EOF
3: POSIX  ADVISORY  WRITE 5 fe:00:77 0 EOF
4: FLOCK  ADVISORY  WRITE 6 fe:00:78 0 EOF
nonsense
`
	if got := holdersIn(strings.NewReader(table), "fe:00", 77); !slices.Equal(got, []Holder{{1073741824, ""}}) {
		t.Errorf("%v", got)
	}
	for dev, want := range map[uint64]string{0xfe00: "fe:00", 0x10302: "103:02", 0x12345678: "456:12378"} {
		if dev == 0x10302 {
			dev = 0x103<<8 | 2
		}
		if got := device(dev); got != want {
			t.Errorf("%#x: %s, want %s", dev, got, want)
		}
	}
	if err := (&HeldError{File: "f", Limit: time.Second}).Error(); err != "another process has held f for 1s: end it (fuser f), or try again" {
		t.Error(err)
	}
}
