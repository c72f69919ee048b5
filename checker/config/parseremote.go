package config

import (
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// remote reads what a policy says of a bundle that is fetched.
func (r *reader) remote(raw rawPolicy) *Remote {
	m := &Remote{WarnAfter: DefaultWarnAfter, RefuseAfter: DefaultRefuseAfter}
	var err error
	if m.Source, err = bundle.ParseSource(raw.Source); err != nil {
		r.errs.Add(raw.SourceRange, "%v", err)
	}
	if raw.Keys == nil {
		r.errs.Add(raw.Range, "a bundle that is fetched must be signed: name the publisher's public key in keys")
	}
	if raw.WarnAfter != nil {
		m.WarnAfter = r.days(*raw.WarnAfter, raw.WarnRange)
	}
	if raw.RefuseAfter != nil {
		m.RefuseAfter = r.days(*raw.RefuseAfter, raw.RefuseRange)
	}
	switch {
	case m.WarnAfter <= m.RefuseAfter:
	case raw.WarnAfter == nil:
		m.WarnAfter = m.RefuseAfter
	default:
		r.errs.Add(raw.WarnRange, "warn_after is later than refuse_after, which is \"%dd\": write fewer days", m.RefuseAfter/day)
	}
	if raw.Refresh != nil {
		m.Background = *raw.Refresh == "background"
		if !m.Background && *raw.Refresh != "manual" {
			r.errs.Add(raw.RefreshRange, "refresh is \"manual\" or \"background\"")
		}
	}
	if raw.TokenFile != nil {
		m.TokenFile = fromHome(strings.TrimPrefix(*raw.TokenFile, "./"))
		switch {
		case m.Scheme == "oci":
			r.errs.Add(raw.TokenRange, "a registry's credentials are in the Docker configuration: run docker login %s, and leave token_file out", m.Host)
		case !validFile(*raw.TokenFile):
			r.errs.Add(raw.TokenRange, "name a file: absolute, below ~/ or relative to this file, without \"..\"")
		}
	}
	return m
}

// remoteOnly refuses what means nothing for a source on this machine.
func (r *reader) remoteOnly(raw rawPolicy) {
	const why = "only a bundle that is fetched (oci://, https://) has this: leave it out"
	if raw.WarnAfter != nil {
		r.errs.Add(raw.WarnRange, why)
	}
	if raw.RefuseAfter != nil {
		r.errs.Add(raw.RefuseRange, why)
	}
	if raw.Refresh != nil {
		r.errs.Add(raw.RefreshRange, why)
	}
	if raw.TokenFile != nil {
		r.errs.Add(raw.TokenRange, why)
	}
}

// validFile tells whether a trusted file can name p.
func validFile(p string) bool {
	return (validTemplate(fromHome(p)) || validRelative(strings.TrimPrefix(p, "./"))) && !strings.HasPrefix(p, "{")
}
