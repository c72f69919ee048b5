package checker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// InputAgent is what opencode finds of its settings in the jail.
type InputAgent struct {
	// Runs: the command is opencode, or the folder of its settings is in the jail.
	Runs bool `json:"runs"`
	// Managed are the settings of the machine's owner that exist on the host.
	Managed []InputManaged `json:"managed"`
	// Dangling are settings that are links to what is not in the jail.
	Dangling []InputDangling `json:"dangling"`
}

// InputManaged is a file or folder of managed settings.
type InputManaged struct {
	Path  string `json:"path"`
	Shown bool   `json:"shown"` // the jail sees all of it under the same names
}

// InputDangling is a link that leads nowhere in the jail.
type InputDangling struct {
	Path   string `json:"path"`
	Target string `json:"target"` // where it leads on the host
}

// agentData is policy/data/agent.json.
type agentData struct {
	Programs      []string `json:"programs"`      // base names of commands
	Directories   []string `json:"directories"`   // below the home, the first is that of the settings
	Managed       []string `json:"managed"`       // absolute
	Configuration []string `json:"configuration"` // below {home} or {project}
}

func (b *inputBuilder) agent() (InputAgent, error) {
	in := InputAgent{Managed: []InputManaged{}, Dangling: []InputDangling{}}
	var data agentData
	text, err := policy.Files.ReadFile("data/agent.json")
	if err != nil {
		return in, err
	}
	if err := json.Unmarshal(text, &data); err != nil {
		return in, fmt.Errorf("policy/data/agent.json: %w", err)
	}
	if c := b.Sandbox.Command; len(c) > 0 {
		in.Runs = slices.Contains(data.Programs, path.Base(c[0]))
	}
	if !in.Runs {
		in.Runs = b.Tree.Widest(path.Join(b.Facts.HomeReal, data.Directories[0])).Access != sandbox.None
	}
	for _, p := range data.Managed {
		b.managed(&in, p)
	}
	places := strings.NewReplacer("{home}", b.Facts.HomeReal, "{project}", b.Facts.ProjectRoot)
	for _, p := range data.Configuration {
		b.dangling(&in, places.Replace(p))
	}
	return in, nil
}

// managed notes p if it exists on the host.
func (b *inputBuilder) managed(in *InputAgent, p string) {
	if _, err := b.FS.RealPath(p); errors.Is(err, fs.ErrNotExist) {
		return
	}
	in.Managed = append(in.Managed, InputManaged{Path: p, Shown: b.shows(p, maxDepth)})
}

// shows tells whether the jail sees every file of the host below p under its own
// name. jail.nix binds them one by one, behind the links that NixOS makes.
func (b *inputBuilder) shows(p string, depth int) bool {
	real, err := b.FS.RealPath(p)
	unreadable := err != nil
	if unreadable {
		return false
	}
	var names []string
	whole := true // as is a folder that the user can not read, or that is deep
	if real.Stat.Type == sandbox.Dir && depth > 0 {
		names, err = entries(b.FS, real.Path)
		whole = err != nil
	}
	if whole {
		return b.sees(p, real.Path)
	}
	hidden := func(name string) bool { return !b.shows(path.Join(p, name), depth-1) }
	return !slices.ContainsFunc(names, hidden)
}

// sees tells whether p in the jail is the file real of the host. What nobody can
// tell is not seen.
func (b *inputBuilder) sees(p, real string) bool {
	seen, err := b.Tree.Access(p)
	return err == nil && seen.Exists && seen.Host == real
}

// dangling notes p if it is a file on the host and, in the jail, a link to
// nothing.
func (b *inputBuilder) dangling(in *InputAgent, p string) {
	real, err := b.FS.RealPath(p)
	unreadable := err != nil // for the host as well, so nothing is lost in the jail
	if unreadable || len(real.Links) == 0 {
		return
	}
	if seen, err := b.Tree.Access(p); err == nil && seen.Exists {
		return
	}
	for _, link := range real.Links {
		if b.Tree.Widest(link.Path).Access != sandbox.None {
			in.Dangling = append(in.Dangling, InputDangling{Path: p, Target: real.Path})
			break
		}
	}
}
