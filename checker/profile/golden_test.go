package profile

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGolden(t *testing.T) {
	tests := map[string]struct {
		tree    tree
		env     map[string]string
		add     []string
		command []string
	}{
		"debian": {tree: debian, env: map[string]string{
			"PATH": "/home/u/.local/bin:" + usualPath, "SHELL": "/bin/bash", "TERM": "xterm-256color", "LANG": "de_DE.UTF-8",
			"ANTHROPIC_API_KEY": "sk-1", "AWS_SECRET_ACCESS_KEY": "no", "LD_PRELOAD": "/evil.so", "TZ": "Europe/Paris",
		}},
		"plain": {tree: plain, env: map[string]string{
			"PATH": "/home/u/.opencode/bin:/bin", "SHELL": "/usr/bin/fish", "SSL_CERT_FILE": "/opt/corp/ca.pem",
			"NODE_EXTRA_CA_CERTS": "/opt/corp/absent.pem",
		}},
		"additions": {tree: debian, env: map[string]string{"PATH": usualPath, "EDITOR": "vi"}, command: []string{"sh", "-c", "true"},
			add: []string{"no-network", "new-session", "ro-bind ~/.ssh '/keys'", "readonly {project}/sub", "tmpfs /scratch", "set-env A 'b c'", "fwd-env EDITOR"}},
	}
	p, err := Embedded("opencode")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			words, err := p.Argv(host(t, tc.tree, tc.env), tc.add, tc.command)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".argv")
			got := lines(words)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// lines writes one option a line.
func lines(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(map[bool]string{true: "\n", false: " "}[strings.HasPrefix(w, "--")])
		}
		b.WriteString(w)
	}
	return b.String() + "\n"
}

// The argv's reader is the model: an option or origin that it misses would be
// judged wrongly.
func TestModelReadsArgv(t *testing.T) {
	p, err := Embedded("opencode")
	must(t, err)
	for name, tr := range map[string]tree{"debian": debian, "plain": plain} {
		words, err := p.Argv(host(t, tr, pathOnly), []string{"tmpfs /scratch", "new-session"}, []string{"/bin/sh", "--", "--bind"})
		must(t, err)
		model, err := sandbox.ParseArgv(words, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(words, model.AnnotatedArgv()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
