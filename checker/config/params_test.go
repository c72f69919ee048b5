package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// knownWithParams are rules of each layer; own/… declare nothing.
func knownWithParams(t *testing.T) map[string]Known {
	t.Helper()
	schema, err := param.Parse([]byte(`{"type": "object", "properties": {"limit": {"type": "integer", "default": 3}, "names": {"type": "array", "items": {"type": "string"}, "default": []}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Known{
		"pack/limit": {finding.Error, Embedded, schema}, "pack/none": {finding.Error, Embedded, nil},
		"org/limit": {finding.Error, Organisation, schema}, "user/limit": {finding.Error, User, schema},
		"project/limit": {finding.Error, Project, schema}, "project/own": {finding.Error, Project, nil},
	}
}

// Who may tell a rule what: its own layer and the more trusted ones, and nobody
// what a more trusted one has said.
func TestParams(t *testing.T) {
	of := func(layer, rule, text string) string {
		return layer + ": rule \"" + rule + "\" { params = { " + text + " } }"
	}
	waivable := func(layer, rule string) string { return layer + ": rule \"" + rule + "\" { waivable = true }" }
	for name, tc := range map[string]struct {
		files   []string
		rule    string
		limit   int64
		ignored string
	}{
		"default":                           {nil, "pack/limit", 3, ""},
		"user, of the pack":                 {[]string{of("user", "pack/limit", "limit = 5")}, "pack/limit", 5, ""},
		"organisation, of the pack":         {[]string{of("organisation", "pack/limit", "limit = 5")}, "pack/limit", 5, ""},
		"user below an organisation":        {[]string{"organisation: ", of("user", "pack/limit", "limit = 5")}, "pack/limit", 3, "user"},
		"user below one that lets it":       {[]string{waivable("organisation", "pack/limit"), of("user", "pack/limit", "limit = 5")}, "pack/limit", 5, ""},
		"project, of the pack":              {[]string{of("project", "pack/limit", "limit = 5")}, "pack/limit", 3, "project"},
		"project beside a silent user":      {[]string{"user: ", of("project", "pack/limit", "limit = 5")}, "pack/limit", 3, "project"},
		"project that may":                  {[]string{waivable("user", "pack/limit"), of("project", "pack/limit", "limit = 5")}, "pack/limit", 5, ""},
		"project that gives itself leave":   {[]string{"project: rule \"pack/limit\" {\nwaivable = true\nparams = { limit = 5 }\n}"}, "pack/limit", 3, "project project"},
		"project over the user's word":      {[]string{of("user", "pack/limit", "limit = 5"), of("project", "pack/limit", "limit = 9")}, "pack/limit", 5, "project"},
		"project over it, that may":         {[]string{of("user", "pack/limit", "limit = 5"), waivable("user", "pack/limit"), of("project", "pack/limit", "limit = 9")}, "pack/limit", 9, ""},
		"the user's last word":              {[]string{of("user", "pack/limit", "limit = 5"), of("user", "pack/limit", "limit = 6")}, "pack/limit", 6, ""},
		"organisation, of its own":          {[]string{of("organisation", "org/limit", "limit = 5")}, "org/limit", 5, ""},
		"user, of the organisation's":       {[]string{"organisation: ", of("user", "org/limit", "limit = 5")}, "org/limit", 3, "user"},
		"project, of the organisation's":    {[]string{"organisation: ", of("project", "org/limit", "limit = 5")}, "org/limit", 3, "project"},
		"user, of its own":                  {[]string{"organisation: ", of("user", "user/limit", "limit = 5")}, "user/limit", 5, ""},
		"organisation, of the user's":       {[]string{of("organisation", "user/limit", "limit = 5")}, "user/limit", 5, ""},
		"user over the organisation's word": {[]string{of("organisation", "user/limit", "limit = 5"), of("user", "user/limit", "limit = 9")}, "user/limit", 5, "user"},
		"project, of the user's":            {[]string{of("project", "user/limit", "limit = 5")}, "user/limit", 3, "project"},
		"project, of its own":               {[]string{"organisation: ", of("project", "project/limit", "limit = 5")}, "project/limit", 5, ""},
		"user, of the project's":            {[]string{of("user", "project/limit", "limit = 5"), of("project", "project/limit", "limit = 9")}, "project/limit", 5, "project"},
		"another parameter":                 {[]string{of("user", "project/limit", `names = ["a"]`), of("project", "project/limit", "limit = 9")}, "project/limit", 9, ""},
	} {
		s, err := merged(t, tc.files...).Settle(knownWithParams(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var ignored []string
		for _, i := range s.Ignored {
			ignored = append(ignored, i.Layer.String())
		}
		if got := s.Params()[tc.rule]["limit"]; got != tc.limit || strings.Join(ignored, " ") != tc.ignored {
			t.Errorf("%s: limit %v, ignored %+v", name, got, s.Ignored)
		}
	}
}

func TestParamsSay(t *testing.T) {
	s, err := merged(t, "user: ", "project: rule \"pack/limit\" {\n  params = {\n    names = [\"x\"]\n  }\n}", "project: rule \"project/own\" { params = { a = { b = [true, \"c\", 3] } } }").Settle(knownWithParams(t))
	if err != nil {
		t.Fatal(err)
	}
	want := `params.names = ["x"] for rule "pack/limit" of project.hcl:3:5 is ignored: the agent can write the project's configuration, so that can only tighten`
	if len(s.Ignored) != 1 || s.Ignored[0].Message != want || !strings.Contains(s.Ignored[0].Remedy, `rule "pack/limit" { waivable = true } in your own ocjail.hcl`) {
		t.Errorf("%+v", s.Ignored)
	}
	// A rule that does not say what it can be told is told what is written, and nothing else.
	if diff := cmp.Diff(map[string]any{"a": map[string]any{"b": []any{true, "c", int64(3)}}}, s.Params()["project/own"]); diff != "" {
		t.Error(diff)
	}
	if p, ok := s.Params()["pack/none"]; ok {
		t.Errorf("pack/none: %v", p)
	}
	if from := s.Of("project/own").ParamsFrom["a"]; from.Layer != Project || from.Pos.Column != 33 {
		t.Errorf("%+v", from)
	}
}

func TestParamsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`rule "pack/limit" { params = { limt = 5 } }`:         `project.hcl:1:32: params.limt: there is no parameter of this name, did you mean "limit"?: write one of limit, names`,
		`rule "pack/limit" { params = { limit = "5" } }`:      `project.hcl:1:32: params.limit: is a string, and must be a whole number`,
		`rule "pack/limit" { params = { names = ["a", 5] } }`: `project.hcl:1:46: params.names[1]: is a whole number, and must be a string`,
		`rule "pack/none" { params = { limit = 5 } }`:         `project.hcl:1:29: rule pack/none takes no parameters`,
		`rule "pack/limits" { params = { limit = 5 } }`:       `did you mean "pack/limit"?`,
	} {
		_, err := merged(t, "project: "+text).Settle(knownWithParams(t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", text, err, want)
		}
	}
	needs, err := param.Parse([]byte(`{"type": "object", "required": ["limit"], "properties": {"limit": {"type": "integer"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Known{"org/limit": {finding.Error, Organisation, needs}}
	for _, files := range [][]string{nil, {"organisation: ", `user: rule "org/limit" { params = { limit = 5 } }`}} {
		if _, err := merged(t, files...).Settle(known); err == nil || !strings.Contains(err.Error(), `rule org/limit needs to be told limit (a whole number): write rule "org/limit" { params = { limit = … } }`) {
			t.Errorf("%v: %v", files, err)
		}
	}
}
