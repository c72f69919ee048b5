package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// RuleUndecided is the rule of findings about what only a start can tell, and
// TitleUndecided their title.
const (
	RuleUndecided  = "gate/undecided"
	TitleUndecided = "Only known when the jail starts"
)

func (m *Manifest) undecided(s finding.Severity, id, subject, message string) finding.Finding {
	f := finding.Finding{
		Rule: RuleUndecided, Severity: s, Title: TitleUndecided, Message: message,
		Subject: finding.Subject{Kind: "config", Name: subject},
	}
	if o, ok := m.Origin(id); ok {
		f.Origin = &o
	} else {
		f.Origin = &finding.Origin{Option: id}
	}
	return f
}

// findings says what of the options is open. The value of a variable is an info:
// rules hardly look at it.
func (m *Manifest) findings(d *decoder) []finding.Finding {
	for n, i := range d.items {
		isValue := i.form == asPath && n >= 2 && d.items[n-2].word == "--setenv"
		if i.open != nil && !isValue {
			i.open.grave = true
		}
	}
	var found []finding.Finding
	for _, o := range d.opens {
		severity, message := finding.Info, "what %s stands for is only known when the jail starts, and judged then"
		if o.taken {
			message = "whether %s applies is only known when the jail starts; it was judged as if it did"
		}
		if o.grave {
			severity = finding.Warning
		}
		found = append(found, m.undecided(severity, o.id, shorten(o.text), fmt.Sprintf(message, shorten(o.text))))
	}
	return found
}

// runtime reads the code that runs before bwrap, and drops from v what it may
// change. Each element's code is a finding, for it may do anything.
func (m *Manifest) runtime(v variables) ([]finding.Finding, error) {
	s := &shell{}
	adds := map[string]bool{}
	var ids []string
	for _, p := range m.script.Runtime {
		s.add(p.ID, "\n"+p.Text)
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
		adds[p.ID] = adds[p.ID] || strings.Contains(p.Text, "RUNTIME_ARGS")
	}
	f, err := s.parse()
	if err != nil {
		return nil, err
	}
	for _, name := range v.touched(f) {
		delete(v, name)
	}
	var found []finding.Finding
	for _, id := range ids {
		severity, message := finding.Info, "it runs code before the jail starts, which is not judged"
		if adds[id] {
			severity, message = finding.Warning, "its code adds options of bwrap that are only known when the jail starts, and judged then"
		}
		found = append(found, m.undecided(severity, id, id, message))
	}
	return found, nil
}
