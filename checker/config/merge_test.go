package config

import (
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// merged parses a file a layer: "organisation: TEXT" and so on, in any order.
func merged(t *testing.T, files ...string) *Config {
	t.Helper()
	var all []*File
	for _, f := range files {
		name, text, ok := strings.Cut(f, ": ")
		layer, err := ParseLayer(name)
		if !ok || err != nil {
			t.Fatalf("no layer: %s: %v", f, err)
		}
		parsed, err := Parse(layer, name+".hcl", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed)
	}
	return Merge(all...)
}

// The heart of the trust model: which statement holds, and which is ignored.
func TestLayers(t *testing.T) {
	const observe, enforce = "gate { mode = \"observe\" }", "gate { mode = \"enforce\" }"
	for name, tc := range map[string]struct {
		files   []string
		mode    Mode
		ignored string // the layer's name, or ""
	}{
		"nothing":                                    {nil, Enforce, ""},
		"the user loosens the defaults":              {[]string{"user: " + observe}, Observe, ""},
		"the organisation does":                      {[]string{"organisation: " + observe}, Observe, ""},
		"a project can not":                          {[]string{"project: " + observe}, Enforce, "project"},
		"nor beside a silent user":                   {[]string{"user: ", "project: " + observe}, Enforce, "project"},
		"a project tightens":                         {[]string{"user: " + observe, "project: " + enforce}, Enforce, ""},
		"the user under a silent organisation":       {[]string{"organisation: ", "user: " + observe}, Enforce, "user"},
		"the user tightens":                          {[]string{"organisation: " + observe, "user: " + enforce}, Enforce, ""},
		"the user's last word":                       {[]string{"user: " + enforce, "user: " + observe}, Observe, ""},
		"a project that may":                         {[]string{"user: gate { project = [\"observe\"] }", "project: " + observe}, Observe, ""},
		"a project gives itself leave":               {[]string{"project: gate {\nmode = \"observe\"\nproject = [\"observe\"]\n}"}, Enforce, "project project"},
		"the user gives leave under an organisation": {[]string{"organisation: ", "user: gate { project = [\"observe\"] }", "project: " + observe}, Enforce, "user project"},
		"leave taken back":                           {[]string{"organisation: gate { project = [\"observe\"] }", "user: gate { project = [] }", "project: " + observe}, Enforce, "project"},
		"a project above tightens":                   {[]string{"user: " + observe, "above-1: " + enforce, "project: " + observe}, Enforce, "project"},
		"where both may loosen":                      {[]string{"user: gate { project = [\"observe\"] }", "above-1: " + enforce, "project: " + observe}, Enforce, "project"},
		"a project above that may":                   {[]string{"user: gate { project = [\"observe\"] }", "above-1: " + observe}, Observe, ""},
		"a project above can not":                    {[]string{"above-2: " + observe, "above-1: "}, Enforce, "above-2"},
		"the further up, the more trusted":           {[]string{"user: " + observe, "above-2: " + enforce, "above-1: " + observe}, Enforce, "above-1"},
		"order does not matter":                      {[]string{"project: " + observe, "organisation: " + enforce}, Enforce, "project"},
	} {
		c := merged(t, tc.files...)
		var ignored []string
		for _, i := range c.Ignored {
			ignored = append(ignored, i.Layer.String())
		}
		if c.Gate.Mode != tc.mode || strings.Join(ignored, " ") != tc.ignored {
			t.Errorf("%s: mode %s, ignored %v", name, c.Gate.Mode, c.Ignored)
		}
	}
}

// Who decides whether a person is asked: of a jail of the Nix module, and of others.
func TestApprovalLayers(t *testing.T) {
	const off, widening = "gate { approval = \"off\" }", "gate { approval = \"widening\" }"
	for name, tc := range map[string]struct {
		files          []string
		module, others bool
		ignored        int
	}{
		"nothing":                              {nil, true, false, 0},
		"a project can not switch it off":      {[]string{"project: " + off}, true, false, 1},
		"nor beside a silent user":             {[]string{"user: ", "project: " + off}, true, false, 1},
		"nor against the user":                 {[]string{"user: " + widening, "project: " + off}, true, true, 1},
		"nor both of its files together":       {[]string{"project: " + widening, "project: " + off}, true, true, 1},
		"a project switches it on":             {[]string{"user: " + off, "project: " + widening}, true, true, 0},
		"the user switches it off":             {[]string{"user: " + off, "project: " + off}, false, false, 0},
		"not under a silent organisation":      {[]string{"organisation: ", "user: " + off}, true, false, 1},
		"the organisation does":                {[]string{"organisation: " + off}, false, false, 0},
		"the user tightens the organisation's": {[]string{"organisation: " + off, "user: " + widening}, true, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := merged(t, tc.files...)
			if m, o := c.Gate.Asks(true), c.Gate.Asks(false); m != tc.module || o != tc.others || len(c.Ignored) != tc.ignored {
				t.Errorf("asks for the module's %v, for others %v, ignored %v", m, o, c.Ignored)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	c := merged(t, `user: gate { timeout = "5s" }`, `project: gate { timeout = "10s" }`)
	if c.Gate.Timeout != 5*time.Second || len(c.Ignored) != 1 {
		t.Errorf("%s %v", c.Gate.Timeout, c.Ignored)
	}
	if c := merged(t, `project: gate { timeout = "1s" }`); c.Gate.Timeout != time.Second || len(c.Ignored) != 0 {
		t.Errorf("%s %v", c.Gate.Timeout, c.Ignored)
	}
}

// The most trusted file replaces the list, the others add to it.
func TestProtect(t *testing.T) {
	for name, tc := range map[string]struct {
		files   []string
		pack    bool
		paths   string
		ignored int
	}{
		"default":                       {nil, true, "", 0},
		"user":                          {[]string{`user: protect = ["a"]`}, false, "a", 0},
		"user switches off":             {[]string{`user: protect = []`}, false, "", 0},
		"project adds":                  {[]string{`project: protect = ["a"]`}, true, "a", 0},
		"project adds to the user's":    {[]string{`user: protect = ["a"]`, `project: protect = ["b"]`}, false, "a b", 0},
		"project can not switch off":    {[]string{`project: protect = []`}, true, "", 1},
		"user below an organisation":    {[]string{`organisation: protect = ["a"]`, `user: protect = ["b"]`}, false, "a b", 0},
		"user below a silent one":       {[]string{`organisation: `, `user: protect = ["b"]`}, true, "b", 0},
		"user below can not switch off": {[]string{`organisation: `, `user: protect = []`}, true, "", 1},
	} {
		c := merged(t, tc.files...)
		var paths []string
		for _, p := range c.Protect.Paths {
			paths = append(paths, p.Value)
		}
		if c.Protect.Pack != tc.pack || strings.Join(paths, " ") != tc.paths || len(c.Ignored) != tc.ignored {
			t.Errorf("%s: %+v, ignored %v", name, c.Protect, c.Ignored)
		}
	}
}

var known = map[string]Known{"a/error": {Severity: finding.Error}, "a/warning": {Severity: finding.Warning}}

func TestSettle(t *testing.T) {
	rule := func(layer, id, text string) string { return layer + ": rule \"" + id + "\" { " + text + " }" }
	const low, high = `severity = "warning"`, `severity = "error"`
	for name, tc := range map[string]struct {
		files    []string
		id       string
		severity finding.Severity
		observe  bool
		ignored  int
	}{
		"default":                    {nil, "a/error", finding.Error, false, 0},
		"user lowers":                {[]string{rule("user", "a/error", low)}, "a/error", finding.Warning, false, 0},
		"project lowers":             {[]string{rule("project", "a/error", low)}, "a/error", finding.Error, false, 1},
		"project raises":             {[]string{rule("project", "a/warning", high)}, "a/warning", finding.Error, false, 0},
		"project below the user":     {[]string{rule("user", "a/error", low), rule("project", "a/error", `severity = "info"`)}, "a/error", finding.Warning, false, 1},
		"project back to the pack's": {[]string{rule("user", "a/error", low), rule("project", "a/error", high)}, "a/error", finding.Error, false, 0},
		"two project files: the last may undo the first": {[]string{rule("project", "a/warning", high), rule("project", "a/warning", low)}, "a/warning", finding.Warning, false, 0},
		"user below an organisation":                     {[]string{"organisation: ", rule("user", "a/error", low)}, "a/error", finding.Error, false, 1},
		"the organisation's word is a floor":             {[]string{rule("organisation", "a/error", low), rule("user", "a/error", `severity = "info"`)}, "a/error", finding.Warning, false, 1},
		"waivable":                                       {[]string{rule("organisation", "a/error", "waivable = true"), rule("project", "a/error", low)}, "a/error", finding.Warning, false, 0},
		"waivable, and the user holds it":                {[]string{rule("organisation", "a/error", "waivable = true"), rule("user", "a/error", high), rule("project", "a/error", low)}, "a/error", finding.Error, false, 1},
		"waivable, and the user enforces it":             {[]string{rule("organisation", "a/error", "waivable = true"), rule("user", "a/error", `mode = "enforce"`), rule("project", "a/error", `mode = "observe"`)}, "a/error", finding.Error, false, 1},
		"waivable, and the user keeps it so":             {[]string{rule("organisation", "a/error", "waivable = true"), "user: rule \"a/error\" {\nseverity = \"error\"\nwaivable = true\n}", rule("project", "a/error", low)}, "a/error", finding.Warning, false, 0},
		"waivable, and the user loosens it":              {[]string{rule("organisation", "a/error", "waivable = true"), rule("user", "a/error", low), rule("project", "a/error", `severity = "info"`)}, "a/error", finding.Info, false, 0},
		"waivable, and the project above holds":          {[]string{rule("user", "a/error", "waivable = true"), rule("above-1", "a/error", high), rule("project", "a/error", low)}, "a/error", finding.Error, false, 1},
		"waivable, held, and said to be again":           {[]string{rule("user", "a/error", "waivable = true"), rule("above-1", "a/error", high), "project: rule \"a/error\" {\nseverity = \"warning\"\nwaivable = true\n}"}, "a/error", finding.Error, false, 2},
		"a project can't make it so":                     {[]string{"project: rule \"a/error\" {\nseverity = \"warning\"\nwaivable = true\n}"}, "a/error", finding.Error, false, 2},
		"observed":                                       {[]string{rule("user", "a/error", `mode = "observe"`)}, "a/error", finding.Error, true, 0},
		"project observes":                               {[]string{rule("project", "a/error", `mode = "observe"`)}, "a/error", finding.Error, false, 1},
		"project enforces":                               {[]string{rule("user", "a/error", `mode = "observe"`), rule("project", "a/error", `mode = "enforce"`)}, "a/error", finding.Error, false, 0},
	} {
		s, err := merged(t, tc.files...).Settle(known)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := s.Of(tc.id); got.Severity != tc.severity || got.Observe != tc.observe || len(s.Ignored) != tc.ignored {
			t.Errorf("%s: %+v, ignored %v", name, got, s.Ignored)
		}
	}
	_, err := merged(t, rule("project", "a/eror", high)).Settle(known)
	if want := `project.hcl:1:1: there is no rule of this id, did you mean "a/error"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func waive(layer, rule, subject, expires string) string {
	return layer + ": waive \"" + rule + "\" {\nsubject = \"" + subject + "\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"" + expires + "\"\n}"
}

func TestWaivers(t *testing.T) {
	const waivable = `user: rule "a/error" { waivable = true }`
	for name, tc := range map[string]struct {
		files             []string
		counts            bool
		problems, ignored int
	}{
		"user":                         {[]string{waive("user", "a/error", "/mnt/x/*", "2027-01-01")}, true, 0, 0},
		"organisation":                 {[]string{waive("organisation", "a/error", "/mnt/x/*", "2027-01-01")}, true, 0, 0},
		"user below an organisation":   {[]string{"organisation: ", waive("user", "a/error", "/mnt/x/*", "2027-01-01")}, false, 0, 1},
		"project":                      {[]string{waive("project", "a/error", "/mnt/x/*", "2027-01-01")}, false, 0, 1},
		"project that may":             {[]string{waivable, waive("project", "a/error", "/mnt/x/*", "2027-01-01")}, true, 0, 0},
		"project where the user holds": {[]string{"organisation: rule \"a/error\" { waivable = true }", `user: rule "a/error" { severity = "error" }`, waive("project", "a/error", "/mnt/x/*", "2027-01-01")}, false, 0, 1},
		"user who holds it himself":    {[]string{"organisation: rule \"a/error\" { waivable = true }", `user: rule "a/error" { severity = "error" }`, waive("user", "a/error", "/mnt/x/*", "2027-01-01")}, true, 0, 0},
		"user where the project holds": {[]string{"organisation: rule \"a/error\" { waivable = true }", `project: rule "a/error" { severity = "error" }`, waive("user", "a/error", "/mnt/x/*", "2027-01-01")}, true, 0, 0},
		"within one that holds":        {[]string{waivable, `above-1: rule "a/error" { severity = "error" }`, waive("project", "a/error", "/mnt/x/*", "2027-01-01")}, false, 0, 1},
		"unknown rule":                 {[]string{waive("user", "a/eror", "/mnt/x/*", "2027-01-01")}, false, 1, 0},
		"everything":                   {[]string{waive("user", "a/error", "/**", "2027-01-01")}, false, 1, 0},
		"every home":                   {[]string{waive("user", "a/error", "~/*", "2027-01-01")}, false, 1, 0},
		"every name":                   {[]string{waive("user", "a/error", "*", "2027-01-01")}, false, 1, 0},
	} {
		s, err := merged(t, tc.files...).Settle(known)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := len(s.Of("a/error").Waivers) == 1; got != tc.counts || len(s.Waivers) != tc.problems || len(s.Ignored) != tc.ignored {
			t.Errorf("%s: counts %v, problems %v, ignored %v", name, got, s.Waivers, s.Ignored)
		}
	}
}

func TestWaiverTime(t *testing.T) {
	c := merged(t, `organisation: longest_waiver = "30d"`, `user: longest_waiver = "60d"`)
	if len(c.Ignored) != 1 {
		t.Errorf("a longer bound is not ignored: %v", c.Ignored)
	}
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(l Layer, d int) Waiver { return Waiver{Layer: l, Expires: now.Add(time.Duration(d) * day)} }
	for _, tc := range []struct {
		w       Waiver
		expired bool
		long    bool
	}{
		{at(User, -1), true, false}, {at(User, 0), true, false}, {at(User, 30), false, false}, {at(User, 32), false, true}, {at(Organisation, 400), false, false},
	} {
		_, long := c.TooLong(tc.w, now)
		if tc.w.Expired(now) != tc.expired || long != tc.long {
			t.Errorf("%s %s: expired %v, too long %v", tc.w.Layer, tc.w.Expires, tc.w.Expired(now), long)
		}
	}
}

func TestWaiverMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, subject string
		want             bool
	}{
		{"/mnt/scratch/*", "/mnt/scratch/a", true}, {"/mnt/scratch/*", "/mnt/scratch/a/b", false}, {"/mnt/scratch/*", "/mnt/scratch", false},
		{"/mnt/scratch/**", "/mnt/scratch/a/b", true}, {"/mnt/scratch/**", "/mnt/scratchy", false}, {"/mnt/**/x", "/mnt/x", true}, {"/mnt/**/x", "/mnt/a/b/x", true},
		{"~/.cargo", "/home/[u]/.cargo", true}, {"~/.cargo", "/home/u/.cargo", false}, {"{project}/a", "/p*/a", true}, {"{project}/a", "/pq/a", false},
		{"GITHUB_*", "GITHUB_TOKEN", true}, {"GITHUB_*", "AGITHUB_TOKEN", false},
	} {
		if got := (Waiver{Subject: tc.pattern}).Matches(tc.subject, "/home/[u]", "/p*"); got != tc.want {
			t.Errorf("%s on %s: %v", tc.pattern, tc.subject, got)
		}
	}
}

// The most that can hold is a second, whatever the pattern.
func TestMatchIsBounded(t *testing.T) {
	name := strings.Repeat("a/", 200) + "b"
	if Match("**/a/**/a/**/a/**/c", name) {
		t.Error("matched")
	}
}
