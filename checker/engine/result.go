package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/open-policy-agent/opa/v1/ast"

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
	Remedy   string           `json:"remedy"`
	Severity string           `json:"severity"`
}

// findings reads what the rule returned: a set or an array.
func (e entry) findings(v ast.Value) ([]finding.Finding, error) {
	var terms []*ast.Term
	switch v := v.(type) {
	case ast.Set:
		terms = v.Slice()
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { terms = append(terms, t) })
	default:
		return nil, fmt.Errorf("returned %s: must be a set of findings", ast.ValueName(v))
	}
	var fs []finding.Finding
	for _, t := range terms {
		read := e.own
		if e.conftest {
			read = e.foreign
		}
		f, err := read(t)
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", t, err)
		}
		fs = append(fs, f)
	}
	return fs, nil
}

func (e entry) finding() finding.Finding {
	return finding.Finding{Rule: e.ID, Severity: e.Severity, Title: e.Title, Remedy: e.Remedy, URL: e.URL}
}

// own reads {"message", "subject", "remedy"?, "severity"?}.
func (e entry) own(t *ast.Term) (finding.Finding, error) {
	f := e.finding()
	var r result
	if err := decode(t, &r); err != nil {
		return f, err
	}
	if r.Message == "" || r.Subject == nil {
		return f, errors.New("message and subject are required")
	}
	if !subjectKinds[r.Subject.Kind] {
		return f, fmt.Errorf("unknown subject kind %q", r.Subject.Kind)
	}
	f.Message, f.Subject = r.Message, *r.Subject
	if r.Remedy != "" {
		f.Remedy = r.Remedy
	}
	if r.Severity == "" {
		return f, nil
	}
	s, err := finding.ParseSeverity(r.Severity)
	if err != nil {
		return f, err
	}
	if s.Rank() > e.Severity.Rank() {
		return f, fmt.Errorf("severity %s is above the rule's %s: raise it in the METADATA", s, e.Severity)
	}
	f.Severity = s
	return f, nil
}

// foreign reads what conftest reads: a string, or an object whose "msg" is one
// and whose other keys are the author's own.
func (e entry) foreign(t *ast.Term) (finding.Finding, error) {
	f := e.finding()
	f.Subject = finding.Subject{Kind: "config", Name: e.ID}
	v := t.Value
	if object, ok := v.(ast.Object); ok {
		msg := object.Get(ast.StringTerm("msg"))
		if msg == nil {
			return f, errors.New(`an object must have "msg"`)
		}
		v = msg.Value
	}
	s, ok := v.(ast.String)
	if !ok || s == "" {
		return f, errors.New(`must be a message or {"msg": message}`)
	}
	f.Message = string(s)
	return f, nil
}

func decode(t *ast.Term, into any) error {
	v, err := ast.JSON(t.Value)
	if err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
