package profile

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// tree is a host's root: a path ends in "/" for a directory, "*" for a program;
// "a -> b" is a link; the rest are files, "a = text" with that text.
type tree []string

func (tr tree) fs(t *testing.T) fs.ReadLinkFS {
	t.Helper()
	m := fstest.MapFS{}
	for _, line := range tr {
		name, file := parseEntry(line)
		m[fsName(name)] = file
	}
	return m
}

// debian is a merged-/usr host with npm's opencode in /usr/local.
var debian = tree{
	"/usr/bin/sh*", "/usr/bin/bash*", "/usr/bin/node*", "/usr/lib/", "/usr/lib64/", "/usr/sbin/", "/usr/local/bin/", "/usr/lib/os-release",
	"/usr/local/bin/opencode -> ../lib/node_modules/opencode-ai/bin/opencode",
	"/usr/local/lib/node_modules/opencode-ai/bin/opencode* = #!/usr/bin/env node\n", "/usr/bin/env*",
	"/bin -> usr/bin", "/sbin -> usr/sbin", "/lib -> usr/lib", "/lib64 -> usr/lib64",
	"/etc/alternatives/", "/etc/ld.so.cache", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/gitconfig",
	"/etc/os-release -> ../usr/lib/os-release", "/etc/ssl/certs/", "/etc/ssl/private/key.pem", "/etc/ssl/openssl.cnf",
	"/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/stub-resolv.conf",
	"/etc/localtime -> /usr/share/zoneinfo/Europe/Paris", "/usr/share/zoneinfo/Europe/Paris", "/etc/timezone", "/etc/opencode/",
	"/home/u/proj/sub/", "/home/u/.ssh/id_ed25519",
}

// plain is a host without merged /usr, like Alpine, with opencode in the home.
var plain = tree{
	"/usr/bin/", "/bin/sh*", "/bin/busybox*", "/sbin/", "/lib/", "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf",
	"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem -> certs/ca-certificates.crt", "/etc/ssl/private/",
	"/home/u/.opencode/bin/opencode*", "/home/u/.opencode/bin/other*", "/home/u/proj/",
	"/opt/corp/ca.pem = -----BEGIN CERTIFICATE-----\n", "/nix/store/", "/nix/var/nix/daemon-socket/socket",
}

func host(t *testing.T, tr tree, env map[string]string) Host {
	t.Helper()
	return Host{
		User: "u", Home: "/home/u", Project: "/home/u/proj", WorkDir: "/home/u/proj", CacheDir: "/home/u/.cache/ocjail",
		FS:          tr.fs(t),
		Lookup:      func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Warn:        func(message string) { t.Errorf("unexpected warning: %s", message) },
		GitIdentity: func() (string, string, error) { return "U Ser", "u@example.org", nil },
	}
}

const usualPath = "/usr/local/bin:/usr/bin:/bin"

func parse(t *testing.T, src string) *Profile {
	t.Helper()
	p, err := Parse("jail.hcl", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
func parseEntry(line string) (string, *fstest.MapFile) {
	if name, target, ok := strings.Cut(line, " -> "); ok {
		return name, &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte(target)}
	}
	name, text, _ := strings.Cut(line, " = ")
	file := &fstest.MapFile{Mode: 0o644, Data: []byte(text)}
	if dir, ok := strings.CutSuffix(name, "/"); ok {
		return dir, &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	}
	if program, ok := strings.CutSuffix(name, "*"); ok {
		name, file.Mode = program, 0o755
	}
	return name, file
}
