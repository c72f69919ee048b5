package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// Name is the worker's program.
const Name = "ocjail-rules"

// Program finds the worker's program: beside this one, or in ../libexec/ocjail,
// never through PATH, which the caller's environment decides.
func Program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("where %s lies can not be told: %w: mount /proc", Name, err)
	}
	dir := filepath.Dir(strings.TrimSuffix(self, " (deleted)"))
	places := []string{filepath.Join(dir, Name), filepath.Join(filepath.Dir(dir), "libexec", "ocjail", Name)}
	for _, p := range places {
		info, err := os.Stat(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", Name, err)
		}
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			return "", fmt.Errorf("%s is no program: install the one that was built with %s", p, self)
		}
		return p, nil
	}
	return "", fmt.Errorf("rules other than the embedded ones need the program %s, which is neither %s nor %s: install it beside ocjail, from the same build", Name, places[0], places[1])
}

// Probe finds the worker's program and checks that it is of this build. Like
// Start it must be called on the main thread.
func Probe() (program string, err error) {
	if program, err = Program(); err != nil {
		return "", err
	}
	p, err := start(program, nil)
	if err != nil {
		return program, err
	}
	defer p.kill()
	time.AfterFunc(probeLimit, p.kill)
	var hello Hello
	if err := Receive(p.out, &hello); err != nil {
		return program, p.died(err)
	}
	return program, hello.Check(program)
}

const probeLimit = 5 * time.Second

// Identity is what both programs of one build say.
func Identity() Hello {
	digest := sha256.Sum256(policy.Plan)
	return Hello{Protocol: Protocol, Version: release.Version, Pack: hex.EncodeToString(digest[:])}
}

// String is for command lines.
func (h Hello) String() string { return fmt.Sprintf("%d/%s/%s", h.Protocol, h.Version, h.Pack) }

// Check refuses the worker at the path when it is of another build.
func (h Hello) Check(program string) error {
	if own := Identity(); h != own {
		self, err := os.Executable()
		if err != nil {
			self = "ocjail"
		}
		return fmt.Errorf("%s (version %s, rules %.12s) and %s (version %s, rules %.12s) are not of one build: install both anew", self, own.Version, own.Pack, program, h.Version, h.Pack)
	}
	return nil
}
