package main

import (
	"testing"
)

func TestBare(t *testing.T) {
	const argv = `["--bind", "/", "/"]`
	for text, want := range map[string]string{
		argv: "", "": "", "[": "", `{"url": "https://x", "y": "a\"//b"}`: "",
		"\xef\xbb\xbf" + argv:                    argv,
		"\xff\xfe[\x00\"\x00\xe9\x00\"\x00]\x00": `["é"]`,
		"\xfe\xff\x00[\x00]":                     "[]",
		"[\x00]\x00":                             "[]",
		"\x00[\x00]":                             "[]",
		"\xff\xfe[\x00/\x00*\x00*\x00/\x00]\x00": "[]",
		"// the jail\n" + argv:                   argv,
		"/* a // b */" + argv + "// \"c":         argv,
		`["a\\"/* " */, "\"//"]`:                 `["a\\", "\"//"]`,
		`["a" /* it breaks off`:                  `["a" `,
		`["a" // it breaks off`:                  `["a" `,
	} {
		if got := string(bare([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
