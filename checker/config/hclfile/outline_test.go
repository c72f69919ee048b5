package hclfile

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestOutline(t *testing.T) {
	for src, want := range map[string]string{
		"":                                     "",
		"# a comment\n":                        "",
		"command = [\"sh\"]\nproject {\n}\n":   "command project{",
		"command=[\n\"sh\",\n]\nproject{}":     "command project{",
		"provider \"x\" {\n project {\n}\n}\n": "",
		"project \"x\" {}\nproject {}":         "project{",
		"a = \"${b[\"c\"]}\" # d\nb = <<E\nproject {\nE\nc = f(\n1)\n": "a b c",
		"/* a */ a /* b */ = 1 // c\n":                                 "a",
	} {
		o, err := OutlineOf("f.hcl", []byte(src))
		got := slices.Sorted(maps.Keys(o.Arguments))
		for _, b := range slices.Sorted(maps.Keys(o.Blocks)) {
			if o.Blocks[b] {
				got = append(got, b+"{")
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v, want %q", src, got, err, want)
		}
	}
	for src, want := range map[string]string{
		"project {\n access = \"rw\" // c\n\n # d\n b {\n  c = 1\n }\n e = [\n f,\n]\n}\ng = 1\n": "project.access project.b project.e",
		"project { access = \"rw\" }\nproject \"x\" {\n y = 1\n}\nz = {\n a = 1\n}\n":             "project.access",
		"project {\n a = \"x\" b\n c = <<E\n d = 1\nE\n}\n":                                       "project.a project.c",
	} {
		o, err := OutlineOf("f.hcl", []byte(src))
		if got := strings.Join(slices.Sorted(maps.Keys(o.Within)), " "); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", src, got, err, want)
		}
	}
	for src, place := range map[string]string{
		"comm":                  "f.hcl:1:5: ",
		"command":               "f.hcl:1:8: ",
		"command\n":             "f.hcl:1:8: ",
		"\nproject {\n":         "f.hcl:3:1: ",
		"project \"x":           "f.hcl:1:",
		"a = \"x":               "f.hcl:1:",
		"a = [1,\n":             "f.hcl:2:1: ",
		"{\"a\": 1}":            "f.hcl:1:1: ",
		"project \"x\"\n{\n}\n": "f.hcl:1:",
		"a = 1\n}\n":            "f.hcl:2:1: ",
		"\xff":                  "f.hcl:1:1: ",
	} {
		if _, err := OutlineOf("f.hcl", []byte(src)); err == nil || !strings.HasPrefix(err.Error(), place) {
			t.Errorf("%q: %v, want %s", src, err, place)
		}
	}
}
