package checker

import (
	"path"
	"slices"
	"strings"
)

// shown are the variables whose values rules may see: they steer programs and
// hold no secret.
var shown = []string{"HOME", "LANG", "PATH", "SHELL", "TERM", "TMPDIR", "USER"}

// Env is the environment that the command ends up with.
func (j *Jail) Env() InputEnv {
	env := InputEnv{Cleared: j.Sandbox.Has("--clearenv"), Set: []InputVariable{}}
	for _, v := range j.Sandbox.Environment(j.Environ) {
		in := InputVariable{Name: v.Name, Source: "inherited", Shape: shape(v.Name, v.Value)}
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
func shape(name, value string) string {
	switch {
	case value == "":
		return "empty"
	case isToken(value), hasPassword(value), isHexSecret(name, value):
		return "secret"
	case path.IsAbs(value):
		return "path"
	}
	return "other"
}

func isToken(value string) bool {
	known := func(prefix string) bool {
		return strings.HasPrefix(value, prefix) && len(value) >= len(prefix)+16
	}
	return slices.ContainsFunc(tokenPrefixes, known) || looksRandom(value)
}

// hasPassword finds scheme://user:password@host, and a token in the user's
// place (RFC 3986, section 3.2.1).
func hasPassword(value string) bool {
	_, rest, ok := strings.Cut(value, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?# \n"); end >= 0 {
		authority = rest[:end]
	}
	at := strings.LastIndexByte(authority, '@')
	if !ok || at < 0 {
		return false
	}
	user, password, _ := strings.Cut(authority[:at], ":")
	return password != "" || isToken(user)
}

// hexHints are parts of names that tell a key from a digest, which looks alike.
var hexHints = []string{"AUTH", "CRED", "KEY", "PASS", "PWD", "SECRET", "TOKEN"}

// isHexSecret takes 32, 40 or 64 hexadecimal digits for a key when the
// variable's name hints at one: a commit or a checksum is no secret.
func isHexSecret(name, value string) bool {
	if n := len(value); n != 32 && n != 40 && n != 64 {
		return false
	}
	other := func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }
	hint := func(h string) bool { return strings.Contains(strings.ToUpper(name), h) }
	return strings.IndexFunc(value, other) < 0 && slices.ContainsFunc(hexHints, hint)
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
