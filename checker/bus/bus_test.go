package bus_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/bus"
)

func TestParse(t *testing.T) {
	got, err := bus.Parse(strings.Fields("unix:path=/run/bus /tmp/x/socket --fd=11 --filter --log --talk=a.b.* --own=c.d --see=e.f --call=g.h=i.j.K@/l --broadcast=m.n=*"))
	want := bus.Proxy{Address: "unix:path=/run/bus", Socket: "/tmp/x/socket", Filter: true, Names: []bus.Name{
		{Policy: "talk", Name: "a.b.*"}, {Policy: "own", Name: "c.d"}, {Policy: "see", Name: "e.f"}, {Policy: "call", Name: "g.h"}, {Policy: "broadcast", Name: "m.n"},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if p, err := bus.Parse([]string{"--fd=3", "unix:path=/run/bus", "/s"}); err != nil || p.Filter {
		t.Errorf("without --filter: %+v, %v", p, err)
	}
}

// What can not be judged is no proxy that anybody may trust.
func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                           "0 operands",
		"unix:path=/b":               "1 operands",
		"unix:path=/b s --filter":    "absolute",
		"unix:path=/b /s /c /t":      "4 operands",
		"unix:path=/b /s --args=7":   "--args=7",
		"--args=7 unix:path=/b /s":   "--args=7",
		"--filter unix:path=/b /s":   "--filter",
		"unix:path=/b /s --talk=":    "lacks a name",
		"unix:path=/b /s --talk":     "lacks a name",
		"unix:path=/b /s --call=a.b": "lacks a name or a rule",
		"unix:path=/b /s --tallk=a":  "--tallk=a",
		"unix:path=/b /s --help":     "--help",
	} {
		if p, err := bus.Parse(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", line, p, err)
		}
	}
}

func TestSocketOf(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/tmp/x/socket":          "/tmp/x/socket",
		"unix:path=/run/bus,guid=0123":     "/run/bus",
		"unix:abstract=/tmp/x":             "",
		"unix:path=/a;unix:path=/b":        "",
		"unix:path=/a%20b":                 "",
		"tcp:host=localhost,port=1":        "",
		"":                                 "",
		"unix:runtime=yes":                 "",
		"unix:guid=0123,path=/tmp/x/sock2": "",
	} {
		if got := bus.SocketOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// Only the file that a process runs says what it is, not its name.
func TestPeer(t *testing.T) {
	proxy, err := exec.LookPath("xdg-dbus-proxy")
	if err != nil {
		t.Fatalf("%v: apt-get install xdg-dbus-proxy, or your distribution's like", err)
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	c := exec.Command(proxy, "unix:path="+dir+"/bus", socket, "--filter", "--talk=a.b")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	for range 6000 { // the socket is there a moment before somebody listens at it
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	got, err := bus.Peer(socket, proxy)
	want := &bus.Proxy{Address: "unix:path=" + dir + "/bus", Socket: socket, Filter: true, Names: []bus.Name{{Policy: "talk", Name: "a.b"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if p, err := bus.Peer(socket, "/bin/sh"); p != nil || err != nil {
		t.Errorf("another program: %+v, %v", p, err)
	}
	if p, err := bus.Peer(socket, filepath.Join(dir, "none")); p != nil || err != nil {
		t.Errorf("a program that is not there: %+v, %v", p, err)
	}
	// This test's own socket, under the proxy's name.
	own := filepath.Join(dir, "xdg-dbus-proxy")
	l, err := net.Listen("unix", own)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, s := range []string{own, filepath.Join(dir, "none"), dir} {
		if p, err := bus.Peer(s, proxy); p != nil || err != nil {
			t.Errorf("%s: %+v, %v", s, p, err)
		}
	}
}

func TestOnlySockets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want bool) {
		t.Helper()
		if got, err := bus.OnlySockets(dir); err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "ready"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	check("a pipe and a socket", true)
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	check("others may write", false)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link", "folder"} {
		at := filepath.Join(dir, name)
		err := map[string]func() error{
			"file":   func() error { return os.WriteFile(at, nil, 0o600) },
			"link":   func() error { return os.Symlink("socket", at) },
			"folder": func() error { return os.Mkdir(at, 0o700) },
		}[name]()
		if err != nil {
			t.Fatal(err)
		}
		check("a "+name, false)
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bus.OnlySockets(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing directory has no error")
	}
}
