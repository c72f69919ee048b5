package bundle

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Changes are what one bundle has and another has not.
type Changes struct {
	Rules []RuleChange `json:"rules"` // by ID
	Files []FileChange `json:"files"` // by path: rules, lists, ocjail.hcl
}

// RuleChange is a rule that only one of two bundles has, or that differs.
type RuleChange struct {
	Rule          // as the newer bundle has it, if it does
	Change        // "changed" when the source, title or severity is another
	Before string `json:"before,omitempty"` // its severity there, when that is another
	Source bool   `json:"source,omitempty"` // whether the text of the rule is another
}

// FileChange is a file that only one of two bundles has, or that differs.
type FileChange struct {
	Path string `json:"path"`
	Change
}

// Change says how the newer bundle differs.
type Change struct {
	Kind string `json:"change"` // "added", "removed" or "changed"
}

// The kinds of changes.
var (
	added   = Change{"added"}
	removed = Change{"removed"}
	changed = Change{"changed"}
)

// Compare tells what b has and before has not, and the other way round; before is nil
// for nothing.
func Compare(before, b *Bundle) Changes {
	if before == nil {
		before = &Bundle{}
	}
	c := Changes{Rules: []RuleChange{}, Files: []FileChange{}}
	old, now := before.rules(), b.rules()
	for _, id := range either(old, now) {
		was, had := old[id]
		is, has := now[id]
		switch {
		case !had:
			c.Rules = append(c.Rules, RuleChange{Rule: is.Rule, Change: added})
		case !has:
			c.Rules = append(c.Rules, RuleChange{Rule: was.Rule, Change: removed})
		case was.Rule != is.Rule || !bytes.Equal(was.source, is.source):
			r := RuleChange{Rule: is.Rule, Change: changed, Source: !bytes.Equal(was.source, is.source)}
			if was.Severity != is.Severity {
				r.Before = was.Severity
			}
			c.Rules = append(c.Rules, r)
		}
	}
	was, is := before.texts(), b.texts()
	for _, name := range either(was, is) {
		a, had := was[name]
		b, has := is[name]
		switch {
		case !had:
			c.Files = append(c.Files, FileChange{name, added})
		case !has:
			c.Files = append(c.Files, FileChange{name, removed})
		case !bytes.Equal(a, b):
			c.Files = append(c.Files, FileChange{name, changed})
		}
	}
	return c
}

// either are the keys of both, sorted.
func either[V any](a, b map[string]V) []string {
	keys := append(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))...)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// texts are all files that say what the bundle does.
func (b *Bundle) texts() map[string][]byte {
	all := maps.Clone(b.Files)
	if all == nil {
		all = map[string][]byte{}
	}
	if b.Config != nil {
		all[configFile] = b.Config
	}
	return all
}

// ruleText is a rule and the text of the files that it stands in.
type ruleText struct {
	Rule
	source []byte
}

// rules are the bundle's by ID. Where a rule stands is known of Rego alone.
func (b *Bundle) rules() map[string]ruleText {
	sources := map[string][]byte{} // by the ID of the rule, or what that begins with
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		if strings.HasSuffix(name, ".rego") {
			id := idOf(b.Files[name])
			sources[id] = append(sources[id], b.Files[name]...)
		}
	}
	all := map[string]ruleText{}
	for _, r := range b.Manifest.Rules {
		source, ok := sources[r.ID]
		if !ok { // written for conftest: PACKAGE/deny-NAME
			pkg, _, _ := strings.Cut(r.ID, "/")
			source = sources[pkg]
		}
		all[r.ID] = ruleText{r, source}
	}
	return all
}

// packageLine is what a Rego module begins with, beside comments.
var packageLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^[ \t]*package[ \t]+([A-Za-z0-9_.]+)`) })

// idOf is the ID of the rule in a Rego module, for one that was written for conftest
// what the IDs of its rules begin with; see opa.Rules.
func idOf(text []byte) string {
	found := packageLine().FindSubmatch(text)
	if found == nil {
		return ""
	}
	name := strings.ReplaceAll(string(found[1]), "_", "-")
	if own, ok := strings.CutPrefix(name, "ocjail.rules."); ok {
		return strings.Replace(own, ".", "/", 1)
	}
	return name
}
