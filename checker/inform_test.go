package checker

import "testing"

// What the user said of opencode stays; what can not be read is left alone.
func TestWithInstructions(t *testing.T) {
	const ours = `"/run/ocjail/AGENTS.md"`
	for config, want := range map[string]string{
		"":                                      `{"instructions":[` + ours + `]}`,
		"{}":                                    `{"instructions":[` + ours + `]}`,
		`{"instructions":["a"],"k":{"b":[1]}}`:  `{"instructions":["a",` + ours + `],"k":{"b":[1]}}`,
		`{"instructions":[` + ours + `]}`:       `{"instructions":[` + ours + `]}`,
		`{"instructions":null,"n":12345678901}`: `{"instructions":[` + ours + `],"n":12345678901}`,
		`{"a":"<{file:x}>"}`:                    `{"a":"<{file:x}>","instructions":[` + ours + `]}`,
		`{"instructions":"a"}`:                  "",
		`{"instructions":[1]}`:                  "",
		`{"a":1} // comment`:                    "",
		`{"a":1,}`:                              "",
		`[]`:                                    "",
		`null`:                                  "",
		`{file:~/opencode.json}`:                "",
	} {
		got, ok := withInstructions(config)
		if got != want || ok != (want != "") {
			t.Errorf("%s: got %s (%v), want %s", config, got, ok, want)
		}
	}
}
