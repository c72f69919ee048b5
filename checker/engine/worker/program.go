package worker

import (
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

// The worker's programs: Name judges by any rules, and WASM, which has no OPA in it
// and so starts sooner, where they are all in WebAssembly and need none.
const (
	Name = "ocjail-rules"
	WASM = "ocjail-wasm"
)

// Program finds Name: beside this program, or in ../libexec/ocjail, never through
// PATH, which the caller's environment decides.
func Program() (string, error) {
	p, err := find(Name)
	var missing *missingError
	if errors.As(err, &missing) {
		err = fmt.Errorf("rules other than the embedded ones need %w", err)
	}
	return p, err
}

// Programs are where the worker's programs lie, and where they would be found sooner
// or at all if somebody put them there: names by path.
func Programs() map[string]string {
	all := map[string]string{}
	for _, name := range []string{Name, WASM} {
		p, _ := find(name) // without one no jail is judged by it today, and the next may be
		_, places, err := placesOf(name)
		if err != nil {
			continue // which is a finding of its own
		}
		for _, place := range places {
			if all[place] = name; place == p {
				break
			}
		}
	}
	return all
}

// missingError says that a program is in none of its places.
type missingError struct {
	name   string
	places []string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("the program %s, which is neither %s nor %s: install it beside ocjail, from the same build", e.name, e.places[0], e.places[1])
}

// placesOf are where a program is looked for, by the one that runs.
func placesOf(name string) (self string, places []string, err error) {
	if self, err = os.Executable(); err != nil {
		return "", nil, fmt.Errorf("where %s lies can not be told: %w: mount /proc", name, err)
	}
	dir := filepath.Dir(strings.TrimSuffix(self, " (deleted)"))
	return self, []string{filepath.Join(dir, name), filepath.Join(filepath.Dir(dir), "libexec", "ocjail", name)}, nil
}

func find(name string) (string, error) {
	self, places, err := placesOf(name)
	if err != nil {
		return "", err
	}
	for _, p := range places {
		info, err := os.Stat(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			return "", fmt.Errorf("%s is no program: install the one that was built with %s", p, self)
		}
		return p, nil
	}
	return "", &missingError{name, places}
}

// Probe finds one of the worker's programs and checks that it is of this build. Like
// Start it must be called on the main thread.
func Probe(name string) (program string, err error) {
	if program, err = find(name); err != nil {
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

// Identity is what all programs of one build say.
func Identity() Hello {
	return Hello{Protocol: Protocol, Version: release.Version, Pack: policy.PlanDigest}
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
