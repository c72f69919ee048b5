// Package profile turns a jail profile, an HCL file, into bubblewrap's argv:
// the way to a jail without Nix. Which mounts come in which order is in
// phases.go; opencode.hcl shows the language.
package profile

import (
	"embed"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

//go:embed *.hcl
var embedded embed.FS

// Profile is one parsed and validated jail profile.
type Profile struct {
	file string // base name, for origins and messages
	body body
}

// Names lists the embedded profiles.
func Names() []string {
	entries, err := embedded.ReadDir(".")
	if err != nil {
		panic(err) // the embedded root can always be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".hcl"))
	}
	return names
}

// Embedded returns the profile of that name, one of Names.
func Embedded(name string) (*Profile, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no embedded profile %q%s: write one of %s, or the path of a profile's file",
			name, spelling.DidYouMean(name, Names()), strings.Join(Names(), ", "))
	}
	src, err := embedded.ReadFile(name + ".hcl")
	if err != nil {
		return nil, fmt.Errorf("embedded profile %s: %w", name, err)
	}
	return Parse(name+".hcl", src)
}

// Load reads a profile's file: regular, not a symbolic link, at most 1 MiB. An
// absent file's error matches fs.ErrNotExist; an error in its text is an
// hclfile.Diagnostics.
func Load(file string) (*Profile, error) {
	src, _, err := hclfile.Read(file)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return Parse(file, src)
}

// Parse reads a profile from src; file names it in messages.
func Parse(file string, src []byte) (*Profile, error) {
	p := &Profile{file: filepath.Base(file)}
	if err := hclfile.Decode(file, src, &p.body); err != nil {
		return nil, err
	}
	if errs := p.body.validate(); errs != nil {
		return nil, errs
	}
	return p, nil
}

// Command is what the profile runs; empty when it leaves that to the command line.
func (p *Profile) Command() []string { return slices.Clone(p.body.Command) }

// origin is the --ocjail-origin of what line of the profile asks for; line 0
// stands for what every jail gets.
func (p *Profile) origin(line int) string {
	if line == 0 {
		return "profile:" + p.file
	}
	return fmt.Sprintf("profile:%s:%d", p.file, line)
}

// below tells whether p is dir or lies below it; both are absolute and clean.
func below(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// clean tells whether p is absolute, and written in the shortest way.
func clean(p string) bool { return path.IsAbs(p) && path.Clean(p) == p }
