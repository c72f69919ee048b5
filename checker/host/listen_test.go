package host

import (
	"net"
	"slices"
	"testing"
)

func TestListening(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil && address != "127.0.0.1:0" {
			continue // no IPv6 here
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		ports, err := NewFS().Listening()
		if err != nil || !slices.Contains(ports, port) || !slices.IsSorted(ports) {
			t.Errorf("%s: %v, %v, want %d among them", address, ports, err, port)
		}
	}
}

func TestListeningTable(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
	for _, tc := range []struct {
		name, rows string
		want       []int
		fails      bool
	}{
		{"nothing", "", nil, false},
		{"listening, then connected", "   0: 0100007F:1000 00000000:0000 0A 0\n   1: 00000000000000000000000001000000:0947 0:0 0A\n   2: 0100007F:0050 0100007F:C000 01\n", []int{4096, 2375}, false},
		{"cut short", "   0: 0100007F:1000\n", nil, true},
		{"no port", "   0: 0100007F 00000000:0000 0A\n", nil, true},
	} {
		got, err := listening([]byte(head + tc.rows))
		if (err != nil) != tc.fails || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
}
