package engine

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

func newPack(t testing.TB) *Rego {
	t.Helper()
	r, err := NewRego(t.Context(), Options{}, Pack())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func golden(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../policy/schema/testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPackRules(t *testing.T) {
	want := []string{
		"caps/added", "env/inherited", "exec/host-executed-writable", "fs/device-exposed", "fs/home-exposed",
		"fs/root-exposed", "fs/rw-outside-home", "secrets/credential-readable", "session/tiocsti", "sockets/privileged",
	}
	rules := newPack(t).Rules()
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d", len(rules), len(want))
	}
	for i, r := range rules {
		if r.ID != want[i] {
			t.Errorf("rule %d is %s, want %s", i, r.ID, want[i])
		}
		if r.Severity == "" || r.Title == "" || r.Remedy == "" || !strings.HasPrefix(r.URL, "https://") {
			t.Errorf("rule %s: incomplete METADATA: %+v", r.ID, r)
		}
		if n := strings.Count(r.Description, ". ") + 1; n < 2 || n > 3 {
			t.Errorf("rule %s: why it matters takes two sentences, not %d", r.ID, n)
		}
	}
}

func TestPackOnGolden(t *testing.T) {
	fs, err := newPack(t).Evaluate(t.Context(), golden(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := finding.Count(fs, finding.Error) + finding.Count(fs, finding.Warning); n > 0 {
		t.Errorf("the default jail breaks rules: %+v", fs)
	}
	if finding.Count(fs, finding.Info) != 1 {
		t.Errorf("want one info, on the absent .envrc: %+v", fs)
	}
}

// edit changes the golden document.
func edit(t testing.TB, change func(doc map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(golden(t), &doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPackFindingIsComplete(t *testing.T) {
	in := edit(t, func(doc map[string]any) {
		m := doc["jail"].(map[string]any)["mounts"].([]any)[4].(map[string]any)
		m["source_real"], m["dest"] = "/etc", "/etc"
	})
	fs, err := newPack(t).Evaluate(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	f := fs[0]
	index := 4
	want := finding.Finding{
		Rule: "fs/rw-outside-home", Severity: finding.Error, Title: "Host path outside the home is writable",
		Message: "/etc can be written in the jail, through --bind /etc /etc",
		Subject: finding.Subject{Kind: "mount", Path: "/etc", Index: &index},
		Remedy:  "bind it read-only: --ro-bind /etc /etc",
		URL:     "https://github.com/containers/bubblewrap#limitations",
	}
	got, _ := json.Marshal(f)
	if expected, _ := json.Marshal(want); string(got) != string(expected) {
		t.Errorf("got  %s\nwant %s", got, expected)
	}
}
