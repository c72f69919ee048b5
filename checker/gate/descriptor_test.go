package gate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// at hands files to c as descriptors 3, 4, ….
func at(c *exec.Cmd, files ...*os.File) *exec.Cmd {
	c.ExtraFiles = files
	return c
}

// filled is a pipe that holds text.
func filled(t *testing.T, text string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { r.Close() })
	return r
}

func TestInheritedDescriptorsAreClosed(t *testing.T) {
	w := gatetest.New(t)
	w.Write("secret", "hunter2\n", 0o644)
	argv := sh(w.Jail(), `cat /proc/self/fd/20/secret 2>/dev/null || ls /proc/self/fd | tr '\n' ' '`)
	leaky := func(args []string) *exec.Cmd {
		return w.Command("bash", append([]string{"-c", `exec 20<..; exec "$@"`, "bash"}, args...)...)
	}
	want(t, w.Run(leaky(w.Bwrap(argv...).Args)), 0, "hunter2\n")
	want(t, w.Run(leaky(w.Ocjail(argv...).Args)), 0, "0 1 2 3 ") // 3 is ls's own
}

func TestDataFromDescriptors(t *testing.T) {
	w := gatetest.New(t)
	file := open(t, w.Write("data", "from a file\n", 0o644), os.O_RDONLY)
	c := w.Ocjail(sh(w.Jail("--file", "3", "/a", "--ro-bind-data", "4", "/b", "--perms", "0700", "--bind-data", "5", "/c"),
		"cat /a /b /c; stat -c %a /c; echo x 2>/dev/null >/b || echo ro; readlink /proc/self/fd/3")...)
	o := w.Run(at(c, file, filled(t, "from a pipe\n"), filled(t, "")))
	want(t, o, 1, "from a file\nfrom a pipe\n700\nro\n")
}

func TestArgumentsFromDescriptor(t *testing.T) {
	w := gatetest.New(t)
	words := strings.Join(w.Jail(), "\x00") + "\x00"
	want(t, w.Run(at(w.Ocjail("--args", "3", "--", "pwd"), filled(t, words))), 0, w.Project+"\n")
	// bwrap stops at a word that is no option and drops the rest without a word.
	o := w.Run(at(w.Ocjail("--args", "3", "--", "true"), filled(t, words+"stray\x00--tmpfs\x00/x\x00")))
	if o.Status != 125 || !strings.Contains(o.Stderr, "ends the options") {
		t.Errorf("%+v", o)
	}
}

func TestCallersFilterIsKept(t *testing.T) {
	w := gatetest.New(t)
	// Refuses all: a single instruction "return ERRNO(EPERM)" would stop execve.
	refuse := string([]byte{0x06, 0, 0, 0, 1, 0, 5, 0})
	allow := string([]byte{0x06, 0, 0, 0, 0, 0, 0xff, 0x7f})
	for _, option := range []string{"--seccomp", "--add-seccomp-fd"} {
		o := w.Run(at(w.Ocjail(append(w.Jail(option, "3"), "--", "true")...), filled(t, refuse)))
		if o.Status == 0 {
			t.Errorf("%s: the filter was lost: %+v", option, o)
		}
		c := w.Ocjail(append(w.Jail(option, "3"), "--", "/probe", "ioctl", "0x5412")...)
		console := gatetest.OnTerminal(t, at(c, filled(t, allow)))
		if o := console.End(); !strings.Contains(o.Stdout, "EPERM") {
			t.Errorf("%s: ocjail's own filter was lost: %+v", option, o)
		}
	}
}

func TestRefusedDescriptors(t *testing.T) {
	w := gatetest.New(t)
	dir := open(t, w.Dir, os.O_RDONLY)
	for name, c := range map[string]struct {
		options []string
		files   []*os.File
		word    string
	}{
		"closed":              {[]string{"--file", "9", "/x"}, nil, "--file 9"},
		"directory as data":   {[]string{"--file", "3", "/x"}, []*os.File{dir}, "--file 3"},
		"directory as sync":   {[]string{"--as-pid-1", "--sync-fd", "3"}, []*os.File{dir}, "--sync-fd 3"},
		"directory as block":  {[]string{"--block-fd", "3"}, []*os.File{dir}, "--block-fd 3"},
		"directory as info":   {[]string{"--info-fd", "3"}, []*os.File{dir}, "--info-fd 3"},
		"twice":               {[]string{"--file", "3", "/x", "--file", "3", "/y"}, []*os.File{filled(t, "x")}, "3"},
		"args and file":       {[]string{"--args", "3", "--file", "3", "/y"}, []*os.File{filled(t, "")}, "3"},
		"standard input held": {[]string{"--sync-fd", "0"}, nil, "--sync-fd 0"},
		"unreadable":          {[]string{"--file", "3", "/x"}, []*os.File{open(t, w.Write("writeonly", "", 0o666), os.O_WRONLY)}, "--file"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := w.Ocjail(sh(w.Jail(c.options...), "echo ran >trace")...)
			r, pw, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer pw.Close()
			defer r.Close()
			cmd.Stdin = r
			o := w.Run(at(cmd, c.files...))
			if o.Status != 125 && o.Status != 126 || !strings.Contains(o.Stderr, c.word) || w.Read("project/trace") != "" {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestInfoAndBlockOfTheCaller(t *testing.T) {
	w := gatetest.New(t)
	infoR, infoW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	blockR, blockW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	statusR, statusW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := at(w.Ocjail(sh(w.Jail("--info-fd", "3", "--block-fd", "4", "--json-status-fd", "5"), "echo >ran; exit 3")...), infoW, blockR, statusW)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	infoW.Close()
	statusW.Close()
	var info struct {
		Child int `json:"child-pid"`
	}
	if err := json.NewDecoder(infoR).Decode(&info); err != nil || info.Child == 0 {
		t.Errorf("--info-fd: %v, %+v, %s", err, info, stderr.String())
	}
	time.Sleep(50 * time.Millisecond)
	if w.Read("project/ran") != "" {
		t.Error("--block-fd does not block")
	}
	blockW.Close() // its end releases as well
	_ = c.Wait()   // the status is looked at below
	if c.ProcessState.ExitCode() != 3 || w.Read("project/ran") == "" {
		t.Errorf("%v: %s", c.ProcessState, stderr.String())
	}
	status, err := io.ReadAll(statusR)
	if err != nil || !strings.Contains(string(status), `"exit-code": 3`) {
		t.Errorf("--json-status-fd: %v, %s", err, status)
	}
}

// --sync-fd stays open for as long as the jail lives.
func TestSyncDescriptor(t *testing.T) {
	w := gatetest.New(t)
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := at(w.Ocjail(sh(w.Jail("--sync-fd", "3"), "sleep 0.2; ls /proc/self/fd | wc -l")...), pw)
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pw.Close()
	poll := func(ms int) (int, error) {
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(r.Fd())}}, ms)
			if !errors.Is(err, unix.EINTR) {
				return n, err
			}
		}
	}
	if n, err := poll(50); n != 0 || err != nil {
		t.Errorf("--sync-fd is closed while the jail runs: %d, %v", n, err)
	}
	if n, err := poll(5000); n != 1 || err != nil {
		t.Errorf("--sync-fd is still open: %d, %v", n, err)
	}
	if err := c.Wait(); err != nil || out.String() != "4\n" {
		t.Errorf("%v, %q descriptors in the jail, want 4", err, out.String())
	}
}
