package config

import (
	"strings"
	"testing"
)

// A file of a project above speaks of that one's paths.
func TestAround(t *testing.T) {
	f, err := Parse(Above(1), "ocjail.hcl", []byte(`
watch "{project}/deploy" {
  class = "secret"
}
watch "/srv/key" {
  class = "secret"
}
protect = ["tools/run.sh"]
policy "own" {
  source = "rules"
}
waive "fs/rw-outside-home" {
  subject = "{project}/x*"
  reason  = "a test"
  owner   = "me"
  expires = "2099-12-31"
}
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Around("/w/mono[1]", "/w/mono[1]/src/app"); err != nil {
		t.Fatal(err)
	}
	got := []string{f.Watches[0].Path, f.Watches[1].Path, f.Protect.Value[0], f.Policies[0].Root, f.Policies[0].Path, f.Waivers[0].Subject}
	want := []string{"/w/mono[1]/deploy", "/srv/key", "/w/mono[1]/tools/run.sh", "/w/mono[1]", "rules", `/w/mono\[1]/x*`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
	if err := f.Around("/w/a{b}", "/w/a{b}/c"); err == nil || !strings.Contains(err.Error(), "rename the folder") {
		t.Error(err)
	}
	if err := f.Around("/w/a", "/w/ab"); err == nil {
		t.Error("not within")
	}
}

func TestPatternsBelow(t *testing.T) {
	for pattern, want := range map[string]string{
		"src/app/x.sh":     "x.sh",
		"src/app":          "**",
		"src":              "**",
		"src/other/x.sh":   "",
		"*/app/*.sh":       "*.sh",
		"**/x.sh":          "**/x.sh",
		"**/app/x.sh":      "**/app/x.sh x.sh",
		"src/**":           "**",
		"x.sh":             "",
		"src/app/**/x.sh":  "**/x.sh",
		"src/app/bin/x.sh": "bin/x.sh",
	} {
		f := File{Review: []Said[string]{{Value: pattern}}}
		if err := f.Around("/w", "/w/src/app"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range f.Review {
			got = append(got, p.Value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}
