package nix

import (
	"strings"
)

// manifest is nix/manifest.schema.json, as far as these tests read it.
type manifest struct {
	Name     string
	Project  string
	Elements []element
	Script   struct{ Cmd, Runtime []piece }
	Env      map[string]struct{ ID, Value string }
	Policy   map[string]any
}

type piece struct{ ID, Text string }

type element struct {
	ID         string
	Combinator *string
	Args       []map[string]any
	Origin     struct {
		Option, File string
		Index, Entry *int
	}
	Effects []struct {
		Phase string
		Delta map[string]any
	}
	Children     []element
	NeverApplied bool
}

func (p *project) manifest() (m manifest) {
	p.t.Helper()
	p.eval("manifest", &m)
	return m
}

// of returns the elements of one option.
func (m manifest) of(option string) (es []element) {
	for _, e := range m.Elements {
		if e.Origin.Option == option {
			es = append(es, e)
		}
	}
	return es
}

// text is the combinator with its arguments, as a person would write it.
func (e element) text() string {
	words := []string{"(function)"}
	if e.Combinator != nil {
		words[0] = *e.Combinator
	}
	for _, a := range e.Args {
		for _, tag := range []string{"string", "noescape", "package"} {
			if s, ok := a[tag].(string); ok {
				words = append(words, s)
			}
		}
	}
	return strings.Join(words, " ")
}
