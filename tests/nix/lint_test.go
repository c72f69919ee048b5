package nix

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// lint runs ocjail in the project, with a devenv that builds what is asked of it
// with nix, as the real one does, on PATH.
func (p *project) lint(env []string, words ...string) result {
	p.t.Helper()
	bin := p.t.TempDir()
	var quoted []string
	for _, a := range p.args() {
		quoted = append(quoted, "'"+a+"'")
	}
	script := "#!/bin/sh\n[ \"$1 $2\" = \"build programs.opencode.manifest\" ] || exit 2\n" +
		"path=$(nix-build " + strings.Join(quoted, " ") + " --no-out-link -A cfg.manifest) && printf '{\\n  \"%s\": \"%s\"\\n}\\n' \"$2\" \"$path\"\n"
	if err := os.WriteFile(filepath.Join(bin, "devenv"), []byte(script), 0o755); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), evalLimit)
	defer cancel()
	c := exec.CommandContext(ctx, ocjail, words...)
	c.Dir = p.dir
	c.Env = append(append(append(os.Environ(), environment...), "PATH="+bin+":"+os.Getenv("PATH")), env...)
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// here makes the project's root the folder where its devenv.nix is.
func (p *project) here() *project {
	p.extra = []string{"--argstr", "root", p.dir}
	return p
}

// `ocjail lint --evaluate` judges the jail that devenv.nix makes, and says which
// combinator breaks a rule; without it nothing is evaluated.
func TestLintEvaluates(t *testing.T) {
	p := newProject(t, `jailCombinators = with pkgs.jail.combinators; [ time-zone (rw-bind "/srv" "/srv") ];`).here()
	if r := p.lint(nil, "lint").expect(t, 2); r.stdout != "" {
		t.Errorf("it judges something:\n%s", r.stdout)
	}
	r := p.lint(nil, "lint", "--evaluate").expect(t, 1)
	for _, want := range []string{"error fs/rw-outside-home: /srv can be written", "rw-bind from programs.opencode.jailCombinators[1] in devenv.nix", `remedy:  bind it read-only: (ro-bind "/srv" "/srv")`} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, r.stdout)
		}
	}
	p.lint(nil, "why", "/srv", "--evaluate").expect(t, 0)
	if r := p.lint(nil, "inspect", "--evaluate").expect(t, 0); !strings.Contains(r.stdout, "programs.opencode.jailCombinators[1]") {
		t.Errorf("inspect shows\n%s", r.stdout)
	}
	newProject(t, `jailCombinators = [ "network" ];`).here().lint(nil, "lint", "--evaluate").expect(t, 2).
		says(t, "devenv build programs.opencode.manifest", "programs.opencode.jailCombinators", "permission")
}

// The names that a jail may reach on the session bus are judged beforehand too,
// those of a combinator that is made of dbus included.
func TestLintJudgesBusNames(t *testing.T) {
	for _, c := range []struct {
		combinator string
		found      bool
	}{
		{`(compose [ (dbus { talk = [ "org.freedesktop.*" ]; }) ])`, true},
		{`(dbus { own = [ "org.freedesktop.secrets" ]; })`, true},
		{`(dbus { talk = [ "org.freedesktop.Notifications" ]; })`, false},
	} {
		p := newProject(t, `jailCombinators = with pkgs.jail.combinators; [ `+c.combinator+` ];`).here()
		r := p.lint(nil, "lint", p.build("cfg.manifest"))
		if got := strings.Contains(r.stdout, "error sockets/bus-names"); got != c.found {
			t.Errorf("%s: found %v\n%s", c.combinator, got, r.stdout)
		}
		if strings.Contains(r.stdout, "error fs/rw-outside-home") {
			t.Errorf("%s: the proxy's folder is an error:\n%s", c.combinator, r.stdout)
		}
	}
}

// In the devenv shell `ocjail lint` knows the manifest, until the project's files
// have changed.
func TestLintInTheShell(t *testing.T) {
	p := newProject(t, `jailCombinators = [ (pkgs.jail.combinators.rw-bind "/srv" "/srv") ];`).here()
	manifest := p.build("cfg.manifest")
	line := regexp.MustCompile(`(?m)^export OCJAIL_PROJECT_.*`).FindString(p.evalString("config.enterShell"))
	out, err := exec.Command("bash", "-euc", line+"; env | grep ^OCJAIL_PROJECT").Output()
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	env := strings.Fields(string(out))
	if len(env) != 2 || !slices.Contains(env, "OCJAIL_PROJECT_MANIFEST="+manifest) {
		t.Fatalf("the shell has %q", env)
	}
	p.lint(env, "lint").expect(t, 1)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(p.dir, "devenv.nix"), later, later); err != nil {
		t.Fatal(err)
	}
	p.lint(env, "lint").expect(t, 2).says(t, "devenv.nix has changed")
}
