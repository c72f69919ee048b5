package profile

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A FIFO in the place of a file would hold up every launch, until somebody
// writes to it.
func TestReadWaitsForNobody(t *testing.T) {
	h := realHost(t)
	must(t, unix.Mkfifo(h.Project+"/fifo", 0o600))
	must(t, os.WriteFile(h.Project+"/file", []byte("text"), 0o600))
	link(t, "file", h.Project+"/link")
	for name, want := range map[string]string{"fifo": "not a regular file", "sub": "not a regular file", "link": "symbolic links", "absent": "no such file"} {
		done := make(chan error, 1)
		go func() {
			_, err := h.read(h.Project+"/"+name, 99)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: still waiting", name)
		}
	}
	if text, err := h.read(h.Project+"/file", 3); err != nil || string(text) != "tex" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := Root().Open("/etc/passwd"); err == nil {
		t.Error("an absolute name is no name of package fs")
	}
}
