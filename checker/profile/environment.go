package profile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// variable is one variable of the jail's environment.
type variable struct{ name, value, origin string }

// standardPath ends the jail's PATH: where the Filesystem Hierarchy Standard
// 3.0 puts programs, for users whose own PATH is odd.
var standardPath = []string{
	"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin",
}

func (b *build) set(origin, name, value string) { b.env[name] = variable{name, value, origin} }

// variables returns the environment by name, so that equal jails are equal words.
func (b *build) variables() []variable {
	return slices.SortedFunc(maps.Values(b.env), func(x, y variable) int { return cmp.Compare(x.name, y.name) })
}

// environment sets the variables, of which later ones replace earlier ones:
// what every program needs, what passes by name, what the profile sets, git's
// identity, the command line's.
func (b *build) environment() error {
	body := &b.profile.body
	b.baseEnvironment()
	names := body.Env
	if body.Timezone {
		b.forward(b.origin(body.TimezoneAt), "TZ")
	}
	for _, name := range names {
		b.forward(b.origin(body.EnvAt), name)
	}
	for name, value := range body.SetEnv {
		b.set(b.origin(body.SetEnvAt), name, value)
	}
	if err := b.gitIdentity(); err != nil {
		return err
	}
	for _, v := range b.added.env {
		b.env[v.name] = v
	}
	return nil
}

// forward passes the host's value, when there is one.
func (b *build) forward(origin, name string) {
	if value, ok := b.host.Lookup(name); ok {
		b.set(origin, name, value)
	}
}

func (b *build) baseEnvironment() {
	h, origin := b.host, b.profile.origin(0)
	b.set(origin, "HOME", h.Home)
	b.set(origin, "USER", h.User)
	b.set(origin, "LOGNAME", h.User)
	b.set(origin, "PATH", strings.Join(b.searchPath(), ":"))
	b.set(origin, "SHELL", "/bin/sh")
	if shell, ok := h.Lookup("SHELL"); ok && path.IsAbs(shell) && b.visible(shell) {
		b.set(origin, "SHELL", shell)
	}
	for name, absent := range map[string]string{"LANG": "C.UTF-8", "TERM": "dumb"} {
		b.set(origin, name, absent)
		b.forward(origin, name)
	}
}

// visible tells whether p of the host can be reached inside by the same name.
// What can't be looked at is not.
func (b *build) visible(p string) bool {
	real, links, err := b.host.resolve(p)
	return err == nil && b.mounts.showsAll(real, links)
}

// searchPath is the jail's PATH: of the caller's own what is visible inside, the
// standard folders that are, and where the program and its interpreter lie.
func (b *build) searchPath() []string {
	value, _ := b.host.Lookup("PATH")
	var dirs []string
	for _, dir := range append(strings.Split(value, ":"), standardPath...) {
		// A relative or empty entry would mean another folder after each cd.
		if clean(dir) && !slices.Contains(dirs, dir) && b.visible(dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range b.paths {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// gitIdentity sets what git takes an author and committer from (git(1)), as far as it is
// known: without it git asks for it when somebody commits, and all else works.
func (b *build) gitIdentity() error {
	if !b.git.on {
		return nil
	}
	name, email, err := b.host.GitIdentity()
	if err == nil && hasNUL(name+email) {
		err = errors.New("it holds a NUL")
	}
	written := strings.TrimPrefix(b.git.origin, "profile:")
	if err != nil {
		return fmt.Errorf("%s: git identity: %w", written, err)
	}
	var lacks []string
	for _, part := range []struct{ key, variable, value string }{{"user.name", "NAME", name}, {"user.email", "EMAIL", email}} {
		if part.value == "" {
			lacks = append(lacks, "git config --global "+part.key+" …")
			continue
		}
		b.set(b.git.origin, "GIT_AUTHOR_"+part.variable, part.value)
		b.set(b.git.origin, "GIT_COMMITTER_"+part.variable, part.value)
	}
	if lacks != nil {
		b.host.Warn(fmt.Sprintf("%s: your git configuration lacks an identity, so git commit will want one in the jail: %s", written, strings.Join(lacks, ", ")))
	}
	return nil
}

// certificates passes the variables of env_files, and binds the files that they
// name. A project's .env may have set such a variable: only a PEM file of
// certificates without a private key is bound.
func (b *build) certificates() error {
	body := &b.profile.body
	for _, name := range body.EnvFiles {
		value, ok := b.host.Lookup(name)
		if !ok || value == "" {
			continue
		}
		if err := b.certificate(name, value); err != nil {
			return b.errorf(body.EnvFilesAt, "%s: %w", name, err)
		}
	}
	return nil
}

func (b *build) certificate(name, value string) error {
	origin := b.origin(b.profile.body.EnvFilesAt)
	b.set(origin, name, value)
	if !path.IsAbs(value) {
		return fmt.Errorf("its value is no absolute path: name the file from /, or unset the variable")
	}
	found, err := b.host.exists(value)
	if err != nil || !found || b.visible(value) {
		return err // an absent file is as absent inside
	}
	real, _, err := b.host.resolve(value)
	if err != nil {
		return err
	}
	text, err := b.host.read(real, maxCertificates)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), "-----BEGIN CERTIFICATE-----") || strings.Contains(string(text), "PRIVATE KEY") || len(text) == maxCertificates {
		return fmt.Errorf("%s is no PEM file of certificates only: mend it, or unset the variable", hclfile.Escape(value))
	}
	b.set(origin, name, real)
	b.add(mount{origin: origin, option: "--ro-bind", source: real, dest: real})
	return nil
}

// maxCertificates is in bytes; all of Mozilla's together have 250 KiB.
const maxCertificates = 8 << 20
