// Package ci tests what puts `ocjail lint` into CI as its users get it: the steps of
// the GitHub Action, run by bash with the variables that a runner sets, and the entries
// of the pre-commit hooks. That GitHub and pre-commit themselves read these files so is
// not tested here: neither can be had without a network.
package ci

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/util"

	"github.com/refnil/opencode-jail-devenv/checker/host/hosttest"
)

// read reads a YAML file of the repository.
func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := util.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// repository makes one with a jail that is clean and one that is not.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"jails/clean.hcl":  "command = [\"bash\"]\nsystem = true\nproject { access = \"rw\" }\n",
		"open/open.hcl":    "command = [\"bash\"]\nsystem = true\nproject { access = \"rw\" }\nmount \"/srv\" { access = \"rw\" }\n",
		"rules/never.rego": "# METADATA\n# title: never\n# custom:\n#   severity: error\npackage ocjail.rules.acme.never\n\nfindings contains {\"message\": \"no jail is good\", \"subject\": {\"kind\": \"command\"}}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// outcome is what a command left.
type outcome struct {
	status int
	output string
}

func run(t *testing.T, dir string, env []string, words ...string) outcome {
	t.Helper()
	c := exec.CommandContext(t.Context(), words[0], words[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), string(out)}
}

// build builds both programs into a folder, and has them take a new folder for the home.
func build(t *testing.T, dir string) (ocjail string) {
	t.Helper()
	if err := hosttest.Build(dir, "ocjail", "ocjail-rules", "ocjail-wasm"); err != nil {
		t.Fatal(err)
	}
	newHome(t)
	return filepath.Join(dir, "ocjail")
}

func newHome(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv(hosttest.HomeVariable, home)
}

type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	Name, ID, If, Uses, Shell, Run string
	Env                            map[string]string
}

var expression = regexp.MustCompile(`\$\{\{ *([^}]*[^} ]) *\}\}`)

// lint runs the action's steps with these inputs, in the repository.
func (a action) lint(t *testing.T, dir, temp string, inputs map[string]string) (o outcome, outputs string) {
	t.Helper()
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"github.action_path": here}
	for name, in := range a.Inputs {
		values["inputs."+name] = in.Default
	}
	for name, value := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("there is no input %s", name)
		}
		values["inputs."+name] = value
	}
	said := filepath.Join(temp, "output")
	if err := os.WriteFile(said, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, s := range a.Runs.Steps {
		if s.If != "" && s.If != "inputs.ocjail == ''" {
			t.Fatalf("step %s: if %q", s.Name, s.If)
		}
		if s.Uses != "" || s.If != "" && values["inputs.ocjail"] != "" {
			continue
		}
		if expression.MatchString(s.Run) {
			t.Errorf("step %s: an expression within the script could run what an input says", s.Name)
		}
		env := []string{"GITHUB_ACTION_PATH=" + here, "RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + said}
		for name, value := range s.Env {
			env = append(env, name+"="+expression.ReplaceAllStringFunc(value, func(m string) string {
				v, ok := values[expression.FindStringSubmatch(m)[1]]
				if !ok {
					t.Errorf("step %s: unknown %s", s.Name, m)
				}
				return v
			}))
		}
		script := filepath.Join(temp, "script.sh")
		if err := os.WriteFile(script, []byte(s.Run), 0o644); err != nil {
			t.Fatal(err)
		}
		o = run(t, dir, env, "bash", "--noprofile", "--norc", "-eo", "pipefail", script) // as a runner does
		if o.status != 0 {
			break
		}
	}
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	return o, string(text)
}

// The action builds ocjail and lints with it.
func TestAction(t *testing.T) {
	var a action
	read(t, "action.yml", &a)
	if a.Runs.Using != "composite" || a.Outputs["status"].Value != "${{ steps.lint.outputs.status }}" {
		t.Errorf("%+v", a.Outputs)
	}
	for name, in := range a.Inputs {
		if in.Description == "" {
			t.Errorf("input %s has no description", name)
		}
	}
	dir, temp := repository(t), t.TempDir()
	o, said := a.lint(t, dir, temp, map[string]string{"targets": "jails\n", "junit": "ocjail.xml"})
	if o.status != 0 || said != "status=0\n" || !strings.Contains(o.output, "jails/clean.hcl: allowed") {
		t.Fatalf("%+v, %q", o, said)
	}
	if _, err := os.Stat(filepath.Join(temp, "ocjail", "ocjail-rules")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"ocjail.sarif", "ocjail.xml"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	built := build(t, t.TempDir())
	trusted := filepath.Join(temp, "trusted.hcl") // where no jail of the project can write
	if err := os.WriteFile(trusted, []byte("rule \"fs/rw-outside-home\" { severity = \"info\" }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		inputs map[string]string
		status int
		says   string
	}{
		"findings":         {map[string]string{"targets": "jails\nopen\n"}, 1, "::error file=open/open.hcl,line=4,title=fs/rw-outside-home%3A "},
		"blanks":           {map[string]string{"targets": "  jails \n\t\n", "policy": "\t"}, 0, "jails/clean.hcl: allowed"},
		"broken":           {map[string]string{"targets": "absent"}, 2, "not judged"},
		"the profile":      {map[string]string{}, 0, "opencode: allowed"},
		"fail level":       {map[string]string{"targets": "jails", "fail-level": "info"}, 1, "allowed"},
		"configuration":    {map[string]string{"targets": "open", "config": trusted}, 0, "allowed"},
		"policies":         {map[string]string{"targets": "jails", "policy": "rules\n"}, 1, "no jail is good"},
		"no reports":       {map[string]string{"targets": "jails", "sarif": ""}, 0, "allowed"},
		"a flag as target": {map[string]string{"targets": "--config=x"}, 2, "--config=x"},
		"code in an input": {map[string]string{"targets": "$(touch ran)`touch ran`;touch ran\n"}, 2, "not judged"},
		"no bundle":        {map[string]string{"targets": "jails", "config": trusted, "pull": "true"}, 2, "no policy has a bundle to be fetched"},
		"pull":             {map[string]string{"pull": "yes"}, 2, "::error title=ocjail::pull is neither"},
		"evaluate":         {map[string]string{"evaluate": "yes"}, 2, "::error title=ocjail::evaluate is neither"},
	} {
		tc.inputs["ocjail"] = built
		if o, said := a.lint(t, dir, temp, tc.inputs); o.status != tc.status || !strings.Contains(o.output, tc.says) {
			t.Errorf("%s: status %d, %q\n%s", name, o.status, said, o.output)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("an input was run")
	}
}

type hook struct {
	ID, Name, Description, Entry, Language, Files string
	Args                                          []string
	PassFilenames                                 *bool `json:"pass_filenames"`
}

// A hook is what pre-commit makes of its entry: the words, and behind them the
// changed files that its pattern finds.
func TestPreCommitHooks(t *testing.T) {
	var hooks []hook
	read(t, ".pre-commit-hooks.yaml", &hooks)
	if len(hooks) != 2 {
		t.Fatalf("%d hooks", len(hooks))
	}
	bin := t.TempDir()
	// For language golang pre-commit installs every command of the repository.
	mains := run(t, "../..", nil, "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./cmd/...").output
	for _, name := range []string{"ocjail", "ocjail-rules", "ocjail-wasm"} {
		if !strings.Contains(mains, "/cmd/"+name+"\n") {
			t.Errorf("go install makes no %s: %s", name, mains)
		}
	}
	if o := run(t, "../..", []string{"GOBIN=" + bin}, "go", "install", "./cmd/..."); o.status != 0 {
		t.Fatal(o.output)
	}
	dir := repository(t)
	for _, tc := range []struct {
		hook    int
		changed []string
		status  int
		says    string
	}{
		{0, []string{"ocjail.hcl"}, 0, "opencode: allowed"},
		{1, []string{"jails/clean.hcl", "main.go"}, 0, "jails/clean.hcl: allowed"},
		{1, []string{"jails/clean.hcl", "jails/open.hcl"}, 1, "jails/open.hcl: refused"},
		{1, []string{"jails/absent.json"}, 2, "jails/absent.json: no such file"},
		{1, []string{"--host=x/jails/host.json"}, 2, "--host=x/jails/host.json: no such file"}, // a name is no option
	} {
		h := hooks[tc.hook]
		if h.Language != "golang" || h.Name == "" || h.Description == "" {
			t.Errorf("%+v", h)
		}
		if tc.status == 1 {
			if err := os.Rename(filepath.Join(dir, "open/open.hcl"), filepath.Join(dir, "jails/open.hcl")); err != nil {
				t.Fatal(err)
			}
		}
		words, files := append(strings.Fields(h.Entry), h.Args...), regexp.MustCompile(h.Files)
		found := false
		for _, name := range tc.changed {
			if files.MatchString(name) {
				found = true
				if h.PassFilenames == nil {
					words = append(words, name)
				}
			}
		}
		if !found {
			t.Errorf("%s does not run for %v", h.ID, tc.changed)
		}
		words[0] = filepath.Join(bin, words[0])
		if o := run(t, dir, nil, words...); o.status != tc.status || !strings.Contains(o.output, tc.says) {
			t.Errorf("%s for %v: status %d\n%s", h.ID, tc.changed, o.status, o.output)
		}
	}
}

// The scripts of the action are as careful as the others.
func TestShellcheck(t *testing.T) {
	var a action
	read(t, "action.yml", &a)
	for _, s := range a.Runs.Steps {
		if s.Run == "" {
			continue
		}
		script := filepath.Join(t.TempDir(), "script.sh")
		if err := os.WriteFile(script, []byte("#!/usr/bin/env bash\n"+s.Run), 0o644); err != nil {
			t.Fatal(err)
		}
		if o := run(t, ".", nil, "shellcheck", script); o.status != 0 {
			t.Errorf("step %s:\n%s", s.Name, o.output)
		}
	}
}
