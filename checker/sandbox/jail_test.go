package sandbox_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bwraps returns the bubblewraps to test with: the one in PATH and those that
// OCJAIL_TEST_BWRAP lists, parted by colons.
func bwraps(t testing.TB) []string {
	t.Helper()
	first, err := exec.LookPath("bwrap")
	if err != nil {
		t.Fatal("no bwrap in PATH; install it: apt-get install bubblewrap")
	}
	all := []string{first}
	if more := os.Getenv("OCJAIL_TEST_BWRAP"); more != "" {
		all = append(all, filepath.SplitList(more)...)
	}
	return all
}

var helps sync.Map // the output of --help by bwrap

func help(t testing.TB, bwrap string) string {
	t.Helper()
	if h, ok := helps.Load(bwrap); ok {
		return h.(string)
	}
	out, err := command(bwrap, "--help").Output()
	if err != nil {
		t.Fatalf("%s --help: %v", bwrap, err)
	}
	helps.Store(bwrap, string(out))
	return string(out)
}

// knows tells whether a bwrap lists an option in its help.
func knows(t testing.TB, bwrap string) func(string) bool {
	t.Helper()
	text := help(t, bwrap)
	return func(option string) bool { return strings.Contains(text, "    "+option+" ") }
}

// buildProbe builds the static program that runs in the jails.
func buildProbe(t testing.TB, dir string) string {
	t.Helper()
	out := filepath.Join(dir, "probe")
	cmd := exec.Command("go", "build", "-o", out, "-ldflags=-s -w", "./testdata/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the probe: %v\n%s", err, msg)
	}
	must(t, os.Chmod(out, 0o755))
	return out
}

// jail is a bwrap that runs the probe.
type jail struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	timer  *time.Timer
}

// invocation is what bwrap is started with.
type invocation struct {
	bwrap string
	argv  []string
	fds   []string // from descriptor 3 on: "=data", or a path to open
	cwd   string
	uid   int
	env   []string
}

// descriptors opens what the invocation's descriptors are.
func (v invocation) descriptors() ([]*os.File, error) {
	var files []*os.File
	for _, what := range v.fds {
		data, isData := strings.CutPrefix(what, "=")
		if !isData {
			fd, err := unix.Open(what, unix.O_PATH|unix.O_CLOEXEC, 0)
			if err != nil {
				return files, fmt.Errorf("open %s: %w", what, err)
			}
			files = append(files, os.NewFile(uintptr(fd), what))
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return files, err
		}
		files = append(files, r)
		if _, err := w.WriteString(data); err != nil {
			return files, err
		}
		if err := w.Close(); err != nil {
			return files, err
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// start runs bwrap and waits until the probe in it reports; why says what bwrap
// reported when it did not get that far.
func (v invocation) start(files []*os.File) (j *jail, why string, err error) {
	j = &jail{cmd: command(v.bwrap, v.argv...)}
	if j.cmd.Env = v.env; v.env == nil {
		j.cmd.Env = []string{"PATH=/usr/bin:/bin"}
	}
	j.cmd.Dir, j.cmd.ExtraFiles, j.cmd.Stderr = v.cwd, files, &j.stderr
	if v.uid != os.Getuid() {
		j.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(v.uid), Gid: uint32(v.uid)}}
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	j.out = bufio.NewReader(out)
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	if err := j.cmd.Start(); err != nil {
		return nil, "", err
	}
	j.timer = time.AfterFunc(30*time.Second, func() { j.cmd.Process.Kill() })
	if line, err := j.out.ReadString('\n'); err != nil || line != "ready\n" {
		j.stop()
		return nil, strings.TrimSpace(line + j.stderr.String() + " (" + j.cmd.ProcessState.String() + ")"), nil
	}
	return j, "", nil
}

// stop ends the probe and waits for bwrap.
func (j *jail) stop() {
	j.in.Close()
	_, _ = io.Copy(io.Discard, j.out)
	_ = j.cmd.Wait() // a bwrap that failed reports so on stderr
	j.timer.Stop()
}

// ask sends the probe a request.
func (j *jail) ask(words ...string) (answer string, errno syscall.Errno, err error) {
	if _, err := io.WriteString(j.in, strings.Join(words, "\x00")+"\n"); err != nil {
		return "", 0, err
	}
	line, err := j.out.ReadString('\n')
	if err != nil {
		return "", 0, fmt.Errorf("%q: the probe is gone: %w: %s", words, err, j.stderr.String())
	}
	line = strings.TrimSuffix(line, "\n")
	if rest, ok := strings.CutPrefix(line, "ok "); ok {
		return rest, 0, nil
	}
	n, err := strconv.Atoi(line)
	if err != nil {
		return "", 0, fmt.Errorf("%q: %s", words, line)
	}
	return "", syscall.Errno(n), nil
}
