package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func verdictOf(r *checker.Report, mode config.Mode) string {
	switch {
	case !r.Denied():
		return decision.Allow
	case mode == config.Observe:
		return decision.Observe
	}
	return decision.Deny
}

// judgedBy are the bundles by which was decided.
func judgedBy(c *config.Config) []decision.Bundle {
	var all []decision.Bundle
	for _, p := range c.Policies {
		if b := p.Opened; b != nil {
			all = append(all, decision.Bundle{Policy: p.Name, Layer: p.Layer.String(), Revision: b.Manifest.Revision.String(), Digest: b.Digest, Key: b.Signer})
		}
	}
	return all
}

// digestOf is the SHA-256 sum of a sandbox's arguments with their origins, in hexadecimal.
func digestOf(s *sandbox.Sandbox) string {
	sum := sha256.Sum256([]byte(strings.Join(s.AnnotatedArgv(), "\x00")))
	return hex.EncodeToString(sum[:])
}

// newDecision is what the log says of a launch that r is the report of, argv the digest
// of what was asked for.
func newDecision(r *checker.Report, c *config.Config, argv string) decision.Decision {
	ids := func(wanted func(finding.Finding) bool) []string {
		list := []string{}
		for _, f := range r.Findings {
			if wanted(f) {
				list = append(list, f.Rule)
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	with := func(s finding.Status) func(finding.Finding) bool {
		return func(f finding.Finding) bool { return f.Status == s }
	}
	d := decision.Decision{
		Version: decision.Version, Time: time.Now().UTC(), Jail: r.Jail.Name, Project: r.Jail.Facts.ProjectRoot, Verdict: verdictOf(r, c.Gate.Mode),
		Errors: ids(counting(finding.Error)), Warnings: ids(counting(finding.Warning)), Waived: ids(with(finding.Waived)), Observed: ids(with(finding.Observed)),
		Waivers: []decision.Waiver{}, Rules: r.Rules,
		Argv: argv, Policies: r.Policies, Config: c.Digest(), Ocjail: release.Version,
		Bundles: judgedBy(c),
	}
	for _, w := range r.Waivers {
		d.Waivers = append(d.Waivers, decision.Waiver{Rule: w.Rule, Subject: w.Subject, Owner: w.Owner, Expires: w.LastDay(), Layer: w.Layer.String()})
	}
	return d
}

func counting(s finding.Severity) func(finding.Finding) bool {
	return func(f finding.Finding) bool { return f.Severity == s && f.Status == finding.Open }
}
