package checker

import (
	"path"
	"slices"
	"strings"
)

// shown are the variables whose values rules may see: they steer programs and
// hold no secret.
var shown = []string{"HOME", "LANG", "PATH", "SHELL", "TERM", "TMPDIR", "USER"}

func (b *inputBuilder) env() InputEnv {
	env := InputEnv{Cleared: b.Sandbox.Has("--clearenv"), Set: []InputVariable{}}
	for _, v := range b.Sandbox.Environment(b.Environ) {
		in := InputVariable{Name: v.Name, Source: "inherited", Shape: shape(v.Value)}
		if v.Set {
			in.Source = "set"
		}
		if slices.Contains(shown, v.Name) {
			in.Value = &v.Value
		}
		env.Set = append(env.Set, in)
	}
	return env
}

// tokenPrefixes begin the credentials of well-known services (GitHub's secret
// scanning patterns, gitleaks' default rules).
var tokenPrefixes = []string{
	"sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "xapp-",
	"AKIA", "ASIA", "AIza", "ya29.", "eyJ", "npm_", "pypi-", "hf_", "dop_v1_", "shpat_", "SG.", "-----BEGIN ",
}

// shape tells what a value looks like, so that rules need not see it.
func shape(value string) string {
	switch {
	case value == "":
		return "empty"
	case slices.ContainsFunc(tokenPrefixes, func(p string) bool { return strings.HasPrefix(value, p) && len(value) >= len(p)+16 }):
		return "secret"
	case looksRandom(value):
		return "secret"
	case path.IsAbs(value):
		return "path"
	}
	return "other"
}

// looksRandom takes a long word of mixed letters and digits for a credential.
func looksRandom(v string) bool {
	if len(v) < 32 || len(v) > 512 {
		return false
	}
	var lower, upper, digit int
	for _, r := range v {
		switch {
		case r >= 'a' && r <= 'z':
			lower++
		case r >= 'A' && r <= 'Z':
			upper++
		case r >= '0' && r <= '9':
			digit++
		case strings.ContainsRune("-_+/=", r):
		default:
			return false
		}
	}
	return digit >= 4 && lower >= 4 && upper >= 4
}
