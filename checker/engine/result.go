package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// subjectKinds are those of finding.Subject.
var subjectKinds = map[string]bool{
	"mount": true, "path": true, "socket": true, "env": true, "namespace": true,
	"session": true, "capability": true, "command": true, "descriptor": true, "config": true,
}

// result is what a rule returns for each finding; Severity, when given, lowers
// the rule's own.
type result struct {
	Message  string           `json:"message"`
	Subject  *finding.Subject `json:"subject"`
	Remedy   remedy           `json:"remedy"`
	Severity string           `json:"severity"`
}

// remedy is a text, or an object of a text and bwrap's options that follow it.
type remedy struct {
	Text    string   `json:"text"`
	Options []string `json:"options"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *remedy) UnmarshalJSON(doc []byte) error {
	if bytes.HasPrefix(doc, []byte(`"`)) {
		return json.Unmarshal(doc, &r.Text)
	}
	type plain remedy
	if err := decode(doc, (*plain)(r)); err != nil {
		return err
	}
	if r.Text == "" || len(r.Options) == 0 {
		return errors.New("remedy: text and options are required")
	}
	return nil
}

// Blank is a finding of the rule without message and subject.
func (r Rule) Blank() finding.Finding {
	return finding.Finding{Rule: r.ID, Severity: r.Severity, Title: r.Title, Remedy: r.Remedy, URL: r.URL}
}

// Finding reads the JSON of one result: {"message", "subject", "remedy"?,
// "severity"?}, the remedy a text or {"text", "options"}. Anything else is an
// error.
func (r Rule) Finding(doc []byte) (finding.Finding, error) {
	f := r.Blank()
	var got result
	if err := decode(doc, &got); err != nil {
		return f, err
	}
	if got.Message == "" || got.Subject == nil {
		return f, errors.New("message and subject are required")
	}
	if !subjectKinds[got.Subject.Kind] {
		return f, fmt.Errorf("unknown subject kind %q", got.Subject.Kind)
	}
	f.Message, f.Subject = got.Message, *got.Subject
	if got.Remedy.Text != "" {
		f.Remedy, f.Options = got.Remedy.Text, got.Remedy.Options
	}
	if got.Severity == "" {
		return f, nil
	}
	s, err := finding.ParseSeverity(got.Severity)
	if err != nil {
		return f, err
	}
	if s.Rank() > r.Severity.Rank() {
		return f, fmt.Errorf("severity %s is above the rule's %s: raise it in the METADATA", s, r.Severity)
	}
	f.Severity = s
	return f, nil
}

// Foreign reads the JSON of one result of a rule that was written for conftest: a
// message, or an object whose "msg" is one and whose other keys are the author's own.
func (r Rule) Foreign(doc []byte) (finding.Finding, error) {
	f := r.Blank()
	f.Subject = finding.Subject{Kind: "config", Name: r.ID}
	if !bytes.HasPrefix(doc, []byte(`"`)) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(doc, &object); err != nil || object["msg"] == nil {
			return f, errors.New(`must be a message or {"msg": message}`)
		}
		doc = object["msg"]
	}
	if err := json.Unmarshal(doc, &f.Message); err != nil || f.Message == "" {
		return f, errors.New(`must be a message or {"msg": message}`)
	}
	return f, nil
}

func decode(doc []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
