package config

import (
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/spelling"
)

// Classes are the kinds of path that a watch block may name: what the policy
// input's watched[].class holds, without ocjail's own "checker-state".
var Classes = []string{"secret", "host-executed", "agent-work", "socket", "device", "shared-cache"}

// reader collects every error of a file, so that one run shows them all.
type reader struct {
	layer Layer
	errs  hclfile.Diagnostics
}

// Parse reads the text of a file of that name. An error is an
// hclfile.Diagnostics.
func Parse(layer Layer, file string, src []byte) (*File, error) {
	var raw rawConfig
	if err := hclfile.Decode(file, src, &raw); err != nil {
		return nil, err
	}
	r := reader{layer: layer}
	f := &File{
		Name: file, Layer: layer, sum: sha256.Sum256(src), Rules: r.rules(raw.Rules), Watches: r.watches(raw.Watches),
		Policies: r.policies(raw.Policies), Waivers: r.waivers(raw.Waivers),
	}
	if raw.Protect != nil {
		f.Protect = &Said[[]string]{r.protect(*raw.Protect, raw.ProtectRange), hclfile.Start(raw.ProtectRange)}
	}
	if raw.Review != nil {
		f.Review = r.review(*raw.Review, raw.ReviewRange)
	}
	if raw.LongestWaiver != nil {
		f.LongestWaiver = &Said[time.Duration]{r.days(*raw.LongestWaiver, raw.LongestRange), hclfile.Start(raw.LongestRange)}
	}
	if raw.Gate != nil {
		r.gate(&f.Gate, raw.Gate)
	}
	if raw.Log != nil {
		f.LogRequired = &Said[bool]{raw.Log.Required, hclfile.Start(raw.Log.RequiredRange)}
	}
	if r.errs != nil {
		return nil, r.errs
	}
	return f, nil
}

func (r *reader) rules(raws []rawRule) []Rule {
	var rules []Rule
	first := map[string]hclfile.Pos{}
	for _, raw := range raws {
		rule := Rule{ID: raw.ID, Layer: r.layer, Pos: hclfile.Start(raw.Range)}
		if before, ok := first[raw.ID]; ok {
			r.errs.Add(raw.Range, "this rule is already configured at %s: merge the two blocks", before)
		}
		first[raw.ID] = rule.Pos
		r.ruleID(raw.ID, raw.Range)
		if raw.Severity != nil {
			var err error
			if rule.Severity, err = finding.ParseSeverity(*raw.Severity); err != nil {
				r.errs.Add(raw.SeverityRange, "unknown severity: write error, warning or info")
			}
		}
		if raw.Mode != nil {
			rule.Mode = r.mode(*raw.Mode, raw.ModeRange)
		}
		rule.Waivable = raw.Waivable != nil && *raw.Waivable
		rule.Params = r.params(raw.Params)
		if raw.Severity == nil && raw.Mode == nil && raw.Waivable == nil && raw.Params == nil {
			r.errs.Add(raw.Range, "this block says nothing: write severity, mode, params or waivable in it")
		}
		rules = append(rules, rule)
	}
	return rules
}

func (r *reader) params(l *hclfile.Literal) *hclfile.Literal {
	if l == nil {
		return nil
	}
	if object, ok := l.Value.(map[string]any); !ok || len(object) == 0 {
		r.errs = append(r.errs, hclfile.Diagnostic{Pos: l.Pos, Message: "write an object of the rule's parameters, as in { limit = 3 }"})
	}
	return l
}

func (r *reader) ruleID(id string, at hcl.Range) {
	if category, name, ok := strings.Cut(id, "/"); !ok || category == "" || name == "" {
		r.errs.Add(at, "a rule's id is category/name, as in \"fs/rw-outside-home\"")
	}
}

func (r *reader) mode(s string, at hcl.Range) Mode {
	m := Mode(s)
	if m != Enforce && m != Observe {
		r.errs.Add(at, "unknown mode%s: write %s or %s", spelling.DidYouMean(s, []string{string(Enforce), string(Observe)}), Enforce, Observe)
	}
	return m
}

func (r *reader) watches(raws []rawWatch) []Watch {
	var watches []Watch
	for _, raw := range raws {
		w := Watch{Path: fromHome(raw.Path), Class: raw.Class, Reason: raw.Reason, Pos: hclfile.Start(raw.Range)}
		if !validTemplate(w.Path) {
			r.errs.Add(raw.PathRange, "a watched path begins with ~/, {project}/ or /, and has no \"..\", empty or trailing component")
		}
		if !slices.Contains(Classes, raw.Class) {
			r.errs.Add(raw.ClassRange, "unknown class%s: write one of %s", spelling.DidYouMean(raw.Class, Classes), strings.Join(Classes, ", "))
		}
		if w.Reason == "" {
			w.Reason = fmt.Sprintf("watched by %s:%d", path.Base(w.Pos.File), w.Pos.Line)
		}
		watches = append(watches, w)
	}
	return watches
}

// fromHome writes a leading "~/" as the pack's lists do.
func fromHome(p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		return "{home}/" + rest
	}
	return p
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

func (r *reader) review(patterns []string, at hcl.Range) []Said[string] {
	out := make([]Said[string], 0, len(patterns))
	for i, p := range patterns {
		if !validRelative(p) || strings.HasPrefix(p, "~") || !validPattern(p) {
			r.errs.Add(at, "review[%d]: write a path or a pattern relative to the project's root, as in \"devenv.nix\" or \".vscode/**\"", i)
		}
		out = append(out, Said[string]{p, hclfile.Start(at)})
	}
	return out
}

func (r *reader) gate(g *GateFile, raw *rawGate) {
	if raw.Approval != nil {
		g.Approval = &Said[Approval]{Approval(*raw.Approval), hclfile.Start(raw.ApprovalRange)}
		if !slices.Contains(Approvals, *raw.Approval) {
			r.errs.Add(raw.ApprovalRange, "unknown approval%s: write one of %s", spelling.DidYouMean(*raw.Approval, Approvals), strings.Join(Approvals, ", "))
		}
	}
	if raw.Inform != nil {
		g.Inform = &Said[bool]{*raw.Inform, hclfile.Start(raw.InformRange)}
	}
	if raw.Mode != nil {
		g.Mode = &Said[Mode]{r.mode(*raw.Mode, raw.ModeRange), hclfile.Start(raw.ModeRange)}
	}
	if raw.Timeout != nil {
		d, err := time.ParseDuration(*raw.Timeout)
		if err != nil || d <= 0 || d > MaxTimeout {
			r.errs.Add(raw.TimeoutRange, "write a duration above 0 and up to %s, as in \"2s\" or \"500ms\"", MaxTimeout)
		}
		g.Timeout = &Said[time.Duration]{d, hclfile.Start(raw.TimeoutRange)}
	}
	if raw.Project != nil {
		for i, s := range *raw.Project {
			if s != string(Observe) {
				r.errs.Add(raw.ProjectRange, "project[%d]: the one thing that a project can be allowed here is \"observe\"; for a rule write waivable = true in its block", i)
			}
		}
		g.Project = &Said[[]string]{*raw.Project, hclfile.Start(raw.ProjectRange)}
	}
	if raw.Review != nil {
		g.Review = &Said[Review]{Review(*raw.Review), hclfile.Start(raw.ReviewRange)}
		if !slices.Contains(Reviews, *raw.Review) {
			r.errs.Add(raw.ReviewRange, "unknown review%s: write one of %s", spelling.DidYouMean(*raw.Review, Reviews), strings.Join(Reviews, ", "))
		}
	}
}
