//go:build linux && !nojail

package host

import (
	"net"
	"slices"
	"testing"
)

// Both ways to ask the kernel know each socket that listens, and no port of one
// that does not.
func TestListeningBothWays(t *testing.T) {
	ports := map[int]bool{}
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			if address[0] == '[' {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ports[l.Addr().(*net.TCPAddr).Port] = true
		ports[c.LocalAddr().(*net.TCPAddr).Port] = false
	}
	for name, ask := range map[string]func() ([]int, error){"sock_diag": askListening, "proc": func() ([]int, error) { return procListening(Local()) }} {
		got, err := ask()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for port, listens := range ports {
			if slices.Contains(got, port) != listens {
				t.Errorf("%s: port %d in %v, want %v", name, port, got, listens)
			}
		}
	}
}

func FuzzReplies(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 88))
	f.Add([]byte{16, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if ports, _, err := replies(b); err == nil && len(ports)*88 > len(b) {
			t.Errorf("%d ports in %d bytes", len(ports), len(b))
		}
	})
}
