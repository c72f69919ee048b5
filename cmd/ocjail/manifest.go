package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
)

// manifestTarget is the jail that a manifest describes, started in its project.
func (f *jailFlags) manifestTarget(name string, data []byte) (target, error) {
	none := target{}
	man, err := manifest.Parse(data)
	if err != nil {
		return none, fmt.Errorf("not a manifest: %w", err)
	}
	m, away, err := f.openManifestsProject(man)
	if err != nil {
		return none, err
	}
	dir := man.Project
	if dir == "" {
		dir = m.cwd
	}
	s, open, err := man.Sandbox(manifest.Env{Home: m.facts.Home, Dir: dir, RuntimeDir: m.facts.RuntimeDir, User: m.facts.User})
	if err != nil {
		return target{machine: m}, err
	}
	r := m.request(name, s)
	r.Cwd, r.Manifest = dir, man
	return target{m, r, append(away, open...)}, nil
}

// openManifestsProject takes the manifest's project; where this host lacks it,
// the one around the working directory, and says that its files were not judged.
func (f *jailFlags) openManifestsProject(man *manifest.Manifest) (*machine, []finding.Finding, error) {
	project := man.Project
	if project != "" {
		if f.project != "" {
			return nil, nil, errors.New("--project goes with a profile; a manifest names its own")
		}
		real, err := filepath.EvalSymlinks(project)
		if err == nil {
			m, err := f.openStated(real, man.Policy)
			return m, nil, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("the manifest's project: %w", err)
		}
	}
	m, err := f.openForLint(man.Policy)
	if err != nil || project == "" {
		return m, nil, err
	}
	return m, []finding.Finding{{
		Rule: manifest.RuleUndecided, Severity: finding.Warning, Title: "The project is not on this host",
		Message: fmt.Sprintf("this host lacks the jail's project %s, so what the jail may do to its files was not judged, and its own mount counts as any other", project),
		Subject: finding.Subject{Kind: "path", Path: project},
		Remedy:  "lint the manifest where its project is",
	}}, nil
}

// openStated takes the project of a manifest whose jail starts in its root.
func (f *jailFlags) openStated(real string, options config.Options) (*machine, error) {
	home, _, err := homeAndHere()
	if err == nil {
		_, _, err = profile.Stated(home, real, real)
	}
	if err != nil {
		return nil, fmt.Errorf("the manifest's project: %w", err)
	}
	return f.open(opening{project: real, options: options})
}
