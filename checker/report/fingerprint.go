package report

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// fingerprinter names the findings of one target so that a finding keeps its name
// when lines move, combinators come and go, inputs are updated or another machine
// looks: what it hangs on is the rule, the jail and the subject.
type fingerprinter struct {
	target string
	words  *strings.Replacer
	seen   map[string]int
}

func newFingerprinter(t *Target, name string) *fingerprinter {
	var pairs []string // the longer first, for a project lies in a home
	for _, p := range [][2]string{{t.Project, "{project}"}, {t.Home, "~"}} {
		if len(p[0]) > 1 {
			pairs = append(pairs, p[0]+"/", p[1]+"/", p[0], p[1])
		}
	}
	f := &fingerprinter{words: strings.NewReplacer(pairs...), seen: map[string]int{}}
	f.target = f.stable(name)
	return f
}

// volatile is what in a name changes without the finding being another: hashes in
// the Nix store, and lines and columns.
var volatile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`/nix/store/[0-9a-z]{32}-|:[0-9]+(:[0-9]+)?\b`)
})

func (f *fingerprinter) stable(s string) string {
	return volatile().ReplaceAllStringFunc(f.words.Replace(s), func(m string) string {
		if strings.HasPrefix(m, ":") {
			return ""
		}
		return "/nix/store/"
	})
}

// of returns the fingerprint; equal findings of one target are told apart by
// their order.
func (f *fingerprinter) of(x finding.Finding) string {
	subject := x.Subject.Kind + "\x00" + x.Subject.Path + "\x00" + x.Subject.Name
	if x.Subject.Kind == "config" { // whose name is a line
		subject = x.Message
	}
	key := x.Rule + "\x00" + f.target + "\x00" + f.stable(subject)
	f.seen[key]++
	if n := f.seen[key]; n > 1 {
		key += "\x00" + strconv.Itoa(n)
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}
