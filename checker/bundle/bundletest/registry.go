package bundletest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"testing"
)

// Where the tools of this repository are, and what installs them.
const (
	registryFolder = ".tools/registry-v3.1.2"
	installer      = "tests/install/install.sh"
)

// User and Password are whom a closed registry lets in.
const (
	User     = "acme"
	Password = "secret"
	// htpasswd is what htpasswd -nbB -C 4 acme secret prints.
	htpasswd = "acme:$2a$04$Y/eAzxKqUiUtX.s0lAV1cuR03zfP3jIufyYelKlE3QKCmCfBql77u\n"
)

var listening = regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)

// Registry starts a registry that ends with the test, and returns its host.
func Registry(t testing.TB, dir string, closed bool) (host string) {
	t.Helper()
	r, err := StartRegistry(dir, closed)
	check(t, err)
	t.Cleanup(r.Stop)
	return r.Host
}

// Running is a registry.
type Running struct {
	Host string
	Stop func()
}

// StartRegistry starts CNCF Distribution on this machine. A closed one asks for a
// password. What it knows lies in dir.
func StartRegistry(dir string, closed bool) (*Running, error) {
	program, err := install()
	if err != nil {
		return nil, err
	}
	file, err := configure(dir, closed)
	if err != nil {
		return nil, err
	}
	c := exec.Command(program, "serve", file)
	c.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return nil, err
	}
	r := &Running{Stop: sync.OnceFunc(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()         // by that
	})}
	lines := bufio.NewScanner(said)
	var all []byte
	for lines.Scan() {
		all = append(append(all, lines.Bytes()...), '\n')
		if m := listening.FindSubmatch(lines.Bytes()); m != nil {
			r.Host = string(m[1])
			go func() { _, _ = io.Copy(io.Discard, said) }() // it must not block
			return r, nil
		}
	}
	return nil, fmt.Errorf("the registry ended: %w\n%s", c.Wait(), all)
}

func configure(dir string, closed bool) (file string, err error) {
	auth := ""
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if closed {
		file := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(file, []byte(htpasswd), 0o600); err != nil {
			return "", err
		}
		auth = fmt.Sprintf("auth:\n  htpasswd:\n    realm: acme\n    path: %s\n", file)
	}
	file = filepath.Join(dir, "registry.yml")
	text := fmt.Sprintf("version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: %s\nhttp:\n  addr: 127.0.0.1:0\n%s", filepath.Join(dir, "data"), auth)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// install returns the registry's program, which another test may be installing.
func install() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "../../..")
	program := filepath.Join(root, registryFolder, "registry")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	out, err := exec.Command(filepath.Join(root, installer), "registry").CombinedOutput()
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		return "", fmt.Errorf("%s registry: %w\n%s", installer, err, out)
	}
	return program, nil
}
