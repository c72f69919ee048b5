package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Decision is one line of the log. It holds names and digests, never the values
// of variables.
type Decision struct {
	Time    string `json:"time"` // RFC 3339, UTC
	Jail    string `json:"jail"`
	Project string `json:"project"`
	Verdict string `json:"verdict"` // "allow", "deny" or "observe" (denied by a rule, started all the same)
	// Approval is "off" where nobody has to approve, "approved" for what was before,
	// "remembered" and "once" for what somebody accepted now; "refused", "missing"
	// (nobody could be asked) and "broken" (what was approved can not be told) deny.
	// It is "" where a rule denied.
	Approval string   `json:"approval"`
	Errors   []string `json:"errors"` // ids of the rules, sorted
	Warns    []string `json:"warnings"`
	Waived   []string `json:"waived"` // ids of the rules whose findings were waived or observed
	Rules    int      `json:"rules"`  // how many judged
	Argv     string   `json:"argv_sha256"`
}

// Verdicts of a launch.
const (
	verdictAllow   = "allow"
	verdictDeny    = "deny"
	verdictObserve = "observe"
)

func verdictOf(r *checker.Report, mode config.Mode) string {
	switch {
	case !r.Denied():
		return verdictAllow
	case mode == config.Observe:
		return verdictObserve
	}
	return verdictDeny
}

func newDecision(r *checker.Report, mode config.Mode) Decision {
	ids := func(wanted func(finding.Finding) bool) []string {
		list := []string{}
		for _, f := range r.Findings {
			if wanted(f) && !slices.Contains(list, f.Rule) {
				list = append(list, f.Rule)
			}
		}
		slices.Sort(list)
		return list
	}
	sum := sha256.Sum256([]byte(strings.Join(r.Jail.Asked.AnnotatedArgv(), "\x00")))
	return Decision{
		Time: time.Now().UTC().Format(time.RFC3339Nano), Jail: r.Jail.Name, Project: r.Jail.Facts.ProjectRoot, Verdict: verdictOf(r, mode),
		Errors: ids(counting(finding.Error)), Warns: ids(counting(finding.Warning)),
		Waived: ids(func(f finding.Finding) bool { return f.Status != finding.Open }), Rules: r.Rules, Argv: hex.EncodeToString(sum[:]),
	}
}

func counting(s finding.Severity) func(finding.Finding) bool {
	return func(f finding.Finding) bool { return f.Severity == s && f.Status == finding.Open }
}

// append writes d as one line to decisions.jsonl in dir, which it makes. One
// write to a file opened for appending is whole, also with others at work.
func (d Decision) append(dir string) error {
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, "decisions.jsonl")
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is no regular file: remove it", file), err, f.Close())
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", file, err), f.Close())
	}
	return f.Close()
}
