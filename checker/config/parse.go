package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Classes are the kinds of path that a watch block may name: what the policy
// input's watched[].class holds, without ocjail's own "checker-state".
var Classes = []string{"secret", "host-executed", "agent-work", "socket", "device"}

type rawConfig struct {
	Rules        []rawRule  `hcl:"rule,block"`
	Watches      []rawWatch `hcl:"watch,block"`
	Protect      *[]string  `hcl:"protect,optional"`
	ProtectRange hcl.Range  `hcl:"protect,attr_value_range"`
	Gate         *rawGate   `hcl:"gate,block"`
}

type rawRule struct {
	ID            string    `hcl:"id,label"`
	Severity      string    `hcl:"severity"`
	SeverityRange hcl.Range `hcl:"severity,attr_value_range"`
	Range         hcl.Range `hcl:",def_range"`
}

type rawWatch struct {
	Path       string    `hcl:"path,label"`
	PathRange  hcl.Range `hcl:"path,label_range"`
	Class      string    `hcl:"class"`
	ClassRange hcl.Range `hcl:"class,attr_value_range"`
	Reason     string    `hcl:"reason,optional"`
	Range      hcl.Range `hcl:",def_range"`
}

type rawGate struct {
	Mode         *string   `hcl:"mode,optional"`
	ModeRange    hcl.Range `hcl:"mode,attr_value_range"`
	Timeout      *string   `hcl:"timeout,optional"`
	TimeoutRange hcl.Range `hcl:"timeout,attr_value_range"`
}

// reader collects every error of a file, so that one run shows them all.
type reader struct{ errs hclfile.Diagnostics }

func parse(file string, src []byte) (*Config, error) {
	var raw rawConfig
	if err := hclfile.Decode(file, src, &raw); err != nil {
		return nil, err
	}
	var r reader
	c := Default()
	c.File = file
	c.Rules = r.rules(raw.Rules)
	c.Watches = r.watches(raw.Watches)
	if raw.Protect != nil {
		c.Protect = r.protect(*raw.Protect, raw.ProtectRange)
	}
	if raw.Gate != nil {
		r.gate(&c.Gate, raw.Gate)
	}
	if r.errs != nil {
		return nil, r.errs
	}
	return c, nil
}

func (r *reader) rules(raws []rawRule) []Rule {
	var rules []Rule
	first := map[string]hclfile.Pos{}
	for _, raw := range raws {
		pos := hclfile.Start(raw.Range)
		if before, ok := first[raw.ID]; ok {
			r.errs.Add(raw.Range, "this rule is already configured at %s: merge the two blocks", before)
		}
		first[raw.ID] = pos
		if category, name, ok := strings.Cut(raw.ID, "/"); !ok || category == "" || name == "" {
			r.errs.Add(raw.Range, "a rule's id is category/name, as in \"fs/rw-outside-home\"")
		}
		severity, err := finding.ParseSeverity(raw.Severity)
		if err != nil {
			r.errs.Add(raw.SeverityRange, "unknown severity: write error, warning or info")
		}
		rules = append(rules, Rule{raw.ID, severity, pos})
	}
	return rules
}

func (r *reader) watches(raws []rawWatch) []Watch {
	var watches []Watch
	for _, raw := range raws {
		w := Watch{Path: raw.Path, Class: raw.Class, Reason: raw.Reason, Pos: hclfile.Start(raw.Range)}
		if rest, ok := strings.CutPrefix(raw.Path, "~/"); ok {
			w.Path = "{home}/" + rest
		}
		if !validTemplate(w.Path) {
			r.errs.Add(raw.PathRange, "a watched path begins with ~/, {project}/ or /, and has no \"..\", empty or trailing component")
		}
		if !slices.Contains(Classes, raw.Class) {
			r.errs.Add(raw.ClassRange, "unknown class%s: write one of %s", hclfile.DidYouMean(raw.Class, Classes), strings.Join(Classes, ", "))
		}
		if w.Reason == "" {
			w.Reason = fmt.Sprintf("watched by %s:%d", path.Base(w.Pos.File), w.Pos.Line)
		}
		watches = append(watches, w)
	}
	return watches
}

func validTemplate(p string) bool {
	for _, base := range []string{"{home}/", "{project}/", "/"} {
		if rest, ok := strings.CutPrefix(p, base); ok {
			return validRelative(rest)
		}
	}
	return false
}

// validRelative tells whether p is a clean path below some directory.
func validRelative(p string) bool {
	return p != "" && p != "." && path.Clean("/"+p) == "/"+p && hclfile.Escape(p) == p
}

func (r *reader) protect(paths []string, at hcl.Range) []string {
	out := make([]string, 0, len(paths))
	for i, p := range paths {
		switch {
		case !validRelative(p) || strings.HasPrefix(p, "~"):
			r.errs.Add(at, "protect[%d]: write a path relative to the project's root, without \"..\", as in \".git/hooks\"", i)
		case strings.ContainsAny(p, "*?[{"):
			r.errs.Add(at, "protect[%d]: patterns are not supported: name each path", i)
		case slices.Contains(out, p):
			r.errs.Add(at, "protect[%d]: this path is listed twice", i)
		}
		out = append(out, p)
	}
	return out
}

func (r *reader) gate(g *Gate, raw *rawGate) {
	if raw.Mode != nil {
		g.Mode = Mode(*raw.Mode)
		if g.Mode != Enforce && g.Mode != Observe {
			r.errs.Add(raw.ModeRange, "unknown mode%s: write %s or %s",
				hclfile.DidYouMean(*raw.Mode, []string{string(Enforce), string(Observe)}), Enforce, Observe)
		}
	}
	if raw.Timeout != nil {
		d, err := time.ParseDuration(*raw.Timeout)
		if err != nil || d <= 0 || d > MaxTimeout {
			r.errs.Add(raw.TimeoutRange, "write a duration above 0 and up to %s, as in \"2s\" or \"500ms\"", MaxTimeout)
		}
		g.Timeout = d
	}
}
