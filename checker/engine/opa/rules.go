package opa

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// entry is a rule with where its findings come from.
type entry struct {
	engine.Rule
	ref      ast.Ref // of the Rego rule that yields the findings
	conftest bool    // strings or {"msg": …}, not findings
	from     module
}

// reserved is the package path that only the pack may define.
var reserved = ast.MustParseRef("data." + engine.Reserved)

// noRule says that the files of the modules, if any, define none.
func noRule(modules []module) error {
	for _, m := range modules {
		if !m.Source.Embedded {
			return fmt.Errorf("no rule in any source, not in %s either: write deny, warn or violation, or a package ocjail.rules.CATEGORY.NAME with findings", m.at())
		}
	}
	return errors.New("no rule in any source: name a folder with *.rego files")
}

// at is the place of the module's package.
func (m module) at() string { return fmt.Sprintf("%s:%d", m.Name(), m.Package.Location.Row) }

// discover finds the rules in modules, sorted by ID.
func discover(modules []module) ([]entry, error) {
	var all []entry
	for _, m := range modules {
		es, err := m.entries()
		if err != nil {
			return nil, err
		}
		all = append(all, es...)
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.ID == b.ID && !(b.conftest && a.from.Source.Name == b.from.Source.Name) {
			return nil, fmt.Errorf("rule %s is defined twice, in %s and in %s: rename one package", a.ID, a.from.at(), b.from.at())
		}
	}
	all = slices.CompactFunc(all, func(a, b entry) bool { return a.ID == b.ID })
	if len(all) == 0 {
		return nil, noRule(modules)
	}
	return all, nil
}

// entries are the rules of one file.
func (m module) entries() ([]entry, error) {
	pkg := m.Package.Path
	own := pkg.HasPrefix(reserved)
	isRule := own && len(pkg) > 2 && pkg[2].Equal(ast.StringTerm("rules"))
	switch {
	case isRule:
		e, err := m.ownEntry()
		return []entry{e}, err
	case own && !m.Source.Embedded:
		return nil, fmt.Errorf("%s: package %s is ocjail's own: use ocjail.rules.CATEGORY.NAME or a name of your own", m.Name(), pkg)
	case m.Source.Embedded:
		return nil, nil
	}
	return m.conftestEntries()
}

// ownEntry reads package ocjail.rules.CATEGORY.NAME and its METADATA.
func (m module) ownEntry() (entry, error) {
	path := m.Package.Path
	if len(path) != 5 {
		return entry{}, fmt.Errorf("%s: package %s: a rule is named ocjail.rules.CATEGORY.NAME", m.Name(), path)
	}
	e := entry{from: m, ref: path.Append(ast.StringTerm("findings"))}
	e.ID = kebab(path[3]) + "/" + kebab(path[4])
	at := fmt.Sprintf("%s: rule %s", m.at(), e.ID)
	if !m.defines("findings") {
		return e, fmt.Errorf("%s defines no findings: write `findings contains {\"message\": …, \"subject\": …} if …`", at)
	}
	note := m.packageNote()
	if note == nil {
		return e, fmt.Errorf("%s has no METADATA above its package: write one with custom.severity", at)
	}
	severity, _ := note.Custom["severity"].(string)
	var err error
	if e.Severity, err = finding.ParseSeverity(severity); err != nil {
		return e, fmt.Errorf("%s: METADATA custom.severity: %w", at, err)
	}
	e.Title, e.Description = note.Title, note.Description
	e.Remedy, _ = note.Custom["remedy"].(string)
	if len(note.RelatedResources) > 0 {
		e.URL = note.RelatedResources[0].Ref.String()
	}
	for key, to := range map[string]**engine.Example{"avoid": &e.Avoid, "prefer": &e.Prefer} {
		if *to, err = example(note.Custom[key]); err != nil {
			return e, fmt.Errorf("%s: METADATA custom.%s: %w", at, key, err)
		}
	}
	if e.Params, err = params(note); err != nil {
		return e, fmt.Errorf("%s: %w", at, err)
	}
	return e, nil
}

// params reads the schema of what a rule can be told.
func params(note *ast.Annotations) (*param.Schema, error) {
	said, ok := note.Custom["params"]
	if !ok {
		return nil, nil
	}
	doc, err := json.Marshal(said)
	if err != nil {
		return nil, fmt.Errorf("METADATA custom.params: %w", err)
	}
	s, err := param.Parse(doc)
	if err != nil {
		return nil, fmt.Errorf("METADATA custom.params: %w", err)
	}
	return s, nil
}

func (m module) defines(name string) bool {
	return slices.ContainsFunc(m.Rules, func(r *ast.Rule) bool { return r.Head.Ref()[0].Equal(ast.VarTerm(name)) })
}

func (m module) packageNote() *ast.Annotations {
	for _, a := range m.Annotations {
		if a.Scope == "package" {
			return a
		}
	}
	return nil
}

// conftestSeverity are the rule names that conftest evaluates
// (https://www.conftest.dev/#evaluating-policies), each with or without _SUFFIX.
var conftestSeverity = map[string]finding.Severity{
	"deny":      finding.Error,
	"violation": finding.Error,
	"warn":      finding.Warning,
}

// conftestEntries are the rules of a file that was written for conftest.
func (m module) conftestEntries() ([]entry, error) {
	seen := map[string]entry{}
	for _, r := range m.Rules {
		name := string(r.Head.Ref()[0].Value.(ast.Var))
		word, _, _ := strings.Cut(name, "_")
		severity, ok := conftestSeverity[word]
		if !ok || len(r.Head.Args) > 0 {
			continue
		}
		e := entry{from: m, conftest: true, ref: m.Package.Path.Append(ast.StringTerm(name))}
		e.ID = conftestID(m.Package.Path, name)
		e.Severity = severity
		if note := m.packageNote(); note != nil {
			e.Title, e.Description = note.Title, note.Description
			var err error
			if e.Params, err = params(note); err != nil {
				return nil, fmt.Errorf("%s: %w", m.at(), err)
			}
		}
		seen[e.ID] = e
	}
	entries := make([]entry, 0, len(seen))
	for _, e := range seen {
		entries = append(entries, e)
	}
	return entries, nil
}

// conftestID of data.a.b and deny_x is "a.b/deny-x".
func conftestID(pkg ast.Ref, name string) string {
	parts := make([]string, 0, len(pkg))
	for _, t := range pkg[1:] {
		parts = append(parts, kebab(t))
	}
	return strings.Join(parts, ".") + "/" + strings.ReplaceAll(name, "_", "-")
}

func kebab(t *ast.Term) string {
	s, _ := t.Value.(ast.String)
	return strings.ReplaceAll(string(s), "_", "-")
}
