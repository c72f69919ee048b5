package wasm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// findings reads a rule's answer, a JSON array. Each element is a finding as Rego
// rules return it, or as conftest's rules do: a message, or an object with "msg".
func findings(r engine.Rule, answer []byte) ([]finding.Finding, error) {
	if !utf8.Valid(answer) {
		return nil, errors.New("its answer is not UTF-8")
	}
	var elements []json.RawMessage
	d := json.NewDecoder(bytes.NewReader(answer))
	if err := d.Decode(&elements); err != nil {
		return nil, fmt.Errorf("its answer is no JSON array of findings: %w", err)
	}
	if d.More() || elements == nil {
		return nil, errors.New("its answer is no JSON array of findings")
	}
	all := make([]finding.Finding, 0, len(elements))
	for _, element := range elements {
		f, err := one(r, element)
		if err != nil {
			return nil, fmt.Errorf("finding %.200s: %w", element, err)
		}
		all = append(all, f)
	}
	return all, nil
}

func one(r engine.Rule, doc json.RawMessage) (finding.Finding, error) {
	var message string
	if json.Unmarshal(doc, &message) == nil && message != "" {
		return foreign(r, message), nil
	}
	var conftest map[string]json.RawMessage
	if json.Unmarshal(doc, &conftest) == nil && conftest["msg"] != nil {
		if err := json.Unmarshal(conftest["msg"], &message); err != nil || message == "" {
			return finding.Finding{}, errors.New(`"msg" is no message`)
		}
		return foreign(r, message), nil
	}
	return r.Finding(doc)
}

// foreign is a finding of a rule that was written for conftest.
func foreign(r engine.Rule, message string) finding.Finding {
	f := r.Blank()
	f.Message, f.Subject = message, finding.Subject{Kind: "config", Name: r.ID}
	return f
}

// The custom sections in which Describe puts the rules, and what they read. The third
// is empty: that it is there says that no base document is read.
const (
	sectionName   = "ocjail.rules"
	readsSection  = "ocjail.reads"
	noDataSection = "ocjail.no-data"
	needsSection  = "ocjail.needs"
)

// About is what is known of a module of OPA's.
type About struct {
	Rules map[string]engine.Rule // by entrypoint
	Reads []string               // the parts of the input that they read, nil for any
	Data  bool                   // whether they read base documents, what Rego calls data
	Needs []engine.Need          // of these, those that must be there
}

// Describe adds to a module of OPA's what is known of it.
func Describe(code []byte, a About) ([]byte, error) {
	code = bytes.Clone(code)
	if !a.Data {
		code = section(code, 0, text(nil, noDataSection))
	}
	for _, s := range []struct {
		name string
		said any
		some bool
	}{{sectionName, a.Rules, true}, {readsSection, a.Reads, a.Reads != nil}, {needsSection, a.Needs, len(a.Needs) > 0}} {
		if !s.some {
			continue
		}
		doc, err := json.Marshal(s.said)
		if err != nil {
			return nil, err
		}
		code = section(code, 0, append(text(nil, s.name), doc...))
	}
	return code, nil
}

// said reads what Describe wrote into one section; the zero value if it did not.
func said[T any](sections []api.CustomSection, name string) (what T, err error) {
	for _, s := range sections {
		if s.Name() != name {
			continue
		}
		if err := json.Unmarshal(s.Data(), &what); err != nil {
			return what, fmt.Errorf("section %s: %w", name, err)
		}
	}
	return what, nil
}

// described reads what Describe wrote; nil if it did not.
func described(sections []api.CustomSection) (map[string]engine.Rule, error) {
	for _, s := range sections {
		if s.Name() != sectionName {
			continue
		}
		var rules map[string]engine.Rule
		d := json.NewDecoder(bytes.NewReader(s.Data()))
		d.DisallowUnknownFields()
		if err := d.Decode(&rules); err != nil {
			return nil, fmt.Errorf("section %s: %w", sectionName, err)
		}
		for p, r := range rules {
			if _, err := finding.ParseSeverity(string(r.Severity)); err != nil {
				return nil, fmt.Errorf("section %s: %s: %w", sectionName, p, err)
			}
		}
		return rules, nil
	}
	return nil, nil
}

// about reads what is said of a rule beside its code, and which parts of the input
// it reads; nil for any.
func about(id string, doc []byte) (r engine.Rule, reads []string, err error) {
	r = engine.Rule{ID: id, Severity: finding.Error, Title: id}
	if doc == nil {
		return r, nil, nil
	}
	var said struct {
		Severity, Title, Description, Remedy, URL *string
		Params                                    *param.Schema
		Reads                                     []string
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return r, nil, fmt.Errorf("its description: %w", err)
	}
	if said.Severity != nil {
		if r.Severity, err = finding.ParseSeverity(*said.Severity); err != nil {
			return r, nil, fmt.Errorf("its description: %w", err)
		}
	}
	for _, name := range said.Reads {
		if !slices.Contains(engine.InputParts, name) {
			return r, nil, fmt.Errorf("its description: reads: the policy input has no part %q, but %s", name, strings.Join(engine.InputParts, ", "))
		}
	}
	if r.Params = said.Params; r.Params != nil && said.Reads != nil {
		said.Reads = append(said.Reads, "params")
	}
	for from, to := range map[*string]*string{said.Title: &r.Title, said.Description: &r.Description, said.Remedy: &r.Remedy, said.URL: &r.URL} {
		if from != nil {
			*to = *from
		}
	}
	return r, said.Reads, nil
}
