package gate

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is prepared once more has the caller's pipes still, though nobody holds what was
// prepared first: a file that nobody holds is closed, and its number another's.
func TestPipesOfAProxyArePreparedTwice(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := unix.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()

	d := newDescriptors()
	command := func() []string { return []string{"proxy", "--fd=" + strconv.Itoa(n)} }
	if _, err := d.proxyPipes(command(), nil); err != nil {
		t.Fatal(err)
	}
	files, err := d.proxyPipes(command(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := files[0].WriteString("x"); err != nil {
		t.Error(err)
	}
}
