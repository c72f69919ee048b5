package policy_test

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/refnil/opencode-jail-devenv/policy"
)

// The rules of regal (https://www.openpolicyagent.org/projects/regal/rules) that
// say something about this pack, by their names there. regal itself is not run:
// it is no module of the Go proxy's that could be pinned. Its bugs/… that need
// types are TestTypes', opa-fmt is TestFormat's, unused imports and variables are
// the strict compiler's. Left out on purpose: style/external-reference, for the
// library is about the input, and style/line-length, which is 200 here, for
// messages are easier to find in one piece.
const (
	longestLine = 200
	longestRule = 40 // lines
	longestFile = 300
)

type complaint struct{ rule, place, text string }

// styled is one file that is looked at.
type styled struct {
	name string
	*ast.Module
	text  []byte
	found []complaint
}

func (s *styled) complain(rule string, loc *ast.Location, format string, args ...any) {
	place := s.name
	if loc != nil {
		place = fmt.Sprintf("%s:%d", s.name, loc.Row)
	}
	s.found = append(s.found, complaint{rule, place, fmt.Sprintf(format, args...)})
}

func (s *styled) isTest() bool { return strings.HasSuffix(s.name, "_test.rego") }

var checks = []func(*styled){
	(*styled).packageName, (*styled).comments, (*styled).lengths, (*styled).names, (*styled).metadata,
	(*styled).conditions, (*styled).references, (*styled).tests,
}

func TestStyle(t *testing.T) {
	for name, m := range modules(t) {
		text, err := fs.ReadFile(policy.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range complaints(name, m, text) {
			t.Errorf("%s: %s (regal: %s)", c.place, c.text, c.rule)
		}
	}
}

func complaints(name string, m *ast.Module, text []byte) []complaint {
	s := &styled{name: name, Module: m, text: text}
	for _, check := range checks {
		check(s)
	}
	return s.found
}

// A file lies where its package says: rules/fs/x-y.rego is ocjail.rules.fs.x_y.
func (s *styled) packageName() {
	stem := strings.TrimSuffix(s.name, ".rego")
	want := "data.ocjail." + strings.ReplaceAll(strings.ReplaceAll(stem, "/", "."), "-", "_")
	if s.name == "lib/fixtures_test.rego" {
		want = "data.ocjail.fixtures" // others' tests use it under this name
	}
	if got := s.Package.Path.String(); got != want {
		s.complain("idiomatic/directory-package-mismatch", s.Package.Location, "package %s, want %s", got, want)
	}
}

func (s *styled) comments() {
	for _, c := range s.Comments {
		text := string(c.Text)
		if text != "" && text[0] != ' ' {
			s.complain("style/no-whitespace-comment", c.Location, "#%s", text)
		}
		if regexp.MustCompile(`(?i)\b(todo|fixme)\b`).MatchString(text) {
			s.complain("style/todo-comment", c.Location, "#%s", text)
		}
	}
}

func (s *styled) lengths() {
	lines := strings.Split(strings.TrimSuffix(string(s.text), "\n"), "\n")
	for i, l := range lines {
		if len(l) > longestLine && !s.isTest() {
			s.complain("style/line-length", &ast.Location{Row: i + 1}, "%d letters", len(l))
		}
	}
	if len(lines) > longestFile {
		s.complain("style/file-length", nil, "%d lines", len(lines))
	}
	for _, r := range s.Rules {
		if n := strings.Count(string(r.Location.Text), "\n"); n > longestRule && !s.isTest() {
			s.complain("style/rule-length", r.Location, "%d lines", n)
		}
	}
}

var snake = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (s *styled) names() {
	builtins := map[string]bool{}
	for _, b := range ast.Builtins {
		first, _, _ := strings.Cut(b.Name, ".")
		builtins[first] = true
	}
	for _, r := range s.Rules {
		name := string(r.Head.Ref()[0].Value.(ast.Var))
		switch {
		case !snake.MatchString(name):
			s.complain("style/prefer-snake-case", r.Location, "%s", name)
		case strings.HasPrefix(name, "get_") || strings.HasPrefix(name, "list_"):
			s.complain("style/avoid-get-and-list-prefix", r.Location, "%s", name)
		case builtins[name]:
			s.complain("bugs/rule-shadows-builtin", r.Location, "%s", name)
		}
	}
	for _, i := range s.Imports {
		if i.Path.Value.(ast.Ref)[0].Equal(ast.InputRootDocument) {
			s.complain("imports/avoid-importing-input", i.Location, "%s", i)
		}
	}
}

func (s *styled) metadata() {
	if s.isTest() {
		return
	}
	i := slices.IndexFunc(s.Annotations, func(a *ast.Annotations) bool { return a.Scope == "package" })
	if i < 0 {
		s.complain("custom/missing-metadata", s.Package.Location, "the package has none")
		return
	}
	a := s.Annotations[i]
	if a.Title == "" || a.Description == "" {
		s.complain("custom/missing-metadata", s.Package.Location, "title and description are wanted")
	}
	for key := range a.Custom {
		if !slices.Contains([]string{"severity", "remedy", "avoid", "prefer", "params"}, key) {
			s.complain("bugs/invalid-metadata-attribute", s.Package.Location, "custom.%s", key)
		}
	}
}

// conditions looks at each expression.
func (s *styled) conditions() {
	ast.WalkExprs(s.Module, func(e *ast.Expr) bool {
		terms, ok := e.Terms.([]*ast.Term)
		if !ok || len(terms) != 3 {
			return false
		}
		constant := func(t *ast.Term) bool { return ast.IsScalar(t.Value) }
		switch op := terms[0].String(); {
		case op == "eq":
			s.complain("style/use-assignment-operator", e.Location, "%s: write := or ==", e.Location.Text)
		case !slices.Contains([]string{"equal", "neq", "lt", "gt", "lte", "gte"}, op):
		case constant(terms[1]) && constant(terms[2]):
			s.complain("bugs/constant-condition", e.Location, "%s", e.Location.Text)
		case constant(terms[1]):
			s.complain("style/yoda-condition", e.Location, "%s", e.Location.Text)
		}
		return false
	})
}

// references finds iteration that no `some` announces, and calls of print.
func (s *styled) references() {
	ast.WalkRefs(s.Module, func(r ast.Ref) bool {
		for _, t := range r[1:] {
			if v, ok := t.Value.(ast.Var); ok && v.IsWildcard() {
				s.complain("idiomatic/use-some-for-output-vars", t.Location, "%s: write some … in", r)
			}
		}
		if name := r.String(); name == "print" || name == "trace" {
			s.complain("testing/print-or-trace-call", r[0].Location, "%s", name)
		}
		return false
	})
}

func (s *styled) tests() {
	seen := map[string]bool{}
	for _, r := range s.Rules {
		name := r.Head.Ref().GroundPrefix().String()
		switch {
		case strings.HasPrefix(name, "todo_test_"):
			s.complain("testing/todo-test", r.Location, "%s", name)
		case !strings.HasPrefix(name, "test_"):
		case !s.isTest():
			s.complain("testing/file-missing-test-suffix", r.Location, "%s in %s", name, path.Base(s.name))
		case seen[name]:
			s.complain("testing/identically-named-tests", r.Location, "%s", name)
		}
		seen[name] = true
	}
}

// Each check finds what it is there for.
func TestStyleRefuses(t *testing.T) {
	const head = "# METADATA\n# title: x\n# description: x\npackage ocjail.rules.fs.x\n\n"
	for _, tc := range []struct{ rule, name, text string }{
		{"idiomatic/directory-package-mismatch", "rules/fs/y.rego", head},
		{"style/no-whitespace-comment", "rules/fs/x.rego", head + "#here\n"},
		{"style/todo-comment", "rules/fs/x.rego", head + "# TODO: more\n"},
		{"style/line-length", "rules/fs/x.rego", head + "# " + strings.Repeat("x", longestLine)},
		{"style/file-length", "rules/fs/x.rego", head + strings.Repeat("\n", longestFile)},
		{"style/rule-length", "rules/fs/x.rego", head + "a if {\n" + strings.Repeat("\tinput.x\n", longestRule+1) + "}"},
		{"style/prefer-snake-case", "rules/fs/x.rego", head + "aB := 1"},
		{"style/avoid-get-and-list-prefix", "rules/fs/x.rego", head + "get_a := 1"},
		{"bugs/rule-shadows-builtin", "rules/fs/x.rego", head + "count := 1"},
		{"imports/avoid-importing-input", "rules/fs/x.rego", head + "import input.jail"},
		{"custom/missing-metadata", "rules/fs/x.rego", "package ocjail.rules.fs.x"},
		{"bugs/invalid-metadata-attribute", "rules/fs/x.rego", "# METADATA\n# title: x\n# description: x\n# custom:\n#   severty: error\npackage ocjail.rules.fs.x"},
		{"style/use-assignment-operator", "rules/fs/x.rego", head + "a if { b = input.x; b }"},
		{"bugs/constant-condition", "rules/fs/x.rego", head + "a if 1 == 1"},
		{"style/yoda-condition", "rules/fs/x.rego", head + `a if "x" == input.x`},
		{"idiomatic/use-some-for-output-vars", "rules/fs/x.rego", head + `a if input.x[_] == "x"`},
		{"testing/print-or-trace-call", "rules/fs/x.rego", head + `a if print(input.x)`},
		{"testing/todo-test", "rules/fs/x_test.rego", "package ocjail.rules.fs.x_test\ntodo_test_a if true"},
		{"testing/file-missing-test-suffix", "rules/fs/x.rego", head + "test_a if input.x"},
		{"testing/identically-named-tests", "rules/fs/x_test.rego", "package ocjail.rules.fs.x_test\ntest_a if input.x\ntest_a if input.y"},
	} {
		m, err := ast.ParseModuleWithOpts(tc.name, tc.text, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatalf("%s: %v", tc.rule, err)
		}
		found := complaints(tc.name, m, []byte(tc.text))
		if len(found) != 1 || found[0].rule != tc.rule {
			t.Errorf("%s: %+v", tc.rule, found)
		}
	}
}
